//! Schemas.

use serde::{Deserialize, Serialize};

use crate::catalog::{Alteration, At, Definition, Step};

/// A schema; its owner, comment and grants are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {}

impl Definition for Schema {
    const KEYWORD: &'static str = "SCHEMA";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_namespace'::regclass::oid AS classid, oid AS objid, 0 AS objsubid, ARRAY[nspname] AS names
        FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {} = self;
        vec![Step::new(format!("CREATE {}", at.id))]
    }

    fn alter(&self, _: &Self, _: &At) -> Alteration {
        let Self {} = self;
        Alteration::InPlace(Vec::new())
    }
}
