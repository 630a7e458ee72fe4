//! `reconcile init`: starts a project.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::{Outcome, STATUS, Terminal, options::Options};
use crate::{config, error::Error};

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
    let folder = env::current_dir().map_err(config::Error::Here)?;
    let file = folder.join(config::FILE);
    if let [_, second, ..] = options.schema.as_slice() {
        return Err(Error::input(format!("init writes one schema file; {} is too many", second.display())));
    }
    let schema = options.schema.first().map_or_else(|| PathBuf::from("schema.sql"), Clone::clone);
    write(&file, &text(&schema), args.force)?;
    terminal.note(&format!("wrote {}\n", config::FILE));
    Ok(Outcome::Done)
}

/// Writes a file that is not there yet, or that may be overwritten.
fn write(path: &Path, text: &str, force: bool) -> Result<(), Error> {
    if !force && path.exists() {
        return Err(Error::refused(format!("{} exists", path.display())).hint("--force overwrites it"));
    }
    fs::write(path, text).map_err(|why| Error::file("cannot write", path, &why))
}

/// A configuration file that says the defaults in comments.
fn text(schema: &Path) -> String {
    format!(
        "# Configuration of reconcile; paths are relative to this file. Flags and RECONCILE_* variables win over it.
schema: {}
# db: postgres://app:${{APP_PASSWORD}}@db.example.com/app   # none: a private PostgreSQL in .reconcile/
# plans: plans
# ledger: reconcile        # the schema that holds the history, in the database
# manage:                  # `all` for the whole database
#   schemas: [app]         # otherwise the schemas of the schema file and of the last revision
#   ignore: ['TABLE app.tmp_*']
#   privileges: declared   # or all, none
#   owners: declared       # or all, none
# engine: auto             # the scratch PostgreSQL: auto, target, a URL, or keys
# timeouts: {{ connect: 10s, statement: 0, lock: 5s }}
",
        serde_yaml::to_string(&schema.display().to_string()).unwrap_or_default().trim_end()
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_can_be_read() {
        let written = text(Path::new("db/my schema.sql"));
        let value: serde_yaml::Value = serde_yaml::from_str(&written).unwrap();
        assert_eq!(value["schema"], "db/my schema.sql");
    }
}
