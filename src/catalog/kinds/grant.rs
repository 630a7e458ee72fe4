//! Rights on objects and columns, one definition per grantee.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::granted::owner_of;
use super::granting::Granting;
use super::rights::{NOT_GRANTABLE, Privileges, Rights};
use crate::catalog::{Alteration, At, Concern, Definition, Kept, Kind, ObjectId, Shape, Step, id::grantee};

/// The rights on the rows `$source` gives, by grantee, where they differ from those from the start: those that PostgreSQL gives
/// to what is created, or for a member of an extension, those that its script left.
macro_rules! query {
    ($($source:tt)*) => {
        concat!(
            "SELECT o.classid, o.objid, o.objsubid, o.class, pg_catalog.pg_get_userbyid(o.owner) AS owner,
            CASE WHEN r.grantee = o.owner AND o.class <> 'COLUMN' THEN '{}' WHEN r.grantee = 0 THEN '{\"\"}'
                ELSE ARRAY[pg_catalog.pg_get_userbyid(r.grantee)::text] END AS names,
            r.privileges, r.grantable, r.usual,
            (SELECT coalesce(pg_catalog.json_object_agg(x.grantor, x.privileges), '{}') FROM (
                SELECT pg_catalog.pg_get_userbyid(e.grantor) AS grantor, pg_catalog.array_agg(DISTINCT e.privilege_type)
                    AS privileges FROM pg_catalog.aclexplode(o.acl) e
                WHERE e.grantee = r.grantee AND e.grantor <> o.owner GROUP BY 1) x) AS passed_on,
            (SELECT coalesce(pg_catalog.array_agg(DISTINCT e.privilege_type), '{}') FROM pg_catalog.aclexplode(o.acl) e
                WHERE e.grantee = 0 AND e.grantor = r.grantee AND e.grantor <> o.owner) AS to_public
        FROM (",
            $($source)*,
            ") o LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.objid
            AND i.objsubid = o.objsubid AND i.privtype = 'e' CROSS JOIN LATERAL (
            SELECT g.grantee,
                coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE NOT g.usual), '{}') AS privileges,
                coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE NOT g.usual AND g.is_grantable), '{}')
                    AS grantable,
                coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE g.usual), '{}') AS usual,
                coalesce(pg_catalog.array_agg(DISTINCT g.privilege_type) FILTER (WHERE g.usual AND g.is_grantable), '{}')
                    AS usually_grantable
            FROM (
                SELECT e.grantee, e.privilege_type, e.is_grantable, false AS usual FROM pg_catalog.aclexplode(o.acl) e
                UNION ALL SELECT e.grantee, e.privilege_type, e.is_grantable AND i.initprivs IS NOT NULL, true
                    FROM pg_catalog.aclexplode(coalesce(i.initprivs, pg_catalog.acldefault(o.kind::\"char\", o.owner))) e
            ) g GROUP BY g.grantee
        ) r
        WHERE o.acl IS NOT NULL AND (o.objid >= 16384
                OR o.classid IN ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_database'::regclass,
                    'pg_catalog.pg_language'::regclass))
            AND (r.privileges <> r.usual OR r.grantable <> r.usually_grantable)"
        )
    };
}

