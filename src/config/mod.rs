//! reconcile.yaml, environment and flags become one [`Config`].

mod duration;
mod environment;
mod error;
mod file;
mod layer;

use std::{
    collections::BTreeSet,
    env,
    path::{Path, PathBuf},
    time::Duration,
};

pub use environment::{KNOWN, Variables};
pub use error::{Error, redacted};
pub use layer::{EngineLayer, Layer, ManageLayer, TimeoutsLayer};
use serde::Deserialize;

/// The name of the configuration file.
pub const FILE: &str = "reconcile.yaml";

/// Everything that can be configured, decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The configuration file, where there is one.
    pub file: Option<PathBuf>,
    /// The project's folder: that of the configuration file, else the current one.
    pub root: PathBuf,
    /// The connection string of the target; none for the embedded default.
    pub db: Option<String>,
    /// Where the desired state stands; `-` is standard input.
    pub schema: Vec<PathBuf>,
    /// The folder in which plans are written.
    pub plans: PathBuf,
    /// The schema of the ledger in the target.
    pub ledger: String,
    /// What is managed.
    pub manage: Manage,
    /// How a scratch PostgreSQL is found.
    pub engine: Engine,
    /// How long to wait.
    pub timeouts: Timeouts,
}

/// What is managed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manage {
    /// Which part of the database.
    pub what: Managed,
    /// Patterns of addresses that are left alone.
    pub ignore: BTreeSet<String>,
    /// Whose grants; not said: those of the roles that the desired state names.
    pub privileges: Option<Choice>,
    /// Which owners; not said: those that the desired state names.
    pub owners: Option<Choice>,
    /// Whether the roles that the desired state creates are.
    pub roles: bool,
    /// Whether the database itself is: its owner, settings, comment and grants.
    pub database: bool,
}

/// Which part of a database is managed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Managed {
    /// What the desired state creates, and what the last revision managed.
    #[default]
    Declared,
    /// These schemas.
    Schemas(BTreeSet<String>),
    /// The whole database.
    All,
}

/// A choice of roles whose grants or ownership are managed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Those that the desired state names.
    Declared,
    /// All.
    All,
    /// None.
    None,
}

/// How a scratch PostgreSQL is found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    /// The ways to get one, in order: `found`, `download`, `target` or a connection string; empty: the usual order.
    pub order: Vec<String>,
    /// Folders with binaries, looked into first.
    pub folders: Vec<PathBuf>,
    /// Where downloads and prepared clusters are kept.
    pub cache: Option<PathBuf>,
    /// Whether nothing may be downloaded.
    pub offline: bool,
    /// What statements of the desired state may do on our own clusters.
    pub trust: Trust,
    /// Libraries that servers of ours load at their start, such as those of label providers.
    pub preload: Vec<String>,
}

/// What statements of the desired state may do on our own clusters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// What a role without superuser may do, and a named list of classes of DDL.
    #[default]
    Restricted,
    /// Everything.
    Full,
}

/// How long to wait; none is PostgreSQL's own setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection.
    pub connect: Option<Duration>,
    /// For one statement.
    pub statement: Option<Duration>,
    /// For one lock.
    pub lock: Option<Duration>,
}

impl Config {
    /// Finds and reads the configuration file and puts environment and flags over it.
    ///
    /// `file` is the file that a flag names; otherwise `RECONCILE_CONFIG`, otherwise the first `reconcile.yaml` from the
    /// current folder upwards.
    pub fn load(file: Option<&Path>, flags: Layer, variables: &Variables) -> Result<Self, Error> {
        let here = env::current_dir().map_err(Error::Here)?;
        let named = file.map(Path::to_path_buf).or_else(|| variables.path("CONFIG"));
        let found = named.map(|path| here.join(path)).or_else(|| above(&here));
        let written = match &found {
            Some(path) => file::read(path, path.strip_prefix(&here).unwrap_or(path), variables)?,
            None => Layer::default(),
        };
        let root = found.as_deref().and_then(Path::parent).unwrap_or(&here).to_path_buf();
        let layer = flags.at(&here).over(variables.layer()?.at(&here)).over(written.at(&root));
        Ok(Self::decided(layer, found, root))
    }

    /// The configuration of a project that says this, and the defaults for what it does not say.
    pub fn decided(layer: Layer, file: Option<PathBuf>, root: PathBuf) -> Self {
        let Layer { db, schema, plans, ledger, manage, engine, timeouts } = layer;
        Self {
            db,
            schema: schema.unwrap_or_else(|| vec![root.join("schema.sql")]),
            plans: plans.unwrap_or_else(|| root.join("plans")),
            ledger: ledger.unwrap_or_else(|| "reconcile".to_owned()),
            manage: manage.decided(),
            engine: engine.decided(),
            timeouts: timeouts.decided(),
            file,
            root,
        }
    }

    /// A path as people want to see it: relative to the project's folder, where it is inside.
    pub fn shown(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.display().to_string()
    }
}

/// The first configuration file in a folder or one above it.
fn above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests;
