//! Who owns an object.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Concern, Definition, Object, ObjectId, Shape, Step},
    sql,
};

/// The owner of an object. Sequences that a column owns, and indexes, have the owner of their table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    role: String,
}

impl Owner {
    pub(super) fn new(role: &str) -> Self {
        Self { role: role.to_owned() }
    }

    /// The name of the role.
    pub(super) fn name(&self) -> &str {
        &self.role
    }

    /// Whether it is this role.
    pub(super) fn is(&self, role: &str) -> bool {
        self.role == role
    }
}

impl Definition for Owner {
    const KEYWORD: &'static str = "OWNER OF";
    const SHAPE: Shape = Shape::About;
    const CONCERN: Concern = Concern::Owner;
    const QUERY: &'static str = "
        SELECT o.classid, o.objid, 0 AS objsubid, pg_catalog.pg_get_userbyid(o.owner) AS role
        FROM (
            SELECT tableoid AS classid, oid AS objid, nspowner AS owner FROM pg_catalog.pg_namespace
            UNION ALL SELECT c.tableoid, c.oid, c.relowner FROM pg_catalog.pg_class c
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relpersistence <> 't'
                    AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')))
            UNION ALL SELECT tableoid, oid, proowner FROM pg_catalog.pg_proc
            UNION ALL SELECT tableoid, oid, typowner FROM pg_catalog.pg_type WHERE typtype <> 'm'
            UNION ALL SELECT tableoid, oid, collowner FROM pg_catalog.pg_collation
            UNION ALL SELECT tableoid, oid, conowner FROM pg_catalog.pg_conversion
            UNION ALL SELECT tableoid, oid, oprowner FROM pg_catalog.pg_operator
            UNION ALL SELECT tableoid, oid, opcowner FROM pg_catalog.pg_opclass
            UNION ALL SELECT tableoid, oid, opfowner FROM pg_catalog.pg_opfamily
            UNION ALL SELECT tableoid, oid, dictowner FROM pg_catalog.pg_ts_dict
            UNION ALL SELECT tableoid, oid, cfgowner FROM pg_catalog.pg_ts_config
            UNION ALL SELECT tableoid, oid, stxowner FROM pg_catalog.pg_statistic_ext
            UNION ALL SELECT tableoid, oid, fdwowner FROM pg_catalog.pg_foreign_data_wrapper
            UNION ALL SELECT tableoid, oid, srvowner FROM pg_catalog.pg_foreign_server
            UNION ALL SELECT tableoid, oid, lanowner FROM pg_catalog.pg_language
            UNION ALL SELECT tableoid, oid, evtowner FROM pg_catalog.pg_event_trigger
            UNION ALL SELECT tableoid, oid, pubowner FROM pg_catalog.pg_publication
            UNION ALL SELECT 'pg_catalog.pg_subscription'::regclass, oid, subowner FROM pg_catalog.pg_subscription
            UNION ALL SELECT tableoid, oid, datdba FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
        ) o
        WHERE o.objid >= 16384
            OR o.classid IN ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_database'::regclass)";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { role } = self;
        let now = at.current.get(at.id);
        let owned = matches!(now, Some(Object::Owner(now)) if **now == *self);
        let new = at.id.of.as_ref().is_none_or(|of| !at.current.contains(of));
        // What the connecting role creates belongs to it.
        if *role == at.current.server.user && (owned || new) { Vec::new() } else { set(at, role) }
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { role } = to;
        Alteration::InPlace(set(at, role))
    }

    fn role<'a>(&'a self, _: &'a ObjectId) -> Option<&'a str> {
        Some(&self.role)
    }

    /// Every object has an owner; where none is asked for, it stays.
    fn drop(&self, _: &At) -> Vec<Step> {
        Vec::new()
    }
}

fn set(at: &At, role: &str) -> Vec<Step> {
    at.id.of.iter().map(|of| Step::new(format!("ALTER {} OWNER TO {}", at.spelled(of), sql::ident(role)))).collect()
}
