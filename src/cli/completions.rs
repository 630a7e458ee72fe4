//! `reconcile completions`: completion scripts for shells.

use clap_complete::Shell;

use super::{Outcome, STATUS, Terminal, command};
use crate::error::Error;

/// Print a completion script for a shell
///
/// For bash: `reconcile completions bash > ~/.local/share/bash-completion/completions/reconcile`.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args, terminal: Terminal) -> Result<Outcome, Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "reconcile", &mut script);
    terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}
