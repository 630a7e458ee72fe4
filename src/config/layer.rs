//! What one place says about the configuration: the file, the environment or the flags.

use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use super::{Choice, Engine, Manage, Managed, Timeouts, Trust};

/// What one place says; what it does not say is left to the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The connection string of the target.
    pub db: Option<String>,
    /// Where the desired state stands.
    pub schema: Option<Vec<PathBuf>>,
    /// The folder in which plans are written.
    pub plans: Option<PathBuf>,
    /// The schema of the ledger.
    pub ledger: Option<String>,
    /// What is managed.
    pub manage: ManageLayer,
    /// How a scratch PostgreSQL is found.
    pub engine: EngineLayer,
    /// How long to wait.
    pub timeouts: TimeoutsLayer,
}

/// What one place says about the managed scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManageLayer {
    /// Which part of the database.
    pub what: Option<Managed>,
    /// Patterns of addresses that are left alone.
    pub ignore: Option<BTreeSet<String>>,
    /// Whose grants.
    pub privileges: Option<Choice>,
    /// Which owners.
    pub owners: Option<Choice>,
    /// Whether roles are.
    pub roles: Option<bool>,
    /// Whether the database itself is.
    pub database: Option<bool>,
}

/// What one place says about the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EngineLayer {
    /// The ways to get a scratch PostgreSQL, in order.
    pub order: Option<Vec<String>>,
    /// Folders with binaries.
    pub folders: Option<Vec<PathBuf>>,
    /// Where downloads are kept.
    pub cache: Option<PathBuf>,
    /// Whether nothing may be downloaded.
    pub offline: Option<bool>,
    /// What statements of the desired state may do.
    pub trust: Option<Trust>,
    /// Libraries that servers of ours load.
    pub preload: Option<Vec<String>>,
}

/// What one place says about waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutsLayer {
    /// For a connection.
    pub connect: Option<Duration>,
    /// For one statement.
    pub statement: Option<Duration>,
    /// For one lock.
    pub lock: Option<Duration>,
}

impl Layer {
    /// This layer, and below it another for what it does not say.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let Self { db, schema, plans, ledger, manage, engine, timeouts } = self;
        Self {
            db: db.or(below.db),
            schema: schema.or(below.schema),
            plans: plans.or(below.plans),
            ledger: ledger.or(below.ledger),
            manage: manage.over(below.manage),
            engine: engine.over(below.engine),
            timeouts: timeouts.over(below.timeouts),
        }
    }

    /// The same with relative paths made to start from a folder; `-` stays.
    #[must_use]
    pub fn at(mut self, folder: &Path) -> Self {
        let join = |path: &mut PathBuf| {
            if path != Path::new("-") {
                *path = tidy(&folder.join(&*path));
            }
        };
        self.schema.iter_mut().flatten().for_each(join);
        self.plans.iter_mut().for_each(join);
        self.engine.folders.iter_mut().flatten().for_each(join);
        self.engine.cache.iter_mut().for_each(join);
        self
    }
}

/// A path without the `.` and `..` that joining leaves in it.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        if component != Component::ParentDir || !matches!(out.components().next_back(), Some(Component::Normal(_))) {
            out.push(component);
        } else {
            out.pop();
        }
    }
    out
}

impl ManageLayer {
    fn over(self, below: Self) -> Self {
        let Self { what, ignore, privileges, owners, roles, database } = self;
        Self {
            what: what.or(below.what),
            ignore: ignore.or(below.ignore),
            privileges: privileges.or(below.privileges),
            owners: owners.or(below.owners),
            roles: roles.or(below.roles),
            database: database.or(below.database),
        }
    }

    pub(super) fn decided(self) -> Manage {
        let Self { what, ignore, privileges, owners, roles, database } = self;
        Manage {
            what: what.unwrap_or_default(),
            ignore: ignore.unwrap_or_default(),
            privileges,
            owners,
            roles: roles.unwrap_or_default(),
            database: database.unwrap_or_default(),
        }
    }
}

impl EngineLayer {
    fn over(self, below: Self) -> Self {
        let Self { order, folders, cache, offline, trust, preload } = self;
        Self {
            order: order.or(below.order),
            folders: folders.or(below.folders),
            cache: cache.or(below.cache),
            offline: offline.or(below.offline),
            trust: trust.or(below.trust),
            preload: preload.or(below.preload),
        }
    }

    pub(super) fn decided(self) -> Engine {
        let Self { order, folders, cache, offline, trust, preload } = self;
        Engine {
            order: order.unwrap_or_default(),
            folders: folders.unwrap_or_default(),
            cache,
            offline: offline.unwrap_or_default(),
            trust: trust.unwrap_or_default(),
            preload: preload.unwrap_or_default(),
        }
    }

    /// What one word says: `auto`, `target` or a connection string.
    pub fn from_word(word: &str) -> Self {
        let order = if word == "auto" { Vec::new() } else { vec![word.to_owned()] };
        Self { order: Some(order), ..Self::default() }
    }
}

impl ManageLayer {
    /// What one word says: `all`, or schemas between commas.
    pub fn from_word(word: &str) -> Self {
        let schemas = || word.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        let what = if word == "all" { Managed::All } else { Managed::Schemas(schemas()) };
        Self { what: Some(what), ..Self::default() }
    }
}

impl TimeoutsLayer {
    fn over(self, below: Self) -> Self {
        let Self { connect, statement, lock } = self;
        Self { connect: connect.or(below.connect), statement: statement.or(below.statement), lock: lock.or(below.lock) }
    }

    pub(super) fn decided(self) -> Timeouts {
        let Self { connect, statement, lock } = self;
        Timeouts { connect, statement, lock }
    }
}
