//! `reconcile init`: starts a project.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{Context, Outcome, STATUS, Terminal, inspect, options::Options, pipeline};
use crate::{
    config::{self, Config, Layer, Variables},
    connect::Target,
    error::Error,
};

/// Start a project here: write reconcile.yaml, and schema.sql from a database if one is given
///
/// No password is written: reconcile.yaml takes it from the environment (`${NAME}`), from PGPASSWORD, .pgpass or
/// pg_service.conf.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// Overwrite the files that are there
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, options: &Options, terminal: Terminal) -> Result<Outcome, Error> {
    let here = env::current_dir().map_err(config::Error::Here)?;
    let variables = Variables::of_process();
    let said: Layer = options.layer(None).over(variables.layer()?);
    let schema = match said.schema.as_deref() {
        None => PathBuf::from("schema.sql"),
        Some([schema]) => schema.clone(),
        Some(many) => return Err(Error::input(format!("init writes one schema file, not {}", many.len()))),
    };
    let file = here.join(config::FILE);
    free(&file, args.force)?;
    let mut database = None;
    if said.db.is_some() {
        let path = here.join(&schema);
        free(&path, args.force)?;
        // A configuration in a folder above is another project's.
        let config = Config::decided(said.at(&here), None, here.clone());
        let context = Context { config, terminal, here };
        let place = pipeline::place(&context)?;
        write(&path, &inspect::text(&place, &context)?)?;
        terminal.note(&format!("wrote {}\n", schema.display()));
        database = Some(place.target);
    }
    write(&file, &text(&schema, database.as_ref()))?;
    terminal.note(&format!("wrote {}\n", config::FILE));
    Ok(Outcome::Done)
}

/// Refuses to overwrite what is there, unless told to.
fn free(path: &Path, force: bool) -> Result<(), Error> {
    if !force && path.exists() {
        return Err(Error::refused(format!("{} exists", path.display())).hint("--force overwrites it"));
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|why| Error::file("cannot write", path, &why))
}

/// A configuration file that says the defaults in comments. A URL of ours never holds a password.
fn text(schema: &Path, database: Option<&Target>) -> String {
    let db = match database {
        Some(target) => format!("db: {}", yaml(&target.url())),
        None => "# db: postgres://app:${APP_PASSWORD}@db.example.com/app   # none: a private PostgreSQL in .reconcile/"
            .to_owned(),
    };
    format!(
        "# Configuration of reconcile; paths are relative to this file. Flags and RECONCILE_* variables win over it.
schema: {}
{db}
# plans: plans
# ledger: reconcile        # the schema that holds the history, in the database
# manage:                  # `all` for the whole database
#   schemas: [app]         # otherwise the schemas of the schema file and of the last revision
#   ignore: ['TABLE app.tmp_*']
#   privileges: declared   # or all, none
#   owners: declared       # or all, none
#   roles: false           # true: also the roles that the schema file creates
#   database: false        # true: also the database's own owner, settings, comment and grants
# engine: auto             # the scratch PostgreSQL: auto, target, a URL, or keys
# timeouts: {{ connect: 10s, statement: 0, lock: 5s }}
",
        yaml(&schema.display().to_string())
    )
}

/// A text as a YAML scalar.
fn yaml(text: &str) -> String {
    serde_yaml::to_string(text).unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_can_be_read() {
        let written = text(Path::new("db/my schema.sql"), None);
        let value: serde_yaml::Value = serde_yaml::from_str(&written).unwrap();
        assert_eq!(value["schema"], "db/my schema.sql");
    }
}
