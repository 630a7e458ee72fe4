//! Enum types.

use serde::{Deserialize, Serialize};

use super::swap;
use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Slot, Space, Step},
    sql,
};

/// An enum type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enum {
    /// In their order.
    labels: Vec<String>,
}

impl Definition for Enum {
    const KEYWORD: &'static str = "TYPE";
    const SWAPS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'e')";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_type'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname] AS names,
            ARRAY(SELECT e.enumlabel FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.typtype = 'e' AND t.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { labels } = self;
        let labels = sql::join(labels.iter().map(|label| sql::literal(label)), ", ");
        vec![Step::new(format!("CREATE {} AS ENUM ({labels})", at.id))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { labels } = to;
        match additions(&self.labels, labels) {
            None => Alteration::Replace,
            Some(additions) => Alteration::InPlace(
                // PostgreSQL refuses the use of a new value before the commit.
                additions.into_iter().map(|it| Step::new(format!("ALTER {} {it}", at.id)).commit_after()).collect(),
            ),
        }
    }

    fn aside(&self, at: &At) -> Vec<Step> {
        swap::aside(at)
    }

    fn finish(&self, at: &At) -> Vec<Step> {
        swap::finish(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Type, id.names.clone())]
    }
}

impl Enum {
    /// The labels, in their order.
    pub(super) fn labels(&self) -> &[String] {
        &self.labels
    }
}

/// The clauses that add what `to` has beyond `from`; `None` where `from` is not all there in the same order.
fn additions(from: &[String], to: &[String]) -> Option<Vec<String>> {
    let mut left = from.iter().peekable();
    let mut additions = Vec::new();
    for (i, label) in to.iter().enumerate() {
        if left.next_if_eq(&label).is_some() {
            continue;
        }
        let place = match (i.checked_sub(1).and_then(|before| to.get(before)), from.first()) {
            (None, Some(first)) => format!(" BEFORE {}", sql::literal(first)),
            (Some(before), _) if left.peek().is_some() => format!(" AFTER {}", sql::literal(before)),
            _ => String::new(),
        };
        additions.push(format!("ADD VALUE {}{place}", sql::literal(label)));
    }
    left.peek().is_none().then_some(additions)
}

#[cfg(test)]
mod tests {
    use super::additions;

    fn added(from: &[&str], to: &[&str]) -> Option<Vec<String>> {
        let owned = |labels: &[&str]| labels.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        additions(&owned(from), &owned(to))
    }

    #[test]
    fn labels_are_added_where_they_stand() {
        let clauses = added(&["b", "d"], &["a", "it's", "b", "c", "d", "e", "f"]);
        let expected = [
            "ADD VALUE 'a' BEFORE 'b'",
            "ADD VALUE 'it''s' AFTER 'a'",
            "ADD VALUE 'c' AFTER 'b'",
            "ADD VALUE 'e'",
            "ADD VALUE 'f'",
        ];
        assert_eq!(clauses, Some(expected.map(str::to_owned).to_vec()));
        assert_eq!(added(&[], &["a"]), Some(vec!["ADD VALUE 'a'".to_owned()]));
    }

    #[test]
    fn labels_are_neither_removed_nor_moved_in_place() {
        assert_eq!(added(&["a", "b"], &["a"]), None);
        assert_eq!(added(&["a", "b"], &["b", "a"]), None);
    }
}
