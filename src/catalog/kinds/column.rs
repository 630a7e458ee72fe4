//! Columns of tables.

use serde::{Deserialize, Serialize};

use super::{Object, column_settings::after_type_change, conversion::Conversion, sequence::Options};
use crate::{
    catalog::{Alteration, At, Definition, Hazard, Kept, Kind, ObjectId, Shape, Step},
    sql,
};

/// A column of a table; its default is an object of its own, the expression of a generated column is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// With modifiers: `numeric(10,2)`.
    data_type: String,
    /// Without modifiers, and what is under a domain's name: decides whether a cast is needed.
    base_type: Kept<String>,
    /// Where it is not the type's own.
    collation: Option<Vec<String>>,
    not_null: bool,
    identity: Option<Identity>,
    generated: Option<Generated>,
    position: Kept<i16>,
}

/// What makes a column an identity column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    /// `ALWAYS` or `BY DEFAULT`.
    generation: String,
    options: Options,
}

/// What makes a column a generated column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Generated {
    expression: String,
    /// Stored, or (from 18) computed when read.
    stored: bool,
}

/// What PostgreSQL refuses to keep while the type of a column changes under it.
const AROUND_TYPE: &[Kind] = &[
    Kind::Column,
    Kind::Default,
    Kind::ForeignKey,
    Kind::Function,
    Kind::Procedure,
    Kind::View,
    Kind::MaterializedView,
    Kind::Rule,
    Kind::Trigger,
    Kind::Policy,
    Kind::PublicationTable,
    Kind::Statistics,
];
/// The same while only a modifier changes: nothing has to be checked again.
const AROUND_MODIFIER: &[Kind] = &[
    Kind::Default,
    Kind::Function,
    Kind::Procedure,
    Kind::View,
    Kind::MaterializedView,
    Kind::Rule,
    Kind::Trigger,
    Kind::Policy,
    Kind::PublicationTable,
    Kind::Statistics,
];