/// Everything that has rights.
macro_rules! objects {
    () => {
        "SELECT tableoid AS classid, oid AS objid, 0 AS objsubid, 'SCHEMA' AS class, nspowner AS owner, nspacl AS acl,
                'n' AS kind FROM pg_catalog.pg_namespace
            UNION ALL SELECT tableoid, oid, 0, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, relowner, relacl,
                CASE relkind WHEN 'S' THEN 's' ELSE 'r' END FROM pg_catalog.pg_class k WHERE relpersistence <> 't'
                AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = k.tableoid
                    AND d.objid = k.oid AND d.objsubid = 0 AND d.deptype = 'i'))
            UNION ALL SELECT 'pg_catalog.pg_class'::regclass, a.attrelid, a.attnum, 'COLUMN', c.relowner, a.attacl, 'c'
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE NOT a.attisdropped
            UNION ALL SELECT tableoid, oid, 0, CASE prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, proowner, proacl,
                'f' FROM pg_catalog.pg_proc
            UNION ALL SELECT tableoid, oid, 0, CASE typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, typowner, typacl, 'T'
                FROM pg_catalog.pg_type
            UNION ALL SELECT tableoid, oid, 0, 'LANGUAGE', lanowner, lanacl, 'l' FROM pg_catalog.pg_language
            UNION ALL SELECT tableoid, oid, 0, 'FOREIGN DATA WRAPPER', fdwowner, fdwacl, 'F'
                FROM pg_catalog.pg_foreign_data_wrapper
            UNION ALL SELECT tableoid, oid, 0, 'FOREIGN SERVER', srvowner, srvacl, 'S' FROM pg_catalog.pg_foreign_server
            UNION ALL SELECT tableoid, oid, 0, 'DATABASE', datdba, datacl, 'd' FROM pg_catalog.pg_database
                WHERE datname = pg_catalog.current_database()"
    };
}

/// What is said about rights that are read elsewhere, and are given and taken like any others.
macro_rules! like_a_grant {
    () => {
        fn create(&self, at: &At) -> Vec<Step> {
            let Self(grant) = self;
            grant.create(at)
        }

        fn alter(&self, to: &Self, at: &At) -> Alteration {
            let Self(grant) = to;
            self.0.alter(grant, at)
        }

        fn drop(&self, at: &At) -> Vec<Step> {
            let Self(grant) = self;
            grant.drop(at)
        }

        fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
            self.0.role(id)
        }
    };
}

/// The rights of one grantee on one object, where they are not those that PostgreSQL gives from the start.
///
/// Who granted them makes no difference. The owner is addressed as such and not by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    privileges: Privileges,
    /// Those that the grantee may pass on.
    grantable: Privileges,
    /// What PostgreSQL gives from the start.
    usual: Kept<Privileges>,
    /// Those that others than the owner granted, by who did: only they can revoke them.
    passed_on: Kept<BTreeMap<String, Privileges>>,
    /// Those that the grantee granted to everybody, which may be no more than everybody has from the start.
    to_public: Kept<Privileges>,
    /// What `GRANT … ON` calls the object: `TABLE`, `FUNCTION`; `COLUMN` for a column, `SEQUENCE app.t_id_seq` for its own.
    class: Kept<String>,
    /// The owner of the object when it was read.
    owner: Kept<String>,
}

impl Definition for Grant {
    const KEYWORD: &'static str = "GRANT";
    const SHAPE: Shape = Shape::Granted;
    const CONCERN: Concern = Concern::Privilege;
    const QUERY: &'static str = query!(objects!());

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { privileges, grantable, usual: _, passed_on: _, to_public: _, class, owner } = self;
        let change = self.usual().change(Rights { held: privileges, grantable });
        Granting { at, class: &class.0, owner: &owner.0, last: false }.change(&change)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { privileges, grantable, usual: _, passed_on: _, to_public: _, class, owner } = to;
        let change = self.rights().change(Rights { held: privileges, grantable });
        Alteration::InPlace(Granting { at, class: &class.0, owner: &owner.0, last: false }.change(&change))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { privileges: _, grantable: _, usual: _, passed_on: _, to_public: _, class, owner } = self;
        if at.id.names.first().is_some_and(|name| Some(name.as_str()) == owner_of(at)) {
            // The grantee is about to own the object, and PostgreSQL then merges its rights into those of the owner.
            return Vec::new();
        }
        let change = self.rights().change(self.usual());
        Granting { at, class: &class.0, owner: &owner.0, last: true }.change(&change)
    }

    fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
        id.names.first().map(String::as_str)
    }

    /// Whom objects of a schema are handed over to has to be allowed to have them there.
    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        let schema = at.id.of.as_deref().filter(|of| of.kind == Kind::Schema && self.privileges.contains("CREATE"));
        schema.map(|schema| self.handed_over(schema, at)).unwrap_or_default()
    }
}

