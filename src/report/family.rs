//! What is told together with what: the parts of a new table with the table, a comment with what it is about.

use std::collections::{BTreeMap, BTreeSet};

use super::address;
use crate::plan::file::{Action, Change, Plan};

/// Which changes are told with another one, and which parts each change has.
pub(super) struct Families<'a> {
    actions: BTreeMap<&'a str, Action>,
    /// Objects that others are parts of, by name.
    alone: BTreeMap<&'a str, &'a str>,
    /// The change with which a change is told.
    above: BTreeMap<&'a str, &'a str>,
    /// What each change has, beside itself: in its own statements, and told with it.
    parts: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Families<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        let objects = || plan.changes.iter().map(|change| change.object.as_str());
        let mut families = Self {
            actions: plan.changes.iter().map(|change| (change.object.as_str(), change.action)).collect(),
            alone: objects().filter(|it| address::stands_alone(it)).map(|it| (address::place(it), it)).collect(),
            above: BTreeMap::new(),
            parts: BTreeMap::new(),
        };
        for change in plan.changes.iter().filter(|change| !plan.summary.losses.contains(&change.object)) {
            if let Some(above) = families.parent(&change.object).filter(|above| families.along(change, above)) {
                families.above.insert(&change.object, above);
            }
        }
        let stated = families.stated(plan);
        for object in objects() {
            let head = families.head(object);
            if head != object && stated.contains(object) {
                families.parts.entry(head).or_default().insert(object);
            }
        }
        families
    }

    /// Gathers what the statements name beside the object that they are about; the objects that have statements.
    fn stated(&mut self, plan: &'a Plan) -> BTreeSet<&'a str> {
        let mut stated = BTreeSet::new();
        for step in &plan.steps {
            stated.extend(step.changes.iter().map(String::as_str));
            for (list, only) in [(&step.creates, None), (&step.destroys, Some(Action::Drop))] {
                let [first, rest @ ..] = list.as_slice() else { continue };
                stated.insert(first);
                // Of what is replaced, the new parts are told.
                if only.is_none() || self.actions.get(first.as_str()).copied() == only {
                    let head = self.head(first);
                    self.parts.entry(head).or_default().extend(rest.iter().map(String::as_str));
                }
            }
        }
        stated
    }

    /// The change of what an object is about, or is a part of.
    fn parent(&self, object: &'a str) -> Option<&'a str> {
        let about = address::about(object).and_then(|about| self.actions.get_key_value(about)).map(|(about, _)| *about);
        about.or_else(|| self.whole(object))
    }

    /// The object in which an object is: its table, view or type.
    fn whole(&self, object: &str) -> Option<&'a str> {
        let place = address::place(object);
        // A column's place is its table's with one more name; no table is told with its schema.
        let table = place.rsplit_once('.').map(|(table, _)| table).filter(|table| table.contains('.'));
        let whole = self.alone.get(place).or_else(|| self.alone.get(table?)).copied();
        whole.filter(|whole| *whole != object)
    }

    /// Whether a change goes without saying when what it belongs to changes as it does.
    fn along(&self, change: &Change, above: &str) -> bool {
        matches!(
            (change.action, self.actions.get(above)),
            (Action::Create, Some(Action::Create))
                | (Action::Drop, Some(Action::Drop))
                | (Action::StepAside, Some(Action::Replace | Action::StepAside))
        )
    }

    /// The change with which an object is told; itself, where it is told for itself.
    pub fn head(&self, object: &'a str) -> &'a str {
        let mut object = object;
        // No chain is longer than a comment on a trigger on a view; a circle ends in any case.
        for _ in 0..8 {
            match self.above.get(object) {
                Some(above) => object = above,
                None => break,
            }
        }
        object
    }

    /// The object on whose account something moves, as it is told: a view for its column.
    pub fn account(&self, object: &'a str) -> &'a str {
        let told = self.actions.contains_key(object);
        let object = if told { object } else { self.whole(object).unwrap_or(object) };
        self.head(object)
    }

    /// What a change has beside itself: `2 columns, 1 comment`; empty where it has nothing.
    pub fn with(&self, object: &str) -> String {
        address::counted(self.parts.get(object).into_iter().flatten().copied())
    }
}
