//! `reconcile show`: a plan for people, as SQL or as JSON.

use std::{fs, io, path::PathBuf};

use clap::ValueEnum;

use super::{Context, Outcome, STATUS};
use crate::{error::Error, plan::file::Plan, report};

/// Show a plan: what changes and why, hazards, locks, and the SQL
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// The plan: a file, the revision of one in the plans folder, or `-` for standard input
    #[arg(value_name = "PLAN.json")]
    plan: PathBuf,
    /// As text for people, as an SQL script, or as the file itself
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: Format,
}

/// How a plan is shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Human,
    Sql,
    Json,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let plan = read(&args.plan, context)?;
    context.terminal.print(&match args.format {
        Format::Human => report::human(&plan, context.terminal.out_color),
        Format::Sql => report::sql(&plan),
        Format::Json => plan.to_json(),
    })?;
    Ok(Outcome::Done)
}

/// Reads a plan from a file, by its revision, or from standard input.
pub fn read(plan: &PathBuf, context: &Context) -> Result<Plan, Error> {
    let text = if plan.as_os_str() == "-" {
        io::read_to_string(io::stdin()).map_err(|why| Error::file("cannot read", plan, &why))?
    } else {
        let revision = context.config.plans.join(format!("{}.json", plan.display()));
        let path = if !plan.exists() && revision.exists() { &revision } else { plan };
        fs::read_to_string(path).map_err(|why| {
            Error::file("cannot read the plan", path, &why).hint("`reconcile plan` writes plans and says where")
        })?
    };
    Ok(Plan::from_json(&text)?)
}
