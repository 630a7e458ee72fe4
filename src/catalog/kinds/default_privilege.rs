//! Default privileges: the rights that objects get when they are created.

use serde::{Deserialize, Serialize};

use super::rights::{NOT_GRANTABLE, Privileges, Rights};
use crate::{
    catalog::{Alteration, At, Concern, Definition, Kept, ObjectId, Shape, Step, Tie, id::grantee},
    sql,
};

/// The rows of `pg_default_acl` by grantee: what differs from what holds without them.
macro_rules! query {
    ($address:literal, $usual:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $address,
            ", ARRAY[pg_catalog.pg_get_userbyid(o.defaclrole), CASE o.defaclobjtype WHEN 'r' THEN 'TABLES'
                WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS'
                ELSE 'LARGE OBJECTS' END, CASE WHEN r.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(r.grantee) END]
                AS names, r.privileges, r.grantable, r.usual
            FROM pg_catalog.pg_default_acl o CROSS JOIN LATERAL (
                SELECT g.grantee,
                    coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE NOT g.usual), '{}') AS privileges,
                    coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE NOT g.usual AND g.is_grantable),
                        '{}') AS grantable,
                    coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE g.usual), '{}') AS usual
                FROM (
                    SELECT e.grantee, e.privilege_type, e.is_grantable, false AS usual
                        FROM pg_catalog.aclexplode(o.defaclacl) e
                    UNION ALL SELECT e.grantee, e.privilege_type, false, true FROM pg_catalog.aclexplode(",
            $usual,
            ") e
                ) g GROUP BY g.grantee
            ) r WHERE (r.privileges <> r.usual OR r.grantable <> '{}') AND ",
            $rest
        )
    };
}

/// What one grantee gets on everything that a role creates, in any schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultPrivilege {
    privileges: Privileges,
    /// Those that the grantee may pass on.
    grantable: Privileges,
    /// What the grantee gets without default privileges.
    usual: Kept<Privileges>,
}

impl DefaultPrivilege {
    /// Whether the grantee may pass on what it gets.
    pub(super) fn may_be_passed_on(&self) -> bool {
        !self.grantable.is_empty()
    }
}

impl Definition for DefaultPrivilege {
    const KEYWORD: &'static str = "DEFAULT PRIVILEGES";
    const IN_SCHEMA: bool = false;
    const CONCERN: Concern = Concern::Privilege;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_default_acl)";
    const QUERY: &'static str = query!(
        "o.tableoid AS classid, o.oid AS objid, 0 AS objsubid",
        "pg_catalog.acldefault((CASE o.defaclobjtype WHEN 'S' THEN 's' ELSE o.defaclobjtype END)::\"char\", o.defaclrole)",
        "o.defaclnamespace = 0"
    );

    fn address(id: &ObjectId) -> String {
        address(id)
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { privileges, grantable, usual } = self;
        change(at, (&usual.0, NOT_GRANTABLE), (privileges, grantable))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { privileges, grantable, usual: _ } = to;
        Alteration::InPlace(change(at, (&self.privileges, &self.grantable), (privileges, grantable)))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { privileges, grantable, usual } = self;
        change(at, (privileges, grantable), (&usual.0, NOT_GRANTABLE))
    }

    fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
        id.names.last().map(String::as_str)
    }

    fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        roles(id)
    }
}

/// What one grantee gets on everything that a role creates in one schema, beyond what it gets in any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaDefaultPrivilege {
    privileges: Privileges,
    /// Those that the grantee may pass on.
    grantable: Privileges,
    /// Nothing: a schema can only add.
    usual: Kept<Privileges>,
}

impl SchemaDefaultPrivilege {
    /// Whether the grantee may pass on what it gets.
    pub(super) fn may_be_passed_on(&self) -> bool {
        !self.grantable.is_empty()
    }
}

impl Definition for SchemaDefaultPrivilege {
    const KEYWORD: &'static str = "DEFAULT PRIVILEGES";
    const SHAPE: Shape = Shape::Granted;
    const CONCERN: Concern = Concern::Privilege;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_default_acl)";
    const QUERY: &'static str = query!(
        "'pg_catalog.pg_namespace'::regclass::oid AS classid, o.defaclnamespace AS objid, 0 AS objsubid",
        "NULL::aclitem[]",
        "o.defaclnamespace <> 0"
    );

    fn address(id: &ObjectId) -> String {
        address(id)
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { privileges, grantable, usual } = self;
        change(at, (&usual.0, NOT_GRANTABLE), (privileges, grantable))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { privileges, grantable, usual: _ } = to;
        Alteration::InPlace(change(at, (&self.privileges, &self.grantable), (privileges, grantable)))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { privileges, grantable, usual } = self;
        change(at, (privileges, grantable), (&usual.0, NOT_GRANTABLE))
    }

    fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
        id.names.last().map(String::as_str)
    }

    fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        roles(id)
    }
}

/// Whose objects get the rights, and who.
fn roles(id: &ObjectId) -> Vec<(&str, Tie)> {
    let [from, _, to] = &*id.names else { return Vec::new() };
    vec![(from, Tie::Needs), (to, Tie::Needs)]
}

type Both<'a> = (&'a Privileges, &'a Privileges);

fn change(at: &At, (held, grantable): Both, (to_held, to_grantable): Both) -> Vec<Step> {
    let [_, class, to] = &*at.id.names else { return Vec::new() };
    let change = Rights { held, grantable }.change(Rights { held: to_held, grantable: to_grantable });
    let scope = scope(at.id);
    let statements = change.statements("", class, &grantee(to)).into_iter();
    statements.map(|statement| Step::new(format!("ALTER DEFAULT PRIVILEGES {scope} {statement}"))).collect()
}

/// `FOR ROLE app_owner IN SCHEMA app`
fn scope(id: &ObjectId) -> String {
    let role = id.names.first().map_or_else(String::new, |name| sql::ident(name));
    let schema = id.of.as_deref().map(|of| format!(" IN {of}")).unwrap_or_default();
    format!("FOR ROLE {role}{schema}")
}

fn address(id: &ObjectId) -> String {
    let [_, class, to] = &*id.names else { return String::new() };
    format!("{} ON {class} TO {}", scope(id), grantee(to))
}
