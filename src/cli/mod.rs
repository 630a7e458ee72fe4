//! The commands: one file each, with its arguments, whose doc comment is its `--help`, and one function.

mod apply;
mod completions;
mod db;
mod git;
mod init;
mod inspect;
mod log;
mod man;
mod options;
mod pipeline;
mod plan;
mod progress;
mod show;
mod terminal;

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
pub use options::Color;
use options::{Options, Scope};
pub use terminal::Terminal;

use crate::{
    config::{self, Config, Variables},
    error::Error,
};

/// Keeps PostgreSQL databases equal to a schema.sql
///
/// `reconcile plan` reads schema.sql as the desired state and the database as the current state, and writes the difference
/// as a plan: ordered, explained, and proved on a copy. `reconcile apply` executes that plan and nothing else, and records
/// a revision. Without a database configured, the project gets a private PostgreSQL of its own.
#[derive(Debug, Parser)]
#[command(name = "reconcile", version, after_help = STATUS, max_term_width = 100, subcommand_required = true)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    Inspect(inspect::Args),
    Plan(plan::Args),
    Show(show::Args),
    Apply(apply::Args),
    Log(log::Args),
    Db(db::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// The exit codes, for `--help`.
const STATUS: &str = "Exit status: 0 done, 1 error; for `plan`: 0 nothing to do, 2 changes planned, 1 error";

/// How a command ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and for `plan`: there is nothing to do.
    Done,
    /// Changes are planned.
    Changes,
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Changes => 2,
        }
    }
}

/// What every command works with.
struct Context {
    config: Config,
    terminal: Terminal,
    /// The folder in which the program was started.
    here: PathBuf,
}

impl Context {
    fn new(options: &Options, scope: Option<&Scope>, terminal: Terminal) -> Result<Self, Error> {
        let here = env::current_dir().map_err(config::Error::Here)?;
        let flags = options.layer(scope);
        let config = Config::load(options.config.as_deref(), flags, &Variables::of_process())?;
        Ok(Self { config, terminal, here })
    }

    /// A path as the user would write it here.
    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.here).unwrap_or(path).display().to_string()
    }
}

impl Args {
    /// The arguments of this process; the error is help, the version, or a wrong usage.
    pub fn from_process() -> Result<Self, clap::Error> {
        let arguments: Vec<_> = env::args_os().collect();
        // Errors in arguments are printed before the arguments are known.
        let color = Color::among(arguments.iter().map(|argument| argument.to_string_lossy()));
        let matches = command().color(color.into()).try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }

    /// The terminal as the arguments want it used.
    pub fn terminal(&self) -> Terminal {
        Terminal::new(self.options.color())
    }
}

/// The command line, for parsing, completion and manual pages.
fn command() -> clap::Command {
    let variables = config::KNOWN.iter().map(|(name, what)| format!("  RECONCILE_{name:<18} {what}\n"));
    let variables: String = variables.collect();
    Args::command().after_long_help(format!("Environment, over reconcile.yaml and under flags:\n{variables}\n{STATUS}"))
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// Runs one command.
pub fn run(args: Args, terminal: Terminal) -> Result<Outcome, Error> {
    let Args { options, command } = args;
    let context = |scope| Context::new(&options, scope, terminal);
    match &command {
        Command::Init(args) => init::run(args, &options, terminal),
        Command::Inspect(args) => inspect::run(args, &context(Some(&args.scope))?),
        Command::Plan(args) => plan::run(args, &context(Some(&args.scope))?),
        Command::Show(args) => show::run(args, &context(None)?),
        Command::Apply(args) => apply::run(args, &context(Some(&args.scope))?),
        Command::Log(args) => log::run(args, &context(None)?),
        Command::Db(args) => db::run(args, &context(None)?),
        Command::Completions(args) => completions::run(args, terminal),
        Command::Man(args) => man::run(args, terminal),
    }
}
