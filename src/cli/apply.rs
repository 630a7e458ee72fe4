//! `reconcile apply`: executes a plan and records the revision.

use std::{collections::BTreeSet, path::PathBuf};

use super::{
    Context, Outcome, STATUS,
    options::Scope,
    pipeline::{self, Place, Wish},
    progress, show,
};
use crate::{apply, config::Variables, error::Error, plan::file::Plan, report};

/// Apply a plan: show it, ask, execute it, read back, record the revision
///
/// Without a file, the change is planned first. The plan is refused where the database is not in the state that the plan was
/// made from, and where it loses data that --allow-loss does not name. An apply that was interrupted is finished by
/// applying the same plan again.
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// The plan: a file, the revision of one in the plans folder, or `-` for standard input
    #[arg(value_name = "PLAN.json")]
    plan: Option<PathBuf>,
    /// Apply without asking
    #[arg(short, long)]
    yes: bool,
    /// Accept this loss of data, as the plan names it (`TABLE app.old`), or `all`; may be given several times
    #[arg(long, value_name = "WHAT")]
    allow_loss: Vec<String>,
    /// Without a file: what the change is for
    #[arg(short, long, value_name = "MESSAGE", conflicts_with = "plan")]
    message: Option<String>,
    #[command(flatten)]
    pub scope: Scope,
    /// Without a file: do not execute the plan on a copy first
    #[arg(long, conflicts_with = "plan")]
    no_proof: bool,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let terminal = context.terminal;
    if !args.yes && !terminal.interactive {
        let error = Error::refused("nobody can be asked whether to apply: this is not a terminal");
        return Err(error.hint("--yes applies without asking; `reconcile plan` only shows what there is to do"));
    }
    let read = args.plan.as_ref().map(|plan| show::read(plan, context)).transpose()?;
    let place = pipeline::place(context)?;
    let plan = match read {
        Some(plan) => plan,
        None => {
            let wish = Wish { message: args.message.as_deref(), prove: !args.no_proof };
            pipeline::plan(context, &place, &wish)?
        }
    };
    terminal.print(&report::human(&plan, terminal.out_color))?;
    let allowed = losses(args, &plan, context)?;
    if !plan.is_empty() && !args.yes && !agreed(&plan, context) {
        terminal.print("Nothing was applied\n")?;
        return Ok(Outcome::Done);
    }
    execute(&plan, &place, allowed, context)?;
    Ok(Outcome::Done)
}

/// The losses that are allowed; an error where the plan has others, before anybody is asked.
fn losses(args: &Args, plan: &Plan, context: &Context) -> Result<BTreeSet<String>, Error> {
    let allowed: BTreeSet<String> = args.allow_loss.iter().cloned().collect();
    let losses = &plan.summary.losses;
    for unknown in allowed.iter().filter(|what| *what != "all" && !losses.contains(*what)) {
        context.terminal.warn(&format!("--allow-loss: the plan loses no {unknown}"));
    }
    let refused: BTreeSet<String> = losses - &allowed;
    if refused.is_empty() || allowed.contains("all") { Ok(allowed) } else { Err(apply::Error::Loss(refused).into()) }
}

fn agreed(plan: &Plan, context: &Context) -> bool {
    let color = context.terminal.err_color;
    let summary = report::summary(&plan.summary, color);
    let losses = report::losses(plan, color);
    let database = &plan.target.database;
    context.terminal.confirm(&format!("{losses}\n{summary}\nApply this to {database}?"))
}

fn execute(plan: &Plan, place: &Place, allowed: BTreeSet<String>, context: &Context) -> Result<(), Error> {
    let options = apply::Options {
        allow_loss: allowed,
        lock_timeout: context.config.timeouts.lock,
        statement_timeout: context.config.timeouts.statement,
        variables: Variables::of_process().all(),
        ..apply::Options::default()
    };
    let mut progress = progress::of(context.terminal);
    let outcome = apply::apply(&place.target, plan, &options, progress.as_mut());
    drop(progress);
    let text = match outcome? {
        apply::Outcome::Nothing => String::new(),
        apply::Outcome::AlreadyApplied(revision) => {
            let when = revision.finished.as_deref().unwrap_or(&revision.started);
            format!("Revision {} has been applied already, at {when}\n", revision.id)
        }
        apply::Outcome::Applied(apply::Applied { revision, steps, resumed, elapsed, notices }) => {
            for notice in notices {
                context.terminal.warn(&notice.to_string());
            }
            let before = if resumed == 0 { String::new() } else { format!(", after {resumed} of an earlier attempt") };
            let statements = report::plural(steps, "statement");
            format!("Applied revision {revision}: {statements} in {:.2} s{before}\n", elapsed.as_secs_f64())
        }
    };
    context.terminal.print(&text)
}