impl Definition for Column {
    const KEYWORD: &'static str = "COLUMN";
    const SHAPE: Shape = Shape::Column;
    const HOLDS_DATA: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum AS objsubid,
            ARRAY[n.nspname, c.relname, a.attname] AS names, a.attnum AS position, a.attnotnull AS not_null,
            pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
            CASE WHEN t.typtype <> 'd' THEN pg_catalog.format_type(a.atttypid, NULL) ELSE (
                WITH RECURSIVE under AS (
                    SELECT t.typbasetype AS oid
                    UNION ALL SELECT b.typbasetype FROM under u JOIN pg_catalog.pg_type b ON b.oid = u.oid WHERE b.typtype = 'd')
                SELECT pg_catalog.format_type(b.oid, NULL)
                FROM under u JOIN pg_catalog.pg_type b ON b.oid = u.oid AND b.typtype <> 'd') END AS base_type,
            CASE WHEN a.attcollation <> t.typcollation THEN
                (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                    JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation) END AS collation,
            CASE WHEN a.attidentity <> '' THEN
                (SELECT json_build_object('generation', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
                    'options', json_build_object('data_type', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart,
                        'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache,
                        'cycle', s.seqcycle))
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON s.seqrelid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
                    AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i') END AS identity,
            CASE WHEN a.attgenerated <> '' THEN
                (SELECT json_build_object('expression', pg_catalog.pg_get_expr(e.adbin, e.adrelid),
                    'stored', a.attgenerated = 's')
                FROM pg_catalog.pg_attrdef e WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum) END AS generated
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.relkind IN ('r', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped";

    fn create(&self, at: &At) -> Vec<Step> {
        let mut step = Step::new(format!("ALTER TABLE {} ADD COLUMN {}", at.id.relation(), self.spelled(at)));
        if self.not_null && at.parts.is_empty() && self.identity.is_none() && self.generated.is_none() {
            step = step.hazard(Hazard::MayFail {
                why: "the column is NOT NULL without a default: fails where rows are".into(),
            });
        }
        vec![step]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { data_type, base_type: _, collation, not_null, identity, generated, position: _ } = to;
        if self.generated != *generated && !(self.generated.is_some() && generated.is_none()) {
            return Alteration::Replace;
        }
        let retyped = self.data_type != *data_type || self.collation != *collation;
        let mut steps = Vec::new();
        if self.generated.is_some() && generated.is_none() {
            steps.push(change(at, "DROP EXPRESSION"));
        }
        if self.identity.is_some() && identity.is_none() {
            steps.push(change(at, "DROP IDENTITY"));
        }
        if self.not_null && !not_null {
            steps.push(change(at, "DROP NOT NULL"));
        }
        if retyped {
            steps.push(self.retype(to, at));
            steps.extend(after_type_change(at.id, at.desired));
        }
        if !self.not_null && *not_null {
            steps.push(not_null_step(at));
        }
        steps.extend(identity_step(self.identity.as_ref(), identity.as_ref(), at));
        if !retyped {
            return Alteration::InPlace(steps);
        }
        let modifier_only = self.base_type.0 == to.base_type.0 && self.collation == *collation;
        Alteration::Around(steps, if modifier_only { AROUND_MODIFIER } else { AROUND_TYPE })
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let step = Step::new(format!("ALTER TABLE {} DROP COLUMN {}", at.id.relation(), sql::ident(at.id.name())));
        // What PostgreSQL computes from other columns is not lost, nor what a foreign table shows.
        if self.generated.is_some() || is_foreign(at) {
            vec![step]
        } else {
            vec![step.hazard(Hazard::Loss { what: at.id.to_string() })]
        }
    }

    fn clause(&self, at: &At) -> Option<String> {
        Some(self.spelled(at))
    }

    fn position(&self) -> i16 {
        self.position.0
    }

    fn follow(&self, _: &ObjectId, at: &At) -> Option<Alteration> {
        let Some(Object::Column(before)) = at.current.get(at.id) else { return None };
        if self.generated.is_some() {
            // PostgreSQL allows no USING there, and nothing is lost when the column is made anew.
            return None;
        }
        let conversion = Conversion::new(at, &before.data_type, &self.data_type);
        let collation =
            self.collation.as_ref().map_or_else(String::new, |it| format!(" COLLATE {}", sql::qualified(it)));
        let unchanged = is_foreign(at) || conversion.using == sql::ident(at.id.name());
        let using = if unchanged { String::new() } else { format!(" USING {}", conversion.using) };
        let mut step = change(at, &format!("TYPE {}{collation}{using}", self.data_type));
        step.guards = conversion.guards;
        let why = format!("every value must convert to {}", self.data_type);
        let steps = conversion.before.into_iter().chain([step.hazard(Hazard::MayFail { why })]).chain(conversion.after);
        Some(Alteration::Around(steps.chain(after_type_change(at.id, at.desired)).collect(), AROUND_TYPE))
    }
}

impl Column {
    /// With modifiers.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }

    fn spelled(&self, at: &At) -> String {
        let Self { data_type, base_type: _, collation, not_null, identity, generated, position: _ } = self;
        let mut text = format!("{} {data_type}", sql::ident(at.id.name()));
        if let Some(collation) = collation {
            text.push_str(&format!(" COLLATE {}", sql::qualified(collation)));
        }
        if let Some(Generated { expression, stored }) = generated {
            let word = if *stored { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS ({expression}) {word}"));
        }
        if let Some(identity) = identity {
            text.push_str(&format!(" {}", identity.spelled(data_type)));
        }
        for part in at.parts {
            text.push_str(&format!(" {part}"));
        }
        if *not_null {
            text.push_str(" NOT NULL");
        }
        text
    }

    fn retype(&self, to: &Self, at: &At) -> Step {
        let mut text = format!("TYPE {}", to.data_type);
        if let Some(collation) = &to.collation {
            text.push_str(&format!(" COLLATE {}", sql::qualified(collation)));
        }
        if is_foreign(at) {
            // No rows are here that could be converted, and PostgreSQL allows no USING.
            return change(at, &text);
        }
        let name = sql::ident(at.id.name());
        match at.desired.assignable(&self.base_type.0, &to.base_type.0) {
            Some(true) => {}
            Some(false) => text.push_str(&format!(" USING {name}::{}", to.data_type)),
            None => text.push_str(&format!(" USING {name}::text::{}", to.data_type)),
        }
        change(at, &text).hazard(Hazard::MayFail { why: format!("every value must convert to {}", to.data_type) })
    }
}

impl Identity {
    fn spelled(&self, data_type: &str) -> String {
        let Self { generation, options } = self;
        let mut clauses = options.clauses();
        if options.data_type() != data_type {
            // Only a domain's base type can differ from the column's own.
            clauses.insert(0, format!("AS {}", options.data_type()));
        }
        let options = if clauses.is_empty() { String::new() } else { format!(" ({})", sql::join(clauses, " ")) };
        format!("GENERATED {generation} AS IDENTITY{options}")
    }
}

fn identity_step(from: Option<&Identity>, to: Option<&Identity>, at: &At) -> Option<Step> {
    let to = to?;
    let Some(from) = from else {
        return Some(change(at, &format!("ADD {}", to.spelled(to.options.data_type()))));
    };
    let mut clauses = Vec::new();
    if from.generation != to.generation {
        clauses.push(format!("SET GENERATED {}", to.generation));
    }
    clauses.extend(to.options.differing(&from.options).into_iter().map(|clause| format!("SET {clause}")));
    (!clauses.is_empty()).then(|| change(at, &sql::join(clauses, " ")))
}

fn is_foreign(at: &At) -> bool {
    at.current.contains(&ObjectId::new(Kind::ForeignTable, at.id.names.iter().take(2).cloned()))
}

fn not_null_step(at: &At) -> Step {
    change(at, "SET NOT NULL").hazard(Hazard::MayFail { why: "no row may hold NULL in the column".to_owned() })
}

fn change(at: &At, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} ALTER COLUMN {} {what}", at.id.relation(), sql::ident(at.id.name())))
}
