//! The statements, in order, with the transactions around them.

use super::{Paint, address::plural, changes, diff};
use crate::{
    catalog::Hazard,
    plan::file::{Group, Plan, Step},
};

/// The most lines of a statement that is shown nowhere else.
const LONG: usize = 30;
/// The most lines of a statement whose difference is shown above.
const SEEN: usize = 1;

/// How the statements are committed, in words.
pub(super) fn overview(plan: &Plan) -> String {
    let steps = plural(plan.steps.len(), "statement");
    let alone = plan.groups.iter().filter(|group| !group.transaction).count();
    let transactions = plan.groups.len() - alone;
    match (transactions, alone) {
        (1, 0) => format!("{steps} in one transaction"),
        (_, 0) => format!("{steps} in {}", plural(transactions, "transaction")),
        _ => format!("{steps} in {}, {alone} outside", plural(transactions, "transaction")),
    }
}

/// The lines of all statements, without indentation.
pub(super) fn lines(plan: &Plan, paint: Paint) -> Vec<String> {
    let seen = changes::shown_as_diff(plan);
    let width = plan.steps.len().to_string().len();
    let mut lines = Vec::new();
    for Group { first, count, transaction } in &plan.groups {
        let (open, side, close) = if *transaction { ("┌ begin", "│", "└ commit") } else { ("", " ", "") };
        if *transaction {
            lines.push(paint.dim(open));
        }
        for (index, step) in plan.steps.iter().enumerate().skip(*first).take(*count) {
            let about = [&step.creates, &step.changes];
            let shown = about.into_iter().flatten().any(|object| seen.contains(object.as_str()));
            let number = format!("{:>width$}", index + 1);
            for (at, line) in statement(step, shown, paint).into_iter().enumerate() {
                let number = if at == 0 { number.clone() } else { " ".repeat(width) };
                lines.push(format!("{} {} {line}", paint.dim(side), paint.dim(number)).trim_end().to_owned());
            }
        }
        if *transaction {
            lines.push(paint.dim(close));
        }
    }
    lines
}

fn statement(step: &Step, shown: bool, paint: Paint) -> Vec<String> {
    let (limit, hint) = if shown { (SEEN, ", as above") } else { (LONG, diff::COMPLETE) };
    let sql = step.sql.lines().map(|line| line.trim_end().to_owned()).collect();
    let mut lines = diff::folded(sql, limit, hint, paint);
    lines.extend(notes(step, paint).into_iter().map(|note| format!("  {note}")));
    lines
}

/// What people should know about a step.
fn notes(step: &Step, paint: Paint) -> Vec<String> {
    let mut notes: Vec<String> = step
        .hazards
        .iter()
        .map(|hazard| match hazard {
            Hazard::Loss { what } => paint.alarm(format!("! loses the data of {what}")),
            Hazard::MayFail { why } => paint.yellow(format!("! may fail: {why}")),
            Hazard::Behaviour { why } => paint.yellow(format!("! {why}")),
        })
        .collect();
    notes.extend(step.guards.iter().map(|guard| paint.cyan(format!("? checked first: {}", guard.requires))));
    let cost = |verb: &str, relations: &std::collections::BTreeSet<String>| {
        (!relations.is_empty()).then(|| paint.yellow(format!("! {verb} {}", crate::sql::join(relations, ", "))))
    };
    notes.extend(cost("rewrites", &step.observed.rewrites));
    let read = &step.observed.scans - &step.observed.rewrites;
    notes.extend(cost("reads all of", &read));
    notes
}
