//! Objects that go along when an extension is dropped, though they are not its members.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Step},
    sql,
};

/// `DEPENDS ON EXTENSION` of a routine, trigger, index or materialized view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependence {}

impl Definition for Dependence {
    const KEYWORD: &'static str = "DEPENDENCE OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT d.classid, d.objid, d.objsubid, ARRAY[e.extname] AS names,
            ARRAY[ARRAY[d.refclassid::int8, d.refobjid::int8, 0]] AS needs
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.tableoid = d.refclassid AND e.oid = d.refobjid
        WHERE d.deptype = 'x'";

    fn address(id: &ObjectId) -> String {
        let of = id.of.as_deref().map_or_else(String::new, ToString::to_string);
        format!("{of} ON EXTENSION {}", sql::idents(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {} = self;
        depends(at, "")
    }

    fn alter(&self, _: &Self, _: &At) -> Alteration {
        let Self {} = self;
        Alteration::InPlace(Vec::new())
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        depends(at, "NO ")
    }
}

fn depends(at: &At, no: &str) -> Vec<Step> {
    let extension = sql::idents(&at.id.names);
    at.id.of.iter().map(|of| Step::new(format!("ALTER {of} {no}DEPENDS ON EXTENSION {extension}"))).collect()
}
