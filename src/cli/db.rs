//! `reconcile db`: the project's own PostgreSQL.

use super::{Context, Outcome, STATUS, pipeline};
use crate::{
    engine::{Embedded, Running, Status},
    error::Error,
};

/// Keep the project's own PostgreSQL up for an application, stop it, or tell how to reach it
///
/// A project that configures no database has a private one in .reconcile/. It is started when a command needs it and
/// stopped afterwards; `start` keeps it up until `stop`.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Start it and keep it up; prints the URL
    #[command(after_help = STATUS)]
    Start {
        /// Listen on this port of 127.0.0.1 too
        #[arg(long)]
        port: Option<u16>,
    },
    /// Stop it
    #[command(after_help = STATUS)]
    Stop,
    /// Print the URL of the running server
    #[command(after_help = STATUS)]
    Url,
    /// Say whether it is running
    #[command(after_help = STATUS)]
    Status,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let settings = pipeline::settings(&context.config)?;
    let (project, terminal) = (&context.config.root, context.terminal);
    if pipeline::configured(&context.config)?.is_some() {
        terminal.warn("a database is configured: plan and apply use that one, not the project's own");
    }
    match args.action {
        Action::Start { port } => {
            let running = Embedded::start_detached(project, &settings, port)?;
            reach(&running, context);
            terminal.print(&format!("{}\n", url(&running)))?;
        }
        Action::Stop => {
            let stopped = Embedded::stop(project, &settings)?;
            terminal.print(if stopped { "Stopped\n" } else { "It was not running\n" })?;
        }
        Action::Url => match Embedded::status(project, &settings)? {
            Status::Running(running) => {
                reach(&running, context);
                terminal.print(&format!("{}\n", url(&running)))?;
            }
            Status::Stopped | Status::Absent => {
                let error = Error::input("the project's own PostgreSQL is not running");
                return Err(error.hint("`reconcile db start` starts it and keeps it up"));
            }
        },
        Action::Status => terminal.print(&match Embedded::status(project, &settings)? {
            Status::Running(running) => {
                let kept = if running.kept() { "kept up" } else { "in use by another command" };
                format!("Running, {kept}: {}\n", running.describe())
            }
            Status::Stopped => "Stopped\n".to_owned(),
            Status::Absent => "There is none yet: the first command that needs it makes it\n".to_owned(),
        })?,
    }
    Ok(Outcome::Done)
}

/// The URL for applications: over TCP where it listens there.
fn url(running: &Running) -> String {
    running.tcp_url().unwrap_or_else(|| running.url())
}

/// Says where the password for TCP is; the private socket needs none.
fn reach(running: &Running, context: &Context) {
    if running.tcp_url().is_some() {
        let file = running.passfile().display();
        context.terminal.note(&format!("the password is in {file}, a file for PGPASSFILE\n"));
    }
}
