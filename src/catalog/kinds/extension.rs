//! Extensions; their members are theirs alone.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Hazard, Kept, Step},
    sql,
};

/// An extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    schema: String,
    /// Installed by whoever keeps the server; which one is there does not make two databases differ.
    version: Kept<String>,
    /// Whether PostgreSQL lets it move to another schema.
    relocatable: Kept<bool>,
    /// Whether it has tables, whose rows would go with it.
    has_tables: Kept<bool>,
}

impl Definition for Extension {
    const KEYWORD: &'static str = "EXTENSION";
    const IN_SCHEMA: bool = false;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_extension'::regclass::oid AS classid, e.oid AS objid, 0 AS objsubid,
            ARRAY[e.extname] AS names, n.nspname AS schema, e.extversion AS version, e.extrelocatable AS relocatable,
            EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
                    AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND c.relkind IN ('r', 'p')) AS has_tables
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { schema, version: _, relocatable: _, has_tables: _ } = self;
        vec![Step::new(format!("CREATE {} SCHEMA {}", at.id, sql::ident(schema)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { schema, version: _, relocatable: _, has_tables: _ } = to;
        if !self.relocatable.0 {
            return Alteration::Replace;
        }
        Alteration::InPlace(vec![Step::new(format!("ALTER {} SET SCHEMA {}", at.id, sql::ident(schema)))])
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let step = Step::new(format!("DROP {}", at.id));
        vec![if self.has_tables.0 { step.hazard(Hazard::Loss { what: at.id.to_string() }) } else { step }]
    }
}
