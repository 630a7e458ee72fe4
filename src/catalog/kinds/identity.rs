//! Identity columns: what `GENERATED … AS IDENTITY` says, and the sequence that counts for it.

use serde::{Deserialize, Serialize};

use super::{
    Object,
    sequence::{Options, OptionsChange},
    swap,
};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Kind, ObjectId, Shape, Slot, Space, Step, Tie},
    sql,
};

/// What makes a column an identity column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// `ALWAYS` or `BY DEFAULT`.
    generation: String,
    /// The schema and the name of the sequence.
    sequence: Vec<String>,
    options: Options,
}

impl Definition for Identity {
    const KEYWORD: &'static str = "IDENTITY";
    const SHAPE: Shape = Shape::Column;
    const QUERY: &'static str = "
        SELECT s.tableoid AS classid, s.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, c.relname, a.attname] AS names,
            CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END AS generation,
            ARRAY[m.nspname, s.relname] AS sequence,
            json_build_object('data_type', pg_catalog.format_type(q.seqtypid, NULL), 'start', q.seqstart,
                'increment', q.seqincrement, 'minimum', q.seqmin, 'maximum', q.seqmax, 'cache', q.seqcache,
                'cycle', q.seqcycle) AS options
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            JOIN pg_catalog.pg_namespace m ON m.oid = s.relnamespace
            JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
            JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.objsubid = 0 AND d.deptype = 'i' AND d.objid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let mut steps = vec![change(at, &format!("ADD {}", self.spelled(at)))];
        if let Some(before) = takes_over_from(at) {
            let aside = swap::aside_address(&before, &At { id: &before, ..*at });
            steps.push(hand_over(&aside, &sql::qualified(&self.sequence)));
            steps.push(Step::new(format!("DROP SEQUENCE {aside}")));
        }
        steps
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { generation, sequence, options } = to;
        let mut steps = Vec::new();
        if self.sequence != *sequence {
            let (from, name) = (sql::qualified(&self.sequence), sequence.last().map_or("", String::as_str));
            steps.push(Step::new(format!("ALTER SEQUENCE {from} RENAME TO {}", sql::ident(name))));
        }
        // The sequence has changed its type along with the column.
        let from = self.options.retyped(options.data_type());
        let OptionsChange { first, clauses: new, hazard } = from.change(options, &sql::qualified(sequence));
        steps.extend(first);
        let mut clauses = Vec::new();
        if self.generation != *generation {
            clauses.push(format!("SET GENERATED {generation}"));
        }
        clauses
            .extend(new.into_iter().map(|clause| if clause == "RESTART" { clause } else { format!("SET {clause}") }));
        if !clauses.is_empty() {
            let mut step = change(at, &sql::join(clauses, " "));
            step.hazards.extend(hazard);
            steps.push(step);
        }
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some((id, Object::Sequence(after))) = hands_over(at) {
            let aside = swap::aside_address(id, &At { id, ..*at });
            steps.push(after.create_as(&aside));
            steps.push(hand_over(&sql::qualified(&self.sequence), &aside));
        }
        steps.push(change(at, "DROP IDENTITY"));
        steps
    }

    fn clause(&self, at: &At) -> Option<String> {
        Some(self.spelled(at))
    }

    fn comes_after(&self, at: &At) -> Vec<ObjectId> {
        takes_over_from(at).into_iter().collect()
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Relation, self.sequence.clone().into()), Slot(Space::ColumnDefault, id.names.clone())]
    }
}

impl Identity {
    /// The qualified name of the sequence.
    pub(super) fn sequence(&self) -> String {
        sql::qualified(&self.sequence)
    }

    /// Whether another sequence can stand wherever this one does.
    pub(super) fn counts_like(&self, other: &Self) -> bool {
        self.options.bounds() == other.options.bounds()
    }

