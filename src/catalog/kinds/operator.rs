//! Operators.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Kind, Object, ObjectId, Step},
    sql,
};

/// An operator; one that others name but nobody has defined yet is left to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    function: String,
    left: Option<String>,
    right: Option<String>,
    commutator: Option<Reference>,
    negator: Option<Reference>,
    /// Estimates how many rows a restriction leaves.
    restrict: Option<String>,
    /// Estimates how many rows a join gives.
    join: Option<String>,
    hashes: bool,
    merges: bool,
}

/// Another operator: its schema and name, and the types of its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    names: Vec<String>,
    args: Vec<String>,
}

impl Reference {
    fn spelled(&self) -> String {
        let Self { names, args: _ } = self;
        format!("OPERATOR({})", name(names))
    }

    /// Whether the other operator names the one at hand as its own partner.
    fn points_back(&self, at: &At) -> bool {
        let is_this = |it: &Option<Reference>| it.as_ref().is_some_and(|it| it.id() == *at.id);
        match at.desired.get(&self.id()) {
            Some(Object::Operator(other)) => is_this(&other.commutator) || is_this(&other.negator),
            _ => false,
        }
    }

    fn id(&self) -> ObjectId {
        let Self { names, args } = self;
        ObjectId { kind: Kind::Operator, names: names.clone().into(), args: args.clone().into(), of: None }
    }
}

impl Definition for Operator {
    const KEYWORD: &'static str = "OPERATOR";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_operator WHERE oid >= 16384)";
    /// A partner that does not point back was created after the operator that names it, and has to be again: `needs`.
    const QUERY: &'static str = "
        SELECT o.tableoid AS classid, o.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, o.oprname] AS names,
            ARRAY[CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(o.oprleft, NULL) END,
                pg_catalog.format_type(o.oprright, NULL)] AS args,
            o.oprcode::text AS function, CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left,
            CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right,
            (SELECT pg_catalog.json_build_object('names', ARRAY[m.nspname, c.oprname],
                'args', ARRAY[pg_catalog.format_type(c.oprleft, NULL), pg_catalog.format_type(c.oprright, NULL)])
                FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_namespace m ON m.oid = c.oprnamespace
                WHERE c.oid = o.oprcom) AS commutator,
            (SELECT pg_catalog.json_build_object('names', ARRAY[m.nspname, c.oprname],
                'args', ARRAY[CASE WHEN c.oprleft = 0 THEN 'NONE' ELSE pg_catalog.format_type(c.oprleft, NULL) END,
                    pg_catalog.format_type(c.oprright, NULL)])
                FROM pg_catalog.pg_operator c JOIN pg_catalog.pg_namespace m ON m.oid = c.oprnamespace
                WHERE c.oid = o.oprnegate) AS negator,
            CASE WHEN o.oprrest <> 0 THEN o.oprrest::text END AS restrict,
            CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::text END AS join,
            o.oprcanhash AS hashes, o.oprcanmerge AS merges,
            ARRAY(SELECT ARRAY[c.tableoid::int8, c.oid::int8, 0] FROM pg_catalog.pg_operator c
                WHERE c.oid <> o.oid AND (c.oprcom = o.oid AND o.oprcom = 0 OR c.oprnegate = o.oid AND o.oprnegate = 0))
                AS needs
        FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
        WHERE o.oid >= 16384 AND o.oprcode <> 0";

    fn address(id: &ObjectId) -> String {
        format!("{} ({})", name(&id.names), sql::join(&id.args, ", "))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { function, left, right, commutator, negator, restrict, join, hashes, merges } = self;
        let clauses = [
            Some(format!("FUNCTION = {function}")),
            left.as_ref().map(|name| format!("LEFTARG = {name}")),
            right.as_ref().map(|name| format!("RIGHTARG = {name}")),
            commutator.as_ref().map(|it| format!("COMMUTATOR = {}", it.spelled())),
            negator.as_ref().map(|it| format!("NEGATOR = {}", it.spelled())),
            restrict.as_ref().map(|name| format!("RESTRICT = {name}")),
            join.as_ref().map(|name| format!("JOIN = {name}")),
            hashes.then(|| "HASHES".to_owned()),
            merges.then(|| "MERGES".to_owned()),
        ];
        let clauses = sql::join(clauses.into_iter().flatten(), ", ");
        vec![Step::new(format!("CREATE OPERATOR {} ({clauses})", name(&at.id.names)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { function, left: _, right: _, commutator, negator, restrict, join, hashes, merges } = to;
        let partners = [("COMMUTATOR", &self.commutator, commutator), ("NEGATOR", &self.negator, negator)];
        let mut clauses = Vec::new();
        let mut fixed = self.function != *function;
        for (word, before, after) in partners.into_iter().filter(|(_, before, after)| before != after) {
            match (before, after) {
                // PostgreSQL cuts the link when the other operator is dropped, and ties it when that is created.
                (Some(before), None) if !at.desired.contains(&before.id()) => {}
                (None, Some(after)) if !at.current.contains(&after.id()) && after.points_back(at) => {}
                (None, Some(after)) if !at.current.contains(&after.id()) && after.id() != *at.id => fixed = true,
                (None, Some(after)) => clauses.push((17, format!("{word} = {}", after.spelled()))),
                _ => fixed = true,
            }
        }
        for (word, before, after) in [("HASHES", self.hashes, *hashes), ("MERGES", self.merges, *merges)] {
            match (before, after) {
                (false, true) => clauses.push((17, word.to_owned())),
                (true, false) => fixed = true,
                _ => {}
            }
        }
        for (word, before, after) in [("RESTRICT", &self.restrict, restrict), ("JOIN", &self.join, join)] {
            if before != after {
                clauses.push((14, format!("{word} = {}", after.as_deref().unwrap_or("NONE"))));
            }
        }
        if fixed || clauses.iter().any(|(since, _)| at.desired.server.major < *since) {
            return Alteration::Replace;
        }
        let clauses: Vec<String> = clauses.into_iter().map(|(_, clause)| clause).collect();
        let step = || Step::new(format!("ALTER {} SET ({})", at.id, sql::join(&clauses, ", ")));
        Alteration::InPlace(if clauses.is_empty() { Vec::new() } else { vec![step()] })
    }
}

/// An operator's name is never quoted; its schema may be.
fn name(names: &[String]) -> String {
    match names {
        [schema, name] => format!("{}.{name}", sql::ident(schema)),
        _ => sql::join(names, "."),
    }
}