impl Grant {
    /// Rights that PostgreSQL would not give by itself.
    pub(super) fn new(privileges: &[&str], class: &str) -> Self {
        Self {
            privileges: privileges.iter().map(|it| (*it).to_owned()).collect(),
            grantable: Privileges::new(),
            usual: Kept(Privileges::new()),
            passed_on: Kept(BTreeMap::new()),
            to_public: Kept(Privileges::new()),
            class: Kept(class.to_owned()),
            owner: Kept(String::new()),
        }
    }

    /// Whose objects in a schema need that the grantee may create something there.
    fn handed_over(&self, schema: &ObjectId, at: &At) -> Vec<ObjectId> {
        let everybody = at.id.names.iter().all(String::is_empty);
        let inside = |id: &ObjectId| id.root().kind != Kind::Schema && id.schema() == Some(schema.name());
        let owners = at.desired.iter().filter(|(id, _)| id.kind == Kind::Owner && inside(id));
        let theirs = owners.filter(|(id, owner)| everybody || owner.role(id) == self.role(at.id));
        theirs.map(|(id, _)| id.clone()).collect()
    }

    /// Whether the grantee may pass on any of them.
    pub(super) fn may_be_passed_on(&self) -> bool {
        !self.grantable.is_empty()
    }

    /// What the grantee may do.
    pub(super) fn rights(&self) -> Rights<'_> {
        Rights { held: &self.privileges, grantable: &self.grantable }
    }

    /// What the grantee has from the start.
    pub(super) fn usual(&self) -> Rights<'_> {
        Rights { held: &self.usual.0, grantable: NOT_GRANTABLE }
    }

    /// Whether the grantee granted a right to everybody.
    pub(super) fn is_given_to_public(&self, word: &str) -> bool {
        self.to_public.0.contains(word)
    }

    /// Who else than the owner of the object granted a right.
    pub(super) fn grantors(&self, word: &str) -> impl Iterator<Item = &str> {
        self.passed_on.0.iter().filter(move |(_, passed)| passed.contains(word)).map(|(grantor, _)| grantor.as_str())
    }
}

/// The rights of one grantee on the sequence of an identity column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SequenceGrant(Grant);

impl SequenceGrant {
    /// The rights.
    pub(super) fn said(&self) -> &Grant {
        &self.0
    }
}

impl Definition for SequenceGrant {
    const KEYWORD: &'static str = "GRANT";
    const SHAPE: Shape = Shape::Granted;
    const CONCERN: Concern = Concern::Privilege;
    const QUERY: &'static str = query!(
        "SELECT c.tableoid AS classid, c.oid AS objid, 0 AS objsubid,
            'SEQUENCE ' || d.objid::regclass::text AS class, c.relowner AS owner, c.relacl AS acl, 's' AS kind
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_depend d ON d.classid = c.tableoid AND d.objid = c.oid
            AND d.refclassid = c.tableoid AND d.deptype = 'i'
        WHERE c.relkind = 'S'"
    );

    fn address(id: &ObjectId) -> String {
        let role = id.names.first().map_or_else(|| "OWNER".to_owned(), |name| grantee(name));
        let of = id.of.as_deref().map_or_else(String::new, ToString::to_string);
        format!("TO {role} ON SEQUENCE OF {of}")
    }

    like_a_grant!();
}

/// The rights of one grantee on a member of an extension, beyond those that its script left: all of it that is not the
/// extension's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberGrant(Grant);

impl Definition for MemberGrant {
    const KEYWORD: &'static str = "GRANT";
    const SHAPE: Shape = Shape::Granted;
    const CONCERN: Concern = Concern::Privilege;
    const OF_MEMBERS: bool = true;
    const QUERY: &'static str = query!(concat!(
        "SELECT m.* FROM (",
        objects!(),
        ") m WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = m.classid AND d.objid = m.objid AND d.deptype = 'e')"
    ));

    like_a_grant!();
}