    fn spelled(&self, at: &At) -> String {
        let Self { generation, sequence, options } = self;
        let mut clauses = options.clauses();
        let column = at.desired.get(&column_of(at.id));
        if let Some(Object::Column(column)) = column
            && options.data_type() != column.data_type()
        {
            // Only a domain's base type can differ from the column's own.
            clauses.insert(0, format!("AS {}", options.data_type()));
        }
        if !self.is_named_by_default(at.id) {
            clauses.insert(0, format!("SEQUENCE NAME {}", sql::qualified(sequence)));
        }
        let options = if clauses.is_empty() { String::new() } else { format!(" ({})", sql::join(clauses, " ")) };
        format!("GENERATED {generation} AS IDENTITY{options}")
    }

    /// Whether PostgreSQL would choose the name of the sequence, if nothing else has it: it cuts long names in ways of its own,
    /// and those are better said.
    fn is_named_by_default(&self, id: &ObjectId) -> bool {
        let [schema, table, column] = &*id.names else { return false };
        let name = format!("{table}_{column}_seq");
        name.len() < 64 && self.sequence == [schema.clone(), name]
    }
}

/// The column of an identity.
fn column_of(id: &ObjectId) -> ObjectId {
    ObjectId::new(Kind::Column, id.names.iter().cloned())
}

fn change(at: &At, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} ALTER COLUMN {} {what}", at.id.relation(), sql::ident(at.id.name())))
}

/// Lets a sequence go on where another one stands.
fn hand_over(from: &str, to: &str) -> Step {
    Step::new(format!("SELECT pg_catalog.setval({}, last_value, is_called) FROM {from}", sql::literal(to)))
}

/// The sequence that a column owns and that its default counts with.
fn serial<'a>(catalog: &'a Catalog, column: &ObjectId) -> Option<&'a ObjectId> {
    let default = ObjectId::new(Kind::Default, column.names.iter().cloned());
    let owned = catalog.dependents(column).filter(|(id, tie)| id.kind == Kind::Sequence && *tie == Tie::Owned);
    owned.map(|(id, _)| id).find(|id| catalog.referenced(&default).any(|(needed, _)| needed == *id))
}

/// Whether a column is there before and after, with an identity on one of the sides only.
fn turns(at: &At, column: &ObjectId, from: &Catalog, to: &Catalog) -> bool {
    let identity = ObjectId::new(Kind::Identity, column.names.iter().cloned());
    at.current.contains(column) && at.desired.contains(column) && from.contains(&identity) && !to.contains(&identity)
}

/// The sequence of a serial column from which the identity at `at` goes on.
fn takes_over_from(at: &At) -> Option<ObjectId> {
    let column = column_of(at.id);
    let turns = turns(at, &column, at.desired, at.current);
    serial(at.current, &column).filter(|sequence| turns && !at.desired.contains(sequence)).cloned()
}

/// The identity that goes on from the sequence at `at`, which a serial column owns until then.
pub(super) fn takes_over(at: &At) -> Option<ObjectId> {
    let column = owning_column(at.current, at.id)?;
    let identity = ObjectId::new(Kind::Identity, column.names.iter().cloned());
    let from = takes_over_from(&At { id: &identity, ..*at })?;
    (from == *at.id).then_some(identity)
}

/// The sequence of a serial column that goes on from the identity at `at`.
fn hands_over<'a>(at: &At<'a>) -> Option<(&'a ObjectId, &'a Object)> {
    let column = column_of(at.id);
    let turns = turns(at, &column, at.current, at.desired);
    let sequence = serial(at.desired, &column).filter(|sequence| turns && !at.current.contains(sequence))?;
    Some((sequence, at.desired.get(sequence)?))
}

/// The identity from which the sequence at `at` goes on.
pub(super) fn handed_over_to(at: &At) -> Option<ObjectId> {
    let column = owning_column(at.desired, at.id)?;
    let identity = ObjectId::new(Kind::Identity, column.names.iter().cloned());
    let (sequence, _) = hands_over(&At { id: &identity, ..*at })?;
    (sequence == at.id).then_some(identity)
}

fn owning_column<'a>(catalog: &'a Catalog, sequence: &ObjectId) -> Option<&'a ObjectId> {
    let mut owners = catalog.referenced(sequence).filter(|(_, tie)| *tie == Tie::Owned);
    owners.find(|(id, _)| id.kind == Kind::Column).map(|(id, _)| id)
}
