//! `reconcile man`: manual pages.

use std::{fs, io, path::PathBuf};

use clap_mangen::Man;

use super::{Outcome, STATUS, Terminal, command};
use crate::error::{Error, ErrorKind};

/// Print the manual page, or write one page per command into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// Write reconcile.1, reconcile-plan.1 and so on into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn run(args: &Args, terminal: Terminal) -> Result<Outcome, Error> {
    let Some(dir) = &args.dir else {
        let page = page(command()).map_err(|why| Error::new(ErrorKind::Bug, why))?;
        terminal.print(&page)?;
        return Ok(Outcome::Done);
    };
    fs::create_dir_all(dir).map_err(|why| Error::file("cannot make the folder", dir, &why))?;
    // Common options reach the commands only when the whole is built.
    let mut all = command().disable_help_subcommand(true);
    all.build();
    let commands: Vec<_> = all.get_subcommands().cloned().collect();
    for command in std::iter::once(all).chain(commands) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        let path = dir.join(format!("{name}.1"));
        let page = page(command.name(name)).map_err(|why| Error::new(ErrorKind::Bug, why))?;
        fs::write(&path, page).map_err(|why| Error::file("cannot write", &path, &why))?;
    }
    Ok(Outcome::Done)
}

fn page(command: clap::Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
