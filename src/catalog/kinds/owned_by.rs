//! The column that owns a sequence (`OWNED BY`, `serial`).

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Kind, Object, ObjectId, Shape, Step},
    sql,
};

/// That a sequence goes along with a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnedBy {
    /// Schema, table and column.
    column: Vec<String>,
}

impl Definition for OwnedBy {
    const KEYWORD: &'static str = "OWNED BY OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT d.classid, d.objid, 0 AS objsubid, ARRAY[n.nspname, c.relname, a.attname] AS \"column\",
            ARRAY[ARRAY[d.refclassid::int8, d.refobjid::int8, d.refobjsubid]] AS needs
        FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
            JOIN pg_catalog.pg_class c ON c.oid = d.refobjid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
            AND d.objsubid = 0 AND d.deptype = 'a' AND d.objid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { column } = self;
        take(at, column).into_iter().chain(sequence(at, &sql::qualified(column))).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        sequence(at, "NONE")
    }
}

/// Makes the sequence that is there already one of the role that connects, as the table is that has just been made.
fn take(at: &At, column: &[String]) -> Option<Step> {
    let sequence = at.id.of.as_deref().filter(|it| at.persists(it))?;
    let table = |column: &[String]| ObjectId::new(Kind::Table, column.iter().take(2).cloned());
    let with = match at.current.get(at.id) {
        Some(Object::OwnedBy(before)) => table(&before.column),
        _ => sequence.clone(),
    };
    let owner = at.current.get(&ObjectId::about(Kind::Owner, &with));
    let taken = matches!(owner, Some(Object::Owner(owner)) if owner.is(&at.current.server.user));
    let needed = at.is_made(&table(column)) && !taken;
    needed.then(|| Step::new(format!("ALTER {sequence} OWNER TO CURRENT_USER")))
}

fn sequence(at: &At, column: &str) -> Vec<Step> {
    at.id.of.iter().map(|of| Step::new(format!("ALTER {of} OWNED BY {column}"))).collect()
}
