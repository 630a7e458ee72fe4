//! Rights on objects and columns, one definition per grantee.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::granted::{grants_on, grants_there, is_passed_on, owner_of, owner_of_whole, relation_of, rights_at};
use super::rights::{Change, NOT_GRANTABLE, Privileges, Rights};
use crate::{
    catalog::{Alteration, At, Concern, Definition, Kept, Kind, Object, ObjectId, Shape, Step, id::grantee},
    sql,
};

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
                WHERE e.grantee = r.grantee AND e.grantor <> o.owner GROUP BY 1) x) AS passed_on
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
        let Self { privileges, grantable, usual, passed_on: _, class, owner } = self;
        let target = Target { at, class: &class.0, role: role(at, &owner.0), last: false };
        let change = Rights { held: &usual.0, grantable: NOT_GRANTABLE }.change(Rights { held: privileges, grantable });
        target.by_owner(&change)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { privileges, grantable, usual: _, passed_on: _, class, owner } = to;
        let target = Target { at, class: &class.0, role: role(at, &owner.0), last: false };
        let change = self.rights().change(Rights { held: privileges, grantable });
        Alteration::InPlace(target.change(&change, &self.passed_on.0))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { privileges: _, grantable: _, usual, passed_on, class, owner } = self;
        let target = Target { at, class: &class.0, role: role(at, &owner.0), last: true };
        if at.id.names.first().is_some_and(|name| Some(name.as_str()) == owner_of(at)) {
            // The grantee is about to own the object, and PostgreSQL then merges its rights into those of the owner.
            return Vec::new();
        }
        let change = self.rights().change(Rights { held: &usual.0, grantable: NOT_GRANTABLE });
        target.change(&change, &passed_on.0)
    }

    fn role<'a>(&'a self, id: &'a ObjectId) -> Option<&'a str> {
        id.names.first().map(String::as_str)
    }

    /// A member of the owner who is also one of the new grantee might revoke as the latter, who has granted nothing.
    fn comes_after(&self, at: &At) -> Vec<ObjectId> {
        let goes = |id: &&ObjectId| self.may_be_passed_on() && !at.desired.contains(id);
        grants_there(at).map(|(id, _)| id).filter(goes).cloned().collect()
    }

    /// Whom objects of a schema are handed over to has to be allowed to have them there; and PostgreSQL lets nobody pass on
    /// rights on a column who may do so by rights on the relation only, as a member of the owner might by then.
    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        match at.id.of.as_deref() {
            Some(schema) if schema.kind == Kind::Schema && self.privileges.contains("CREATE") => {
                self.handed_over(schema, at)
            }
            Some(column) if column.kind.shape() == Shape::Column && self.may_be_passed_on() => {
                let whole = grants_on(at.desired, relation_of(at.desired, column)).map(|(id, _)| id);
                whole.filter(|id| !id.names.is_empty() && at.is_made(id)).cloned().collect()
            }
            _ => Vec::new(),
        }
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

    fn rights(&self) -> Rights<'_> {
        Rights { held: &self.privileges, grantable: &self.grantable }
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

/// Spells the grantee; `owner` was the owner when the definition was read.
fn role(at: &At, owner: &str) -> String {
    match at.id.names.first() {
        Some(name) => grantee(name),
        None => sql::ident(owner_of(at).unwrap_or(owner)),
    }
}

/// Whose rights on what change.
struct Target<'a> {
    at: &'a At<'a>,
    class: &'a str,
    role: String,
    /// Whether the rights go away as a whole, which comes after all other rights have been given.
    last: bool,
}

