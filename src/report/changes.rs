//! What changes and why, object by object.

use std::collections::{BTreeMap, BTreeSet};

use super::{Paint, address, diff};
use crate::plan::file::{Action, Change, Plan, Reason, Step};

/// The lines about what changes, without indentation.
pub(super) fn lines(plan: &Plan, paint: Paint) -> Vec<String> {
    let folded = Folded::new(plan);
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| (address::place(&change.object), &change.object));
    let moves = |change: &&Change| matches!(change.action, Action::StepAside | Action::Follow);
    let mut lines = Vec::new();
    for change in changes.iter().filter(|change| !moves(change) && !folded.hidden.contains(change.object.as_str())) {
        lines.extend(one(change, &folded, plan, paint));
    }
    lines.extend(moved(
        changes.into_iter().filter(|change| moves(change) && !folded.hidden.contains(change.object.as_str())),
        paint,
    ));
    lines
}

/// What is created or dropped together with another object, by that object; what PostgreSQL does by itself, such as
/// making the creator the owner, is among it without a statement.
#[derive(Default)]
struct Folded<'a> {
    /// What has a statement, or a part in one.
    parts: BTreeMap<&'a str, BTreeSet<&'a String>>,
    /// Everything that is not shown on a line of its own.
    hidden: BTreeSet<&'a str>,
}

impl<'a> Folded<'a> {
    fn new(plan: &'a Plan) -> Self {
        let mut folded = Self::default();
        let mut stated: BTreeSet<&str> = BTreeSet::new();
        let actions: BTreeMap<&str, Action> =
            plan.changes.iter().map(|change| (change.object.as_str(), change.action)).collect();
        for step in &plan.steps {
            for (list, only) in [(&step.creates, None), (&step.destroys, Some(Action::Drop))] {
                if let [first, rest @ ..] = list.as_slice() {
                    stated.insert(first);
                    // Of what is replaced, the new parts are told.
                    if only.is_none() || actions.get(first.as_str()).copied() == only {
                        folded.parts.entry(first).or_default().extend(rest);
                    }
                }
            }
            stated.extend(step.changes.iter().map(String::as_str));
        }
        // What steps aside within the statements of another object is told with that one.
        let aside = plan.changes.iter().filter(|change| change.action == Action::StepAside);
        folded.hidden.extend(aside.map(|change| change.object.as_str()).filter(|object| !stated.contains(object)));
        for action in [Action::Create, Action::Drop] {
            let changes: Vec<&Change> = plan.changes.iter().filter(|change| change.action == action).collect();
            let whole = |change: &&&Change| address::stands_alone(&change.object);
            let owners: BTreeMap<&str, &str> = changes
                .iter()
                .filter(whole)
                .map(|change| (address::place(&change.object), change.object.as_str()))
                .collect();
            for change in changes.iter().filter(|change| !plan.summary.losses.contains(&change.object)) {
                let place = address::place(&change.object);
                // A column's place is its table's with one more name; no table is folded into its schema.
                let above = place.rsplit_once('.').map(|(above, _)| above).filter(|above| above.contains('.'));
                let owner = owners.get(place).or_else(|| owners.get(above?)).filter(|owner| **owner != change.object);
                if let Some(owner) = owner {
                    folded.hidden.insert(&change.object);
                    if stated.contains(change.object.as_str()) {
                        folded.parts.entry(owner).or_default().insert(&change.object);
                    }
                }
            }
        }
        folded
    }
}

fn about(step: &Step, object: &String) -> bool {
    [&step.creates, &step.changes].iter().any(|list| list.first() == Some(object))
}

fn one(change: &Change, folded: &Folded, plan: &Plan, paint: Paint) -> Vec<String> {
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
    let parts = folded.parts.get(object.as_str()).map(|parts| address::counted(parts.iter().copied()));
    notes.extend(parts.filter(|parts| !parts.is_empty()).map(|parts| format!("with {parts}")));
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
