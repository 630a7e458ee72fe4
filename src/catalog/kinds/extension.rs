//! Extensions; their members are theirs alone.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Concern, Definition, Hazard, Kept, Kind, Object, ObjectId, Shape, Step},
    sql,
};

/// An extension.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    schema: String,
    /// Whether PostgreSQL lets it move to another schema.
    relocatable: Kept<bool>,
    /// Whether it has tables, whose rows would go with it.
    has_tables: Kept<bool>,
    /// Who owns it, or members of it, where that is not the role that reads this.
    keeper: Kept<Option<String>>,
}

impl Definition for Extension {
    const KEYWORD: &'static str = "EXTENSION";
    const IN_SCHEMA: bool = false;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_extension'::regclass::oid AS classid, e.oid AS objid, 0 AS objsubid,
            ARRAY[e.extname] AS names, n.nspname AS schema, e.extrelocatable AS relocatable,
            EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
                    AND d.refclassid = 'pg_catalog.pg_extension'::regclass AND c.relkind IN ('r', 'p')) AS has_tables,
            CASE WHEN NOT pg_catalog.pg_has_role(e.extowner, 'USAGE') THEN pg_catalog.pg_get_userbyid(e.extowner) ELSE (
                SELECT pg_catalog.min(pg_catalog.pg_get_userbyid(m.owner)::text) FROM pg_catalog.pg_depend d JOIN (
                    SELECT tableoid AS classid, oid AS objid, proowner AS owner FROM pg_catalog.pg_proc
                    UNION ALL SELECT tableoid, oid, typowner FROM pg_catalog.pg_type
                    UNION ALL SELECT tableoid, oid, oprowner FROM pg_catalog.pg_operator
                ) m ON m.classid = d.classid AND m.objid = d.objid
                WHERE d.refclassid = e.tableoid AND d.refobjid = e.oid AND d.deptype = 'e'
                    AND NOT pg_catalog.pg_has_role(m.owner, 'USAGE')) END AS keeper
        FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { schema, relocatable: _, has_tables: _, keeper: _ } = self;
        let parts = at.parts.iter().map(|part| format!(" {part}"));
        vec![Step::new(format!("CREATE {} SCHEMA {}{}", at.id, sql::ident(schema), sql::join(parts, "")))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { schema, relocatable: _, has_tables: _, keeper: _ } = to;
        if !self.relocatable.0 {
            return Alteration::Replace;
        }
        let step = Step::new(format!("ALTER {} SET SCHEMA {}", at.id, sql::ident(schema)));
        // Whoever creates a trusted extension owns it, and the superuser of the cluster its members, which move one by one.
        Alteration::InPlace(vec![match &self.keeper.0 {
            Some(role) => step.hazard(Hazard::MayFail {
                why: format!(
                    "the extension or members of it belong to {}, and only their owner or a superuser moves them: have one execute \
                     this statement, and plan again",
                    sql::ident(role)
                ),
            }),
            None => step,
        }])
    }

    fn carries_along(&self, to: &Self) -> bool {
        self.relocatable.0 && self.schema != to.schema
    }

    /// What goes from the schema that it moves to may have the name of a member.
    fn waits_for(&self, to: &Self, at: &At) -> Vec<ObjectId> {
        let schema = ObjectId::new(Kind::Schema, [&*to.schema]);
        let there = at.current.dependents(&schema).map(|(id, _)| id);
        there.filter(|id| !at.desired.contains(id) && self.schema != to.schema).cloned().collect()
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let step = Step::new(format!("DROP {}", at.id));
        vec![if self.has_tables.0 { step.hazard(Hazard::Loss { what: at.id.to_string() }) } else { step }]
    }
}

/// A type whose extension has moved to another schema has moved with it: whether one of two names is the other's after that.
pub(super) fn has_moved(at: &At, from: &str, to: &str) -> bool {
    at.current.referenced(at.id).any(|(id, _)| match (at.current.get(id), at.desired.get(id)) {
        (Some(Object::Extension(before)), Some(Object::Extension(after))) => {
            let within = |schema: &str| format!("{}.", sql::ident(schema));
            let name = from.strip_prefix(&within(&before.schema));
            before.relocatable.0 && name.is_some() && name == to.strip_prefix(&within(&after.schema))
        }
        _ => false,
    })
}

/// The version of an extension: where nobody names one, it is that of whoever keeps the server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExtensionVersion {
    version: String,
}

impl Definition for ExtensionVersion {
    const KEYWORD: &'static str = "VERSION OF";
    const SHAPE: Shape = Shape::About;
    const CONCERN: Concern = Concern::Version;
    const QUERY: &'static str = "
        SELECT e.tableoid AS classid, e.oid AS objid, 0 AS objsubid, e.extversion AS version
        FROM pg_catalog.pg_extension e WHERE e.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { version } = self;
        let update = |of| Step::new(format!("ALTER {of} UPDATE TO {}", sql::literal(version)));
        at.id.of.iter().map(update).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    /// It stays as it is.
    fn drop(&self, _: &At) -> Vec<Step> {
        Vec::new()
    }

    fn clause(&self, _: &At) -> Option<String> {
        Some(format!("VERSION {}", sql::literal(&self.version)))
    }
}
