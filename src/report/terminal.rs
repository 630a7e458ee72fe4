//! A plan on a terminal: the summary, what is lost, what changes and why, the locks, the statements, the proof.

use super::{Paint, address::plural, changes, locks, steps};
use crate::plan::file::{Plan, Summary};

/// A plan for people.
pub fn human(plan: &Plan, color: bool) -> String {
    let paint = Paint(color);
    let mut out = String::new();
    if plan.is_empty() {
        let compared = plural(plan.desired.objects.len(), "object");
        let paths = crate::sql::join(&plan.source.paths, ", ");
        out.push_str(&format!("Nothing to do: {} is as {paths} says ({compared})\n", plan.target.database));
    } else {
        out.push_str(&heading(plan, paint));
        out.push_str(&format!("\n{}\n", summary(&plan.summary, color)));
        out.push_str(&losses(plan, color));
        section(&mut out, &paint.bold("Changes"), changes::lines(plan, paint));
        let title = format!(
            "{}  {}",
            paint.bold("Locks"),
            paint.dim("observed on a copy; the sizes of tables decide for how long")
        );
        section(&mut out, &title, locks::lines(plan, paint));
        let title = format!("{}  {}", paint.bold("Statements"), paint.dim(steps::overview(plan)));
        section(&mut out, &title, steps::lines(plan, paint));
        out.push('\n');
        out.push_str(&proof(plan, paint));
    }
    if plan.summary.unmanaged > 0 {
        let objects = plural(plan.summary.unmanaged, "object");
        out.push_str(&paint.dim(format!("{objects} outside the managed scope: neither compared nor changed")));
        out.push('\n');
    }
    out
}

/// The counts of a plan: `+ 3 create  ~ 2 change  - 1 drop`.
pub fn summary(summary: &Summary, color: bool) -> String {
    let paint = Paint(color);
    let Summary { create, change, drop, .. } = summary;
    let part = |count: usize, text: String, painted: fn(Paint, String) -> String| {
        if count == 0 { paint.dim(text) } else { painted(paint, text) }
    };
    [
        part(*create, format!("+ {create} create"), Paint::green),
        part(*change, format!("~ {change} change"), Paint::yellow),
        part(*drop, format!("- {drop} drop"), Paint::red),
    ]
    .join("  ")
}

/// What a plan loses, with the flags that allow it; empty where it loses nothing.
pub fn losses(plan: &Plan, color: bool) -> String {
    let paint = Paint(color);
    let losses = &plan.summary.losses;
    let width = losses.iter().map(|loss| loss.chars().count()).max().unwrap_or_default();
    let lines = losses.iter().map(|loss| {
        let gap = " ".repeat(width - loss.chars().count());
        format!("{}{gap}  {}", paint.alarm(format!("- {loss}")), paint.dim(format!("--allow-loss {}", quoted(loss))))
    });
    let title =
        format!("{}  {}", paint.alarm("Data is lost"), paint.dim("apply refuses it unless each loss is allowed"));
    let mut out = String::new();
    section(&mut out, &title, lines.collect());
    out
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A title with indented lines, where there are any.
fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        out.push_str(&format!("\n{title}\n"));
        for line in lines {
            out.push_str(format!("  {line}").trim_end());
            out.push('\n');
        }
    }
}

fn heading(plan: &Plan, paint: Paint) -> String {
    let paths = crate::sql::join(&plan.source.paths, ", ");
    let commit = plan.source.commit.as_deref().and_then(|commit| commit.get(..12));
    let commit = commit.map(|commit| format!(" at {commit}")).unwrap_or_default();
    let after = plan.parent.as_ref().map(|parent| format!(", after revision {parent}")).unwrap_or_default();
    let message = plan.message.as_ref().map(|message| format!("  {message}\n")).unwrap_or_default();
    let to = format!("{paths}{commit} → {} on PostgreSQL {}{after}", plan.target.database, plan.target.major);
    format!("{}  {}\n{message}", paint.bold(format!("Plan {}", plan.revision)), paint.dim(to))
}

fn proof(plan: &Plan, paint: Paint) -> String {
    let proof = &plan.proof;
    if !proof.proved {
        return format!("{}\n", paint.alarm("Not proved: made with --no-proof, never executed on a copy"));
    }
    let server = proof.server.as_deref().unwrap_or("a copy");
    let kept = proof.rows.iter().filter(|(table, _)| !plan.summary.losses.contains(&format!("TABLE {table}")));
    let (tables, rows) = kept.fold((0, 0), |(tables, sum), (_, rows)| (tables + 1, sum + rows));
    let kept = match rows {
        0 => String::new(),
        _ => format!("; {rows} rows in {} survived", plural(tables, "table")),
    };
    let mut out = paint.green(format!("Proved on {server}: the copy became what is desired{kept}"));
    out.push('\n');
    for line in without_rows(plan) {
        out.push_str(&format!("  {}\n", paint.yellow(line)));
    }
    out
}

/// The tables that had no rows on the copy: the reasons, and in one line the tables that only refer to such tables.
fn without_rows(plan: &Plan) -> Vec<String> {
    let tables = &plan.proof.without_rows;
    let names = |why: &str| {
        let words = why.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')'));
        words.into_iter().any(|word| tables.contains_key(word))
    };
    let (follow, lead): (Vec<_>, Vec<_>) = tables.iter().partition(|(_, why)| names(why));
    let mut lines: Vec<String> =
        lead.into_iter().map(|(table, why)| format!("without rows: {table} ({why})")).collect();
    if !follow.is_empty() {
        let tables = crate::sql::join(follow.into_iter().map(|(table, _)| table), ", ");
        lines.push(format!("and so, because they refer to tables without rows: {tables}"));
    }
    lines
}
