//! Comments on objects of any kind.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Step},
    sql,
};

/// What `COMMENT ON` says about an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comment {
    text: String,
}

impl Definition for Comment {
    const KEYWORD: &'static str = "COMMENT ON";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT classoid AS classid, objoid AS objid, objsubid, description AS text
        FROM pg_catalog.pg_description
        WHERE objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { text } = self;
        vec![Step::new(format!("{} IS {}", at.id, sql::literal(text)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("{} IS NULL", at.id))]
    }
}

/// The comment on the index that implements a constraint, and that has the constraint's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexComment {
    text: String,
}

impl Definition for IndexComment {
    const KEYWORD: &'static str = "COMMENT ON INDEX OF";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, 0 AS objsubid, d.description AS text
        FROM pg_catalog.pg_description d JOIN pg_catalog.pg_constraint k ON k.conindid = d.objoid
        WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid >= 16384 AND k.contype IN ('p', 'u', 'x')";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { text } = self;
        on_index(at, &sql::literal(text))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        on_index(at, "NULL")
    }
}

fn on_index(at: &At, text: &str) -> Vec<Step> {
    let index = |of: &ObjectId| sql::qualified(of.names.iter().step_by(2));
    at.id.of.iter().map(|of| Step::new(format!("COMMENT ON INDEX {} IS {text}", index(of)))).collect()
}
