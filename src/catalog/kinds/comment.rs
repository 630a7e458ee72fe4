//! Comments on objects of any kind.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Shape, Step},
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
        SELECT c.classoid AS classid, c.objoid AS objid, c.objsubid, c.description AS text
        FROM pg_catalog.pg_description c
        WHERE (c.objoid >= 16384 OR c.classoid = 'pg_catalog.pg_namespace'::regclass)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.classid = c.classoid AND d.objid = c.objoid AND c.objsubid = 0 AND d.objsubid = 0 AND d.deptype = 'i')
        UNION ALL SELECT s.classoid, s.objoid, 0, s.description FROM pg_catalog.pg_shdescription s";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { text } = self;
        on(at, &sql::literal(text))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        on(at, "NULL")
    }
}

/// `COMMENT ON TABLE app.users IS …`
fn on(at: &At, text: &str) -> Vec<Step> {
    at.id.of.iter().map(|of| Step::new(format!("COMMENT ON {} IS {text}", at.spelled(of)))).collect()
}

impl Comment {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

/// The comment on the index of a constraint, or on the sequence of an identity column, whose names are not those of the object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InnerComment {
    text: String,
    /// `INDEX app.users_pkey`, `SEQUENCE app.users_id_seq`
    on: String,
}

impl Definition for InnerComment {
    const KEYWORD: &'static str = "COMMENT INSIDE";
    const SHAPE: Shape = Shape::About;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, 0 AS objsubid, d.description AS text,
            'INDEX ' || d.objoid::regclass::text AS on
        FROM pg_catalog.pg_description d JOIN pg_catalog.pg_constraint k ON k.conindid = d.objoid
        WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objoid >= 16384 AND k.contype IN ('p', 'u', 'x')
        UNION ALL
        SELECT d.classoid, d.objoid, 0, d.description, 'SEQUENCE ' || d.objoid::regclass::text
        FROM pg_catalog.pg_description d JOIN pg_catalog.pg_class c ON c.tableoid = d.classoid AND c.oid = d.objoid
            JOIN pg_catalog.pg_depend s ON s.classid = c.tableoid AND s.objid = c.oid AND s.refclassid = c.tableoid
                AND s.deptype = 'i'
        WHERE c.relkind = 'S' AND d.objsubid = 0";

    fn create(&self, _: &At) -> Vec<Step> {
        let Self { text, on } = self;
        vec![Step::new(format!("COMMENT ON {on} IS {}", sql::literal(text)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, _: &At) -> Vec<Step> {
        let Self { text: _, on } = self;
        vec![Step::new(format!("COMMENT ON {on} IS NULL"))]
    }
}
