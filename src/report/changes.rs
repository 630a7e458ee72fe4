//! What changes and why, object by object.

use std::collections::{BTreeMap, BTreeSet};

use super::{Paint, address, diff};
use crate::plan::file::{Action, Change, Plan, Reason, Step};

/// The lines about what changes, without indentation.
pub(super) fn lines(plan: &Plan, paint: Paint) -> Vec<String> {
    let folded = folded(plan);
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| (address::place(&change.object), &change.object));
    let moves = |change: &&Change| matches!(change.action, Action::StepAside | Action::Follow);
    let mut lines = Vec::new();
    for change in changes.iter().filter(|change| !moves(change)) {
        lines.extend(one(change, &folded, plan, paint));
    }
    lines.extend(moved(changes.into_iter().filter(|change| moves(change)), paint));
    lines
}

/// What is created or dropped in one statement with another object, by that object.
fn folded(plan: &Plan) -> BTreeMap<&str, Vec<&String>> {
    let mut folded: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for step in &plan.steps {
        for list in [&step.creates, &step.destroys] {
            if let [first, rest @ ..] = list.as_slice()
                && !rest.is_empty()
            {
                // One object may take several statements, each of which names all that is in the first.
                folded.entry(first).or_insert_with(|| rest.iter().collect());
            }
        }
    }
    folded
}

fn about(step: &Step, object: &String) -> bool {
    [&step.creates, &step.changes].iter().any(|list| list.first() == Some(object))
}

fn one(change: &Change, folded: &BTreeMap<&str, Vec<&String>>, plan: &Plan, paint: Paint) -> Vec<String> {
    let Change { object, action, reasons, source } = change;
    let lost = plan.summary.losses.contains(object);
    let mut head = match action {
        Action::Create => paint.green(format!("+ {object}")),
        Action::Alter => paint.yellow(format!("~ {object}")),
        Action::Replace => paint.yellow(format!("± {object}")),
        Action::Drop if lost => paint.alarm(format!("- {object}")),
        Action::Drop => paint.red(format!("- {object}")),
        Action::StepAside | Action::Follow => paint.cyan(format!("↷ {object}")),
    };
    let mut notes = Vec::new();
    if let Some(parts) = folded.get(object.as_str()) {
        notes.push(format!("with {}", address::counted(parts.iter().copied())));
    }
    if *action == Action::Replace {
        notes.push("dropped and created".to_owned());
    }
    let asked = || plan.steps.iter().filter(|step| about(step, object)).find_map(|step| step.source.clone());
    notes.extend(source.clone().or_else(asked));
    if !notes.is_empty() {
        head.push_str(&paint.dim(format!("  {}", notes.join(" · "))));
    }
    let mut lines = vec![head];
    for reason in reasons {
        let more = match reason {
            Reason::Field { name, before, after } => diff::field(name, before, after, paint),
            Reason::Because(other) => vec![format!("because {other} changes")],
        };
        lines.extend(more.into_iter().map(|line| format!("    {line}")));
    }
    lines
}

/// What moves because something else does, gathered by what that is.
fn moved<'a>(changes: impl Iterator<Item = &'a Change>, paint: Paint) -> Vec<String> {
    let mut groups: BTreeMap<(Action, &str), BTreeSet<&str>> = BTreeMap::new();
    for change in changes {
        let because = change.reasons.iter().find_map(|reason| match reason {
            Reason::Because(other) => Some(other.as_str()),
            Reason::Field { .. } => None,
        });
        groups.entry((change.action, because.unwrap_or_default())).or_default().insert(&change.object);
    }
    let mut lines = Vec::new();
    for ((action, because), objects) in groups {
        let what = if action == Action::Follow { "moves over, rows included" } else { "steps aside and comes back" };
        let why = if because.is_empty() { String::new() } else { format!(", because {because} changes") };
        for object in objects {
            lines.push(format!("{}{}", paint.cyan(format!("↷ {object}")), paint.dim(format!("  {what}{why}"))));
        }
    }
    lines
}

/// The objects whose change is shown as a diff.
pub(super) fn shown_as_diff(plan: &Plan) -> BTreeSet<&str> {
    let long = |reason: &Reason| {
        matches!(reason, Reason::Field { before, after, .. }
        if [before, after].iter().all(|value| value.as_str().is_some_and(|text| text.contains('\n'))))
    };
    let changes = plan.changes.iter().filter(|change| change.reasons.iter().any(long));
    changes.map(|change| change.object.as_str()).collect()
}
