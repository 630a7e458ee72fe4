//! What changes and why, object by object.

use std::collections::BTreeSet;

use super::{Paint, address, diff, family::Families};
use crate::plan::file::{Action, Change, Plan, Reason, Step};

/// The lines about what changes, without indentation.
pub(super) fn lines(plan: &Plan, paint: Paint) -> Vec<String> {
    let families = Families::new(plan);
    let told = |change: &&Change| families.head(&change.object) == change.object;
    let mut changes: Vec<&Change> = plan.changes.iter().filter(told).collect();
    changes.sort_by_key(|change| (address::place(&change.object), &change.object));
    let moves = |change: &&Change| matches!(change.action, Action::StepAside | Action::Follow);
    let (moved, changed): (Vec<&Change>, Vec<&Change>) = changes.into_iter().partition(moves);
    let changed = changed.into_iter().flat_map(|change| one(change, &families, plan, paint));
    let moved = moved.into_iter().map(|change| moving(change, &families, paint));
    changed.chain(moved).collect()
}

fn about(step: &Step, object: &String) -> bool {
    [&step.creates, &step.changes].iter().any(|list| list.first() == Some(object))
}

fn one(change: &Change, families: &Families, plan: &Plan, paint: Paint) -> Vec<String> {
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
    let with = families.with(object);
    if !with.is_empty() {
        notes.push(format!("with {with}"));
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
            Reason::Because(other) => vec![format!("because {} changes", families.account(other))],
        };
        lines.extend(more.into_iter().map(|line| format!("    {line}")));
    }
    lines
}

/// The line about what moves because something else does.
fn moving(change: &Change, families: &Families, paint: Paint) -> String {
    let because = change.reasons.iter().find_map(|reason| match reason {
        Reason::Because(other) => Some(families.account(other)),
        Reason::Field { .. } => None,
    });
    let with = families.with(&change.object);
    let with = if with.is_empty() { with } else { format!("with {with} · ") };
    let what = if change.action == Action::Follow { "moves over, rows included" } else { "steps aside and comes back" };
    let why = because.map(|other| format!(", because {other} changes")).unwrap_or_default();
    format!("{}{}", paint.cyan(format!("↷ {}", change.object)), paint.dim(format!("  {with}{what}{why}")))
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
