//! The tables from which a table inherits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object, inherited_not_null, lineage,
    not_null::{self, is_usual},
    stand_in,
};
use crate::{
    catalog::{Alteration, At, Definition, Kept, ObjectId, Shape, Step},
    sql,
};

/// The parents of a table, and what it has from them alone; an object about the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inheritance {
    /// Schema and name of each parent, in order.
    parents: Vec<Vec<String>>,
    /// The columns that the table does not declare itself.
    columns: BTreeSet<String>,
    /// The checks that the table does not declare itself.
    checks: BTreeSet<String>,
    /// The columns that are NOT NULL and of which the table does not declare that itself, but for those of its primary key;
    /// from 18.
    not_nulls: BTreeSet<String>,
    /// Those of its primary key, which declares them unless it was added later.
    key_not_nulls: Kept<BTreeSet<String>>,
    /// The names of the others by their columns, where they are not as usual.
    not_null_names: BTreeMap<String, String>,
}

impl Definition for Inheritance {
    const KEYWORD: &'static str = "INHERITANCE OF";
    const SHAPE: Shape = Shape::About;
    const LINKS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT inhrelid FROM pg_catalog.pg_inherits)";
    const QUERY: &'static str = concat!(
        "SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            json_agg(json_build_array(n.nspname, p.relname) ORDER BY h.inhseqno) AS parents,
            ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attislocal) AS columns,
            ARRAY(SELECT k.conname FROM pg_catalog.pg_constraint k
                WHERE k.conrelid = c.oid AND k.contype = 'c' AND NOT k.conislocal) AS checks,
            m.not_nulls, m.key_not_nulls, m.not_null_names,
            json_agg(json_build_array('pg_catalog.pg_class'::regclass::oid::int8, p.oid::int8, 0)) AS needs
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
            JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace,
            LATERAL (SELECT coalesce(array_agg(a.attname) FILTER (WHERE NOT k.conislocal AND i.indexrelid IS NULL), '{}')
                        AS not_nulls,
                    coalesce(array_agg(a.attname) FILTER (WHERE NOT k.conislocal AND i.indexrelid IS NOT NULL), '{}')
                        AS key_not_nulls,
                    coalesce(jsonb_object_agg(a.attname, k.conname)
                        FILTER (WHERE k.conislocal AND k.coninhcount > 0 AND NOT ",
        is_usual!(),
        "), '{}') AS not_null_names
                FROM pg_catalog.pg_constraint k
                    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
                    LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey)
                WHERE k.conrelid = c.oid AND k.contype = 'n') m
        WHERE NOT c.relispartition AND c.relkind IN ('r', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't'
        GROUP BY c.oid, m.not_nulls, m.key_not_nulls, m.not_null_names"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { parents, columns: _, checks: _, not_nulls: _, key_not_nulls: _, not_null_names: _ } = self;
        let (kept, relation) = (staying(at), &at.id.root().names);
        let new = parents.iter().filter(|parent| !kept.contains(parent)).map(|parent| change(at, "INHERIT", parent));
        let before = match at.current.get(at.id) {
            Some(Object::Inheritance(before)) => Some(&**before),
            _ => None,
        };
        let declared = inherited_not_null::between(at, relation, &kept);
        let released = stand_in::release(at, relation, before, self);
        declared.into_iter().chain(new).chain(released).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { parents, columns: _, checks: _, not_nulls: _, key_not_nulls: _, not_null_names: _ } = to;
        // What the table has from its parents alone comes and goes with those.
        let relation = &at.id.root().names;
        let stays = self.parents == *parents && to.kept(self, relation, at).len() == parents.len();
        if stays { Alteration::InPlace(inherited_not_null::in_place(at, relation)) } else { Alteration::Replace }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let kept = staying(at);
        let gone = self.parents.iter().filter(|parent| !kept.contains(parent));
        let cut = gone.map(|parent| change(at, "NO INHERIT", parent));
        // What has no parents any more may have constraints with the names that those gave them.
        let table = at.id.of.as_deref().filter(|_| !at.desired.contains(at.id));
        let renamed = table.map(|table| not_null::renamed(at, table)).unwrap_or_default();
        stand_in::hold(at, &at.id.root().names, self).into_iter().chain(cut).chain(renamed).collect()
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        inherited_not_null::next(at, &at.id.root().names)
    }

    fn clause(&self, _: &At) -> Option<String> {
        let Self { parents, columns: _, checks: _, not_nulls: _, key_not_nulls: _, not_null_names: _ } = self;
        Some(format!("{INHERITS}{})", sql::join(parents.iter().map(sql::qualified), ", ")))
    }
}

const INHERITS: &str = "INHERITS (";

/// The clauses that stand inside the parentheses of a new table, and the one that says what it inherits, behind them.
pub(super) fn apart(parts: &[String]) -> (Vec<&String>, String) {
    // No column can begin like this: a name in capitals is quoted.
    let (behind, inside): (Vec<&String>, Vec<&String>) = parts.iter().partition(|part| part.starts_with(INHERITS));
    (inside, behind.into_iter().map(|clause| format!(" {clause}")).collect())
}

impl Inheritance {
    /// Schema and name of each parent, in order.
    pub(super) fn parents(&self) -> &[Vec<String>] {
        &self.parents
    }

    /// Whether the table has a column or a check from its parents alone.
    pub(super) fn only_inherits(&self, part: &ObjectId) -> bool {
        let names = if part.kind == Kind::Column { &self.columns } else { &self.checks };
        names.contains(part.name())
    }

    /// The columns that the table does not declare itself.
    pub(super) fn columns(&self) -> &BTreeSet<String> {
        &self.columns
    }

    /// The checks that the table does not declare itself.
    pub(super) fn checks(&self) -> &BTreeSet<String> {
        &self.checks
    }

    /// The columns that are NOT NULL only because those above them are, but for those of the primary key.
    pub(super) fn not_nulls(&self) -> &BTreeSet<String> {
        &self.not_nulls
    }

    /// The names of those that the table declares as well, where they are not as usual.
    pub(super) fn not_null_names(&self) -> &BTreeMap<String, String> {
        &self.not_null_names
    }

    /// Whether a column is one of them.
    pub(super) fn only_inherits_not_null(&self, column: &str) -> bool {
        self.not_nulls.contains(column) || self.key_not_nulls.0.contains(column)
    }

    /// All of them.
    pub(super) fn all_not_nulls(&self) -> impl Iterator<Item = &String> {
        self.not_nulls.iter().chain(&self.key_not_nulls.0)
    }

    /// The parents that can stay in place while the others of `before` go and those that are new come behind them.
    pub(super) fn kept(&self, before: &Self, relation: &[String], at: &At) -> &[Vec<String>] {
        let mut rest = before.parents.iter();
        let stays = |parent: &&Vec<String>| {
            rest.any(|it| it == *parent)
                && !stand_in::is_in_the_way(at, relation, parent, before, self)
                && !inherited_not_null::is_in_the_way(at, relation, parent)
        };
        let kept = self.parents.iter().take_while(stays).count();
        self.parents.get(..kept).unwrap_or_default()
    }
}

/// The parents that stay in place.
fn staying(at: &At) -> Vec<Vec<String>> {
    lineage::persisting(at, &at.id.root().names)
}

fn change(at: &At, action: &str, parent: &[String]) -> Step {
    Step::new(format!("ALTER TABLE {} {action} {}", at.id.root().address(), sql::qualified(parent)))
}
