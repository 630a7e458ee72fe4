//! Column defaults, of tables and of views.

use serde::{Deserialize, Serialize};

use super::{Kind, lineage};
use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// The default of a column that is not generated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Default {
    /// The expression, deparsed.
    expression: String,
    /// `TABLE` or `VIEW`.
    relation: String,
}

impl Definition for Default {
    const KEYWORD: &'static str = "DEFAULT";
    const SHAPE: Shape = Shape::Column;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_attrdef'::regclass::oid AS classid, d.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname, a.attname] AS names, pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS expression,
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END AS relation
        FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE a.attgenerated = '' AND c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { expression, relation } = self;
        change(at, relation, &format!("SET DEFAULT {expression}"))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if self.relation == to.relation { Alteration::InPlace(to.create(at)) } else { Alteration::Replace }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { expression: _, relation } = self;
        change(at, relation, "DROP DEFAULT")
    }

    fn carrier(&self, at: &At) -> Option<ObjectId> {
        carrier(at)
    }

    fn remover(&self, at: &At) -> Option<ObjectId> {
        carrier(at).filter(|_| at.goes(at.id))
    }

    fn clause(&self, _: &At) -> Option<String> {
        (self.relation != "VIEW").then(|| format!("DEFAULT {}", self.expression))
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::ColumnDefault, id.names.clone())]
    }
}

/// Changes the default of one column; where those below do not change with it, of this one only.
fn change(at: &At, relation: &str, action: &str) -> Vec<Step> {
    if carrier(at).is_some() {
        return Vec::new();
    }
    let below = !lineage::staying(at, lineage::relation(at.id)).is_empty();
    let only = if below && !lineage::is_uniform(at) { "ONLY " } else { "" };
    let column = sql::ident(at.id.name());
    vec![Step::new(format!("ALTER {relation} {only}{} ALTER COLUMN {column} {action}", at.id.relation()))]
}

/// The default above whose change is that of everything below it.
fn carrier(at: &At) -> Option<ObjectId> {
    let column = |id: &ObjectId| ObjectId { kind: Kind::Column, ..id.clone() };
    let changes = |id: &ObjectId| at.current.get(id) != at.desired.get(id);
    lineage::above(at)
        .into_iter()
        .filter(|up| at.persists(&column(at.id)) && at.persists(&column(up)))
        .find(|up| changes(up) && lineage::is_uniform(&At { id: up, ..*at }))
}
