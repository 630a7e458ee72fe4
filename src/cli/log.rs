//! `reconcile log`: the revisions of a database.

use clap::ValueEnum;

use super::{Context, Outcome, STATUS, pipeline};
use crate::{
    engine::{Embedded, Status},
    error::{Error, ErrorKind},
    history::{self, Entry, Ledger, Revision},
    report::{self, Paint, Table},
};

/// Show the revisions that were applied to the database, or one of them with its statements
#[derive(Debug, clap::Args)]
#[command(after_help = STATUS)]
pub struct Args {
    /// The first digits of a revision
    #[arg(value_name = "REV")]
    revision: Option<String>,
    /// As a table for people, or as JSON
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: Format,
}

/// How revisions are shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
}

pub fn run(args: &Args, context: &Context) -> Result<Outcome, Error> {
    let paint = Paint(context.terminal.out_color);
    let ledger = Ledger::new(&context.config.ledger);
    let text = match &args.revision {
        None => {
            let revisions = if untouched(context)? { Vec::new() } else { list(&ledger, context)? };
            match args.format {
                Format::Table => table(&revisions, paint),
                Format::Json => json(&revisions)?,
            }
        }
        Some(revision) if untouched(context)? => return Err(history::Error::Unknown(revision.clone()).into()),
        Some(revision) => {
            let place = pipeline::place(context)?;
            let entry = ledger.get(&mut place.target.connect()?, revision)?;
            match args.format {
                Format::Table => one(&entry, paint),
                Format::Json => json(&entry)?,
            }
        }
    };
    context.terminal.print(&text)?;
    Ok(Outcome::Done)
}

fn list(ledger: &Ledger, context: &Context) -> Result<Vec<Revision>, Error> {
    let place = pipeline::place(context)?;
    Ok(ledger.list(&mut place.target.connect()?)?)
}

/// Whether the project has its own server and has never used it: to look into it, it would have to be made.
fn untouched(context: &Context) -> Result<bool, Error> {
    if pipeline::configured(&context.config)?.is_some() {
        return Ok(false);
    }
    let status = Embedded::status(&context.config.root, &pipeline::settings(&context.config)?)?;
    Ok(matches!(status, Status::Absent))
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    let text = serde_json::to_string_pretty(value).map_err(|why| Error::new(ErrorKind::Bug, why))?;
    Ok(text + "\n")
}

fn table(revisions: &[Revision], paint: Paint) -> String {
    let mut table = Table::new(["revision", "started", "took", "outcome", "who", "message"], paint);
    for revision in revisions {
        table.row([
            revision.id.as_str(),
            &minute(&revision.started),
            &took(revision.duration_ms),
            &outcome(revision),
            &format!("{}@{}", revision.who, revision.host),
            revision.message.as_deref().and_then(|text| text.lines().next()).unwrap_or_default(),
        ]);
    }
    match table.lines() {
        lines if lines.is_empty() => "No revision is recorded\n".to_owned(),
        lines => crate::sql::join(lines, "\n") + "\n",
    }
}

fn one(entry: &Entry, paint: Paint) -> String {
    let Entry { revision, steps, plan } = entry;
    let mut out = format!("{}  {}\n", paint.bold(format!("Revision {}", revision.id)), outcome(revision));
    let mut say = |label: &str, text: &str| out.push_str(&format!("  {}  {text}\n", paint.dim(format!("{label:<8}"))));
    revision.message.iter().flat_map(|text| text.lines()).for_each(|line| say("message", line));
    say("parent", revision.parent.as_deref().unwrap_or("none"));
    let login =
        if revision.login == revision.who { String::new() } else { format!(" (logged in as {})", revision.login) };
    say("who", &format!("{}@{}{login}, reconcile {}", revision.who, revision.host, revision.program_version));
    say("started", &revision.started);
    let attempts = if revision.attempts > 1 { format!(", in {} attempts", revision.attempts) } else { String::new() };
    say("took", &format!("{}{attempts}", took(revision.duration_ms)));
    say("plan", &format!("{}  {}", report::summary(&plan.summary, paint.0), revision.plan_id.short()));
    plan.summary.losses.iter().for_each(|loss| say("lost", &paint.alarm(loss)));
    revision.error.iter().flat_map(|text| text.lines()).for_each(|line| say("error", &paint.red(line)));
    out.push('\n');
    for step in steps {
        let again = if step.attempt > 1 { format!(" (attempt {})", step.attempt) } else { String::new() };
        let took = step.duration_ms.map_or_else(|| step.outcome.name().to_owned(), took);
        let head = format!("{}. {took}{again}", step.number);
        out.push_str(&format!("  {}\n", paint.dim(head)));
        step.statement.lines().for_each(|line| out.push_str(&format!("    {line}\n")));
        if let Some(error) = &step.error {
            let code = step.sqlstate.as_ref().map(|code| format!(" (SQLSTATE {code})")).unwrap_or_default();
            out.push_str(&format!("    {}\n", paint.red(format!("{error}{code}"))));
        }
    }
    out
}

fn outcome(revision: &Revision) -> String {
    let Revision { outcome, groups_done, groups, .. } = revision;
    let of = if groups_done < groups { format!(" ({groups_done} of {groups} parts)") } else { String::new() };
    format!("{}{of}", outcome.name())
}

/// A time in UTC to the minute: `2024-05-01 12:00`.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn took(millis: i64) -> String {
    if millis < 1000 { format!("{millis} ms") } else { format!("{}.{} s", millis / 1000, millis % 1000 / 100) }
}