impl Target<'_> {
    /// The statements that change the rights, some of which others than the owner granted.
    fn change(&self, change: &Change, passed_on: &BTreeMap<String, Privileges>) -> Vec<Step> {
        let mut steps = self.revoked_by(change, passed_on);
        steps.extend(self.passed_on(change));
        steps.extend(self.by_owner(change));
        if self.class == "TABLE" && !(change.revoked.is_empty() && change.without.is_empty()) {
            steps.extend(self.columns_again(change));
        }
        steps
    }

    /// The statements between the rights before and after. Where PostgreSQL might let the role that connects act as somebody
    /// else whose rights it has and who may pass them on, the owner says them; so it does for a superuser, who would act as the
    /// owner: the role of the same name that proves the plan is none.
    fn by_owner(&self, change: &Change) -> Vec<Step> {
        let owner = owner_of_whole(self.at).filter(|owner| *owner != self.at.current.server.user);
        match owner.filter(|_| is_passed_on(self.at)) {
            Some(owner) => acting(owner, self.statements(change)),
            None => self.statements(change),
        }
    }

    /// What those revoke who granted it, as far as they keep the right to.
    fn revoked_by(&self, change: &Change, passed_on: &BTreeMap<String, Privileges>) -> Vec<Step> {
        let revoked = passed_on.iter().flat_map(|(grantor, passed)| {
            let Some(keeps) = rights_at(self.at.desired, &self.of_grantee(grantor)) else { return Vec::new() };
            let part = |lost: &Privileges| {
                passed.iter().filter(|it| lost.contains(*it) && keeps.grantable.contains(*it)).cloned().collect()
            };
            let change = Change { revoked: part(&change.revoked), without: part(&change.without), ..Change::default() };
            acting(grantor, self.statements(&change))
        });
        revoked.collect()
    }

    /// What the grantee granted in turn, and no longer can: it goes, and where it is desired, it comes from the owner.
    fn passed_on(&self, change: &Change) -> Vec<Step> {
        let lost: Privileges = change.revoked.union(&change.without).cloned().collect();
        let (Some(grantor), false) = (self.at.id.names.first(), lost.is_empty()) else { return Vec::new() };
        let mut steps = Vec::new();
        for (id, grant) in grants_there(self.at) {
            let Some(passed) = grant.passed_on.0.get(grantor) else { continue };
            let passed: Privileges = passed.intersection(&lost).cloned().collect();
            let at = At { id, ..*self.at };
            let other = Target { at: &at, class: self.class, role: role(&at, &grant.owner.0), last: false };
            if let Some(keeps) = rights_at(self.at.desired, id) {
                let with: Privileges = passed.intersection(&keeps.grantable).cloned().collect();
                let granted =
                    passed.iter().filter(|it| keeps.privileges.contains(*it) && !with.contains(*it)).cloned().collect();
                steps.extend(other.statements(&Change { granted, with, ..Change::default() }));
            }
            steps.extend(acting(grantor, other.statements(&Change { revoked: passed, ..Change::default() })));
        }
        steps
    }

    /// The address of another grantee's rights on the same object.
    fn of_grantee(&self, name: &str) -> ObjectId {
        ObjectId { names: vec![name.to_owned()].into(), ..self.at.id.clone() }
    }

    /// The statements between the rights before and after.
    fn statements(&self, change: &Change) -> Vec<Step> {
        let column = self.at.id.of.as_deref().filter(|_| self.class == "COLUMN");
        let part = column.map(|id| format!(" ({})", sql::ident(id.name()))).unwrap_or_default();
        change.statements(&part, &self.on(), &self.role).into_iter().map(Step::new).collect()
    }

    /// What `REVOKE` on a table takes from its columns too, and what stays there.
    fn columns_again(&self, change: &Change) -> Vec<Step> {
        let Some(of) = self.at.id.of.as_deref() else { return Vec::new() };
        let on_column = |id: &ObjectId| {
            let column = id.of.as_deref().filter(|column| column.kind.shape() == Shape::Column);
            id.kind == Kind::Grant
                && id.names == self.at.id.names
                && column.is_some_and(|it| it.names.starts_with(&of.names))
        };
        let given = |id: &ObjectId| self.last || self.at.current.contains(id);
        let kept = self.at.desired.iter().filter(|(id, _)| on_column(id) && given(id));
        kept.flat_map(|(id, object)| match object {
            Object::Grant(grant) => {
                let lost = |word: &&String| change.revoked.contains(*word) || change.without.contains(*word);
                let with: Privileges = grant.grantable.iter().filter(lost).cloned().collect();
                let granted = grant.privileges.intersection(&change.revoked);
                let granted = granted.filter(|word| !with.contains(*word)).cloned().collect();
                let at = At { id, ..*self.at };
                let target = Target { at: &at, class: "COLUMN", role: self.role.clone(), last: self.last };
                target.statements(&Change { granted, with, ..Change::default() })
            }
            _ => Vec::new(),
        })
        .collect()
    }

    /// `TABLE app.users`; for a column the table that it is in.
    fn on(&self) -> String {
        let Some(of) = self.at.id.of.as_deref() else { return String::new() };
        match self.class {
            "COLUMN" => format!("TABLE {}", of.relation()),
            class if class.starts_with("SEQUENCE ") => class.to_owned(),
            "FUNCTION" | "PROCEDURE" => {
                format!("{} {}({})", self.class, sql::qualified(&of.names), sql::join(&of.args, ", "))
            }
            "DATABASE" => self.at.spelled(of),
            class => format!("{class} {}", of.address()),
        }
    }
}

/// Statements that only take effect when `role` executes them.
fn acting(role: &str, steps: Vec<Step>) -> Vec<Step> {
    if steps.is_empty() {
        return steps;
    }
    let before = Step::new(format!("SET ROLE {}", sql::ident(role)));
    std::iter::once(before).chain(steps).chain([Step::new("RESET ROLE")]).collect()
}
