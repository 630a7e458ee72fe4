//! Composite types and their attributes.

use serde::{Deserialize, Serialize};

use super::{Kind, Object, domain::is_stored, swap, table::relation_slots};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Hazard, Kept, Manner, ObjectId, Shape, Slot, Step, Tie},
    sql,
};

/// A composite type; its attributes are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composite {
    /// The names of the attributes, in the order in which values are written.
    attributes: Vec<String>,
}

impl Definition for Composite {
    const KEYWORD: &'static str = "TYPE";
    const SWAPS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'c')";
    // The attributes need their types and collations; the whole does, too, so that rows are found that hold such values.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_type'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname] AS names,
            ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS attributes,
            (SELECT json_agg(json_build_array(d.class::oid::int8, d.object::int8, 0))
                FROM pg_catalog.pg_attribute a, LATERAL (VALUES ('pg_catalog.pg_type'::regclass, a.atttypid),
                    ('pg_catalog.pg_collation'::regclass, a.attcollation)) d(class, object)
                WHERE a.attrelid = c.oid AND d.object >= 16384 AND NOT a.attisdropped) AS needs
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE c.relkind = 'c' AND c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { attributes: _ } = self;
        let body =
            if at.parts.is_empty() { String::new() } else { format!("\n    {}\n", sql::join(at.parts, ",\n    ")) };
        vec![Step::new(format!("CREATE {} AS ({body})", at.id))]
    }

    fn alter(&self, to: &Self, _: &At) -> Alteration {
        let Self { attributes } = to;
        let stays = |name: &&String| attributes.contains(name);
        let same_order =
            self.attributes.iter().filter(stays).eq(attributes.iter().take_while(|it| self.attributes.contains(it)));
        // What is new stands at the end; the attributes themselves come and go.
        let appended =
            attributes.iter().skip_while(|it| self.attributes.contains(it)).all(|it| !self.attributes.contains(it));
        // The tables that are made of the type are let go meanwhile.
        let around = Alteration::Around(Vec::new(), &[Kind::TypedTable]);
        if same_order && appended { around } else { Alteration::Replace }
    }

    fn follow(&self, _: &ObjectId, at: &At) -> Option<Alteration> {
        (!is_stored(at.current, at.id)).then(|| Alteration::InPlace(Vec::new()))
    }

    fn aside(&self, at: &At) -> Vec<Step> {
        swap::aside(at)
    }

    fn finish(&self, at: &At) -> Vec<Step> {
        swap::finish(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        relation_slots(id)
    }
}

impl Composite {
    /// The names of the attributes, in their order.
    pub(super) fn attributes(&self) -> &[String] {
        &self.attributes
    }
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// With modifiers.
    data_type: String,
    /// Where it is not the type's own.
    collation: Option<Vec<String>>,
    position: Kept<i16>,
}

impl Definition for Attribute {
    const KEYWORD: &'static str = "COLUMN";
    const SHAPE: Shape = Shape::Column;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_class WHERE oid >= 16384 AND relkind = 'c')";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, a.attnum AS objsubid,
            ARRAY[n.nspname, c.relname, a.attname] AS names, a.attnum AS position,
            pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
            CASE WHEN a.attcollation <> t.typcollation THEN
                (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                    JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation) END AS collation
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
        WHERE c.relkind = 'c' AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped";

    fn create(&self, at: &At) -> Vec<Step> {
        vec![change(at, &format!("ADD ATTRIBUTE {}", self.spelled(at)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if is_stored(at.current, &composite(at.id)) { Alteration::Replace } else { to.retype(at) }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let step = change(at, &format!("DROP ATTRIBUTE {}", sql::ident(at.id.name())));
        let loses = is_stored(at.current, &composite(at.id));
        vec![if loses { step.hazard(Hazard::Loss { what: at.id.to_string() }) } else { step }]
    }

    fn clause(&self, at: &At) -> Option<String> {
        Some(self.spelled(at))
    }

    fn follow(&self, _: &ObjectId, at: &At) -> Option<Alteration> {
        (!is_stored(at.current, &composite(at.id))).then(|| self.retype(at))
    }

    fn rebuilds(&self, from: Option<&Self>, at: &At) -> Option<ObjectId> {
        let composite = composite(at.id);
        from.filter(|_| is_stored(at.current, &composite))?;
        Some(composite)
    }

    fn position(&self) -> i16 {
        self.position.0
    }

    fn rewrites(&self, manner: Manner, at: &At) -> bool {
        let same = |from: &Self| from.data_type == self.data_type && from.collation == self.collation;
        manner == Manner::Altered && matches!(at.current.get(at.id), Some(Object::Attribute(from)) if !same(from))
    }

    fn held_by(&self, at: &At, side: &Catalog) -> Vec<ObjectId> {
        let composite = composite(at.id);
        if at.persists(&composite) { writers(side, &composite) } else { Vec::new() }
    }
}

/// What may write down values of a type, attribute by attribute, in an expression that PostgreSQL keeps: from the minors of
/// 2026, it lets no attribute become of another type meanwhile.
fn writers(catalog: &Catalog, composite: &ObjectId) -> Vec<ObjectId> {
    let needs = catalog.dependents(composite).filter(|(_, tie)| *tie == Tie::Needs).map(|(id, _)| id);
    let writes = |id: &&ObjectId| match catalog.get(id) {
        Some(Object::Function(it)) => it.keeps_expressions(),
        Some(Object::Procedure(it)) => it.keeps_expressions(),
        Some(Object::Column(it)) => it.is_generated(),
        _ => AROUND_TYPE.contains(&id.kind) && id.kind != Kind::TypedTable,
    };
    needs.filter(writes).cloned().collect()
}

/// What depends on an attribute in a way that PostgreSQL does not carry along while its type changes: what is made of the type,
/// and what reads the attribute.
const AROUND_TYPE: &[Kind] = &[
    Kind::TypedTable,
    Kind::Column,
    Kind::Constraint,
    Kind::Default,
    Kind::DomainConstraint,
    Kind::Function,
    Kind::Index,
    Kind::MaterializedView,
    Kind::Policy,
    Kind::Procedure,
    Kind::Rule,
    Kind::Statistics,
    Kind::Trigger,
    Kind::View,
];

impl Attribute {
    /// The type, with modifiers.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }

    fn spelled(&self, at: &At) -> String {
        format!("{} {}", sql::ident(at.id.name()), self.spelled_type())
    }

    fn spelled_type(&self) -> String {
        let Self { data_type, collation, position: _ } = self;
        let collation = collation.as_ref().map_or_else(String::new, |it| format!(" COLLATE {}", sql::qualified(it)));
        format!("{data_type}{collation}")
    }

    fn retype(&self, at: &At) -> Alteration {
        let name = sql::ident(at.id.name());
        let step = change(at, &format!("ALTER ATTRIBUTE {name} TYPE {}", self.spelled_type()));
        Alteration::Around(vec![step], AROUND_TYPE)
    }
}

fn composite(attribute: &ObjectId) -> ObjectId {
    ObjectId::new(Kind::Composite, attribute.names.iter().take(2).cloned())
}

fn change(at: &At, what: &str) -> Step {
    Step::new(format!("ALTER TYPE {} {what}", at.id.relation()))
}
