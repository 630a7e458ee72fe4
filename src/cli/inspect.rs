//! `reconcile inspect`: the database as schema.sql.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    Context, Outcome, STATUS,
    options::Scope,
    pipeline::{self, Place},
};
use crate::{
    catalog::{self, Catalog, Concern, Extent, ObjectId},
    config::{Choice, Managed},
    error::Error,
    plan::{self, Draft, PlanError},
    report,
};

/// Print the database as schema.sql, in dependency order
///
/// Loading the text gives the same objects. Objects that belong to the role that connects are written without OWNER TO.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// Write to this file instead of standard output
    #[arg(short, long, value_name = "FILE", conflicts_with = "dir")]
    output: Option<PathBuf>,
    /// Write one file per object into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// With --dir: replace what an earlier inspect wrote there
    #[arg(long, requires = "dir")]
    force: bool,
    #[command(flatten)]
    pub scope: Scope,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let place = pipeline::place(context)?;
    let (catalog, draft) = read(&place, context)?;
    drop(place);
    match (&args.dir, &args.output) {
        (Some(dir), _) => folder(dir, &report::files(&catalog, &draft), args.force)?,
        (None, Some(path)) => {
            let text = report::schema(&catalog, &draft);
            fs::write(path, text).map_err(|why| Error::file("cannot write", path, &why))?;
        }
        (None, None) => context.terminal.print(&report::schema(&catalog, &draft))?,
    }
    Ok(Outcome::Done)
}

/// The database as the text of schema.sql.
pub(super) fn text(place: &Place, context: &Context) -> Result<String, Error> {
    let (catalog, draft) = read(place, context)?;
    Ok(report::schema(&catalog, &draft))
}

fn read(place: &Place, context: &Context) -> Result<(Catalog, Draft), Error> {
    let manage = &context.config.manage;
    let extent = Extent { ledger: &context.config.ledger, roles: manage.roles, database: manage.database };
    let whole = catalog::read(&mut place.target.connect()?, extent)?;
    let inside = |schema: Option<&str>| match (&manage.what, schema) {
        (Managed::Schemas(schemas), Some(schema)) => schemas.contains(schema),
        // An extension may be what a schema's objects need; it is in the way of nobody.
        _ => true,
    };
    let objects: Vec<String> =
        whole.unmodelled.iter().filter(|it| inside(it.schema.as_deref())).map(|it| it.address.clone()).collect();
    if !objects.is_empty() {
        return Err(PlanError::Unmodelled { side: "the database", objects }.into());
    }
    let ignored = plan::file::Scope {
        ignore: manage.ignore.clone(),
        all: true,
        roles: manage.roles,
        database: manage.database,
        global: whole
            .iter()
            .filter(|(id, _)| id.kind.concern() == Concern::Role)
            .map(|(id, _)| id.to_string())
            .collect(),
        ..plan::file::Scope::default()
    };
    // Whoever connects is there before the text is loaded.
    let own = catalog::role(&whole.server.user);
    let chosen = |id: &ObjectId| {
        let said = match id.kind.concern() {
            Concern::Schema | Concern::Role | Concern::Database => *id.root() != own,
            Concern::Owner => manage.owners != Some(Choice::None),
            Concern::Privilege => manage.privileges != Some(Choice::None),
            Concern::Version => false,
        };
        said && inside(id.schema()) && ignored.holds(id)
    };
    let mut catalog = whole.filtered(chosen);
    plan::secrets::name(&mut catalog);
    let empty = catalog::new_database(&catalog).filtered(chosen);
    let draft = plan::script(&empty, &catalog).map_err(PlanError::from)?;
    Ok((catalog, draft))
}

/// Writes files into a folder; those that an earlier run wrote there make way, others are left alone.
fn folder(dir: &Path, files: &std::collections::BTreeMap<String, String>, force: bool) -> Result<(), Error> {
    let mut old = Vec::new();
    written(dir, &mut old).map_err(|why| Error::file("cannot read the folder", dir, &why))?;
    if let Some(first) = old.first().filter(|_| !force) {
        let error = Error::refused(format!("{} has SQL in it: {}", dir.display(), first.0.display()));
        return Err(error.hint("--force replaces what an earlier inspect wrote there"));
    }
    let foreign: Vec<&PathBuf> = old.iter().filter(|(_, ours)| !ours).map(|(path, _)| path).collect();
    if let Some(path) = foreign.iter().find(|path| files.keys().any(|name| dir.join(name) == ***path)) {
        return Err(Error::refused(format!("{} was not written by inspect", path.display())).hint("move it away"));
    }
    for (path, _) in old.iter().filter(|(_, ours)| *ours) {
        fs::remove_file(path).map_err(|why| Error::file("cannot remove", path, &why))?;
    }
    for (name, text) in files {
        let path = dir.join(name);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(|why| Error::file("cannot make the folder", parent, &why))?;
        fs::write(&path, text).map_err(|why| Error::file("cannot write", &path, &why))?;
    }
    Ok(())
}

/// The SQL files below a folder, sorted, and whether an earlier run wrote them; none where there is no folder.
fn written(dir: &Path, found: &mut Vec<(PathBuf, bool)>) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() {
            written(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            let ours = fs::read(&path)?.starts_with(report::MARK.as_bytes());
            found.push((path, ours));
        }
    }
    Ok(())
}
