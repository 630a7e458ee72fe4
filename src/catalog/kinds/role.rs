//! Roles, and which of them are members of which.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    Kind, Object,
    settings::{Settings, settings},
};
use crate::{
    catalog::{
        Alteration, At, Catalog, Concern, Definition, Encoding, Guard, Hazard, Kept, ObjectId, Step, Tie, Visit,
    },
    sql,
};

/// A role; its comment is an object of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    superuser: bool,
    inherit: bool,
    create_role: bool,
    create_db: bool,
    login: bool,
    replication: bool,
    bypass_rls: bool,
    /// How many sessions it can have; -1 for as many as the server takes.
    connection_limit: i32,
    /// When its password ends to be one.
    valid_until: Option<String>,
    /// What its sessions start with, in any database.
    settings: Settings,
    /// What its sessions start with in this database.
    settings_here: Settings,
    /// What a new role gets, as the desired state writes it: PostgreSQL keeps a sum over it, which is nobody's to read.
    password: Kept<Option<String>>,
}

impl Definition for Role {
    const KEYWORD: &'static str = "ROLE";
    const IN_SCHEMA: bool = false;
    const CONCERN: Concern = Concern::Role;
    const HAS_OPTIONS: bool = true;
    /// PostgreSQL's own, and the one that made the cluster, are the server's.
    const QUERY: &'static str = concat!(
        "
        SELECT 'pg_catalog.pg_authid'::regclass::oid AS classid, r.oid AS objid, 0 AS objsubid, ARRAY[r.rolname] AS names,
            r.rolsuper AS superuser, r.rolinherit AS inherit, r.rolcreaterole AS create_role, r.rolcreatedb AS create_db,
            r.rolcanlogin AS login, r.rolreplication AS replication, r.rolbypassrls AS bypass_rls,
            r.rolconnlimit AS connection_limit, nullif(r.rolvaliduntil, 'infinity')::text AS valid_until,
            NULL AS password,
            ",
        settings!("s.setrole = r.oid AND s.setdatabase = 0"),
        " AS settings,
            ",
        settings!(
            "s.setrole = r.oid AND s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database d
                WHERE d.datname = pg_catalog.current_database())"
        ),
        " AS settings_here
        FROM pg_catalog.pg_roles r WHERE r.oid >= 16384"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { password: Kept(password), .. } = self;
        let mut words = Self::default().words(self);
        words.extend(password.as_ref().map(|text| format!("PASSWORD {}", sql::literal(text))));
        let words = sql::join(words.iter().map(|word| format!(" {word}")), "");
        let mut steps = vec![Step::new(format!("CREATE {}{words}", at.id))];
        steps.extend(Self::default().set(self, at));
        steps
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let words = self.words(to);
        let mut steps = Vec::new();
        if !words.is_empty() {
            steps.push(Step::new(format!("ALTER {} {}", at.id, sql::join(words, " "))));
        }
        steps.extend(self.set(to, at));
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let why = "roles are the whole server's, and other databases may need this one";
        let step = Step::new(format!("DROP {}", at.id)).hazard(Hazard::MayFail { why: why.to_owned() });
        vec![step.guard(elsewhere(at.id))]
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.settings.visit("", visit);
        self.settings_here.visit(" in this database", visit);
        if let Kept(Some(password)) = &mut self.password {
            visit("password", Encoding::Literal, password);
        }
    }
}

/// What `CREATE ROLE` makes.
impl Default for Role {
    fn default() -> Self {
        Self {
            superuser: false,
            inherit: true,
            create_role: false,
            create_db: false,
            login: false,
            replication: false,
            bypass_rls: false,
            connection_limit: -1,
            valid_until: None,
            settings: Settings::default(),
            settings_here: Settings::default(),
            password: Kept(None),
        }
    }
}

impl Role {
    /// The options that lead from this role to another.
    fn words(&self, to: &Self) -> Vec<String> {
        let Self {
            superuser,
            inherit,
            create_role,
            create_db,
            login,
            replication,
            bypass_rls,
            connection_limit,
            valid_until,
            settings: _,
            settings_here: _,
            password: _,
        } = to;
        let flag = |word: &str, before: bool, after: bool| {
            (before != after).then(|| if after { word.to_owned() } else { format!("NO{word}") })
        };
        let limit =
            (self.connection_limit != *connection_limit).then(|| format!("CONNECTION LIMIT {connection_limit}"));
        let until = valid_until.as_deref().unwrap_or("infinity");
        let until = (self.valid_until != *valid_until).then(|| format!("VALID UNTIL {}", sql::literal(until)));
        [
            flag("SUPERUSER", self.superuser, *superuser),
            flag("INHERIT", self.inherit, *inherit),
            flag("CREATEROLE", self.create_role, *create_role),
            flag("CREATEDB", self.create_db, *create_db),
            flag("LOGIN", self.login, *login),
            flag("REPLICATION", self.replication, *replication),
            flag("BYPASSRLS", self.bypass_rls, *bypass_rls),
            limit,
            until,
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The statements that change the settings to those of another.
    fn set(&self, to: &Self, at: &At) -> Vec<Step> {
        let everywhere = format!("ALTER {}", at.id);
        let here = format!("{everywhere} IN {}", at.spelled(&super::database()));
        [self.settings.change(&to.settings, &everywhere), self.settings_here.change(&to.settings_here, &here)].concat()
    }
}

/// That nothing in another database is the role's, or gives it rights.
fn elsewhere(id: &ObjectId) -> Guard {
    let here = "(SELECT h.oid FROM pg_catalog.pg_database h WHERE h.datname = pg_catalog.current_database())";
    Guard {
        requires: format!("nothing in another database belongs to {id} or gives it rights"),
        query: format!(
            "SELECT CASE s.dbid WHEN 0 THEN 'the server' ELSE d.datname END AS where, \
                pg_catalog.count(*) AS objects, \
                CASE s.deptype WHEN 'o' THEN 'owned' ELSE 'with rights' END AS how \
            FROM pg_catalog.pg_shdepend s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.dbid \
            WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass \
                AND s.refobjid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = {}) \
                AND (s.dbid NOT IN (0, {here}) OR s.dbid = 0 AND s.deptype = 'o' AND s.objid <> {here}) \
            GROUP BY 1, 3 ORDER BY 1, 3 LIMIT 20",
            sql::literal(id.name())
        ),
    }
}

/// One role's membership in another, whoever granted it. Its address: the role, and the member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// Whether the member may pass it on.
    admin: bool,
    /// Whether the member has the rights of the role without a word; before 16, that is said of the member.
    inherit: bool,
    /// Whether the member may `SET ROLE`.
    set: bool,
    /// Those who granted it, where they have to be named: a grant is changed and revoked by its grantor.
    grantors: Kept<Vec<String>>,
}

impl Definition for Membership {
    const KEYWORD: &'static str = "MEMBERSHIP";
    const IN_SCHEMA: bool = false;
    const CONCERN: Concern = Concern::Role;
    /// Since 16, a role that may create roles and is no superuser administers those that it has created: that is a grant by
    /// the one who made the cluster, which nobody asked for and nobody can revoke. Memberships among PostgreSQL's own roles
    /// are the server's.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_auth_members'::regclass::oid AS classid, m.roleid AS objid, 0 AS objsubid,
            ARRAY[r.rolname, u.rolname] AS names, pg_catalog.bool_or(m.admin_option) AS admin,
            pg_catalog.bool_or(m.inherit_option) AS inherit, pg_catalog.bool_or(m.set_option) AS set, -- 16+
            true AS inherit, true AS set, -- <16
            pg_catalog.array_agg(CASE WHEN m.grantor = CASE WHEN pg_catalog.current_setting('is_superuser') = 'on' THEN 10 -- 16+
                ELSE c.oid END THEN '' ELSE pg_catalog.pg_get_userbyid(m.grantor)::text END ORDER BY m.grantor) AS grantors -- 16+
            '{\"\"}'::text[] AS grantors -- <16
        FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid
            JOIN pg_catalog.pg_roles u ON u.oid = m.member
            JOIN pg_catalog.pg_roles c ON c.rolname = current_user -- 16+
        WHERE (m.roleid >= 16384 OR m.member >= 16384)
            AND NOT (m.grantor = 10 AND m.admin_option AND NOT m.inherit_option AND NOT m.set_option -- 16+
                AND u.rolcreaterole AND NOT u.rolsuper) -- 16+
        GROUP BY m.roleid, r.rolname, u.rolname";

    fn address(id: &ObjectId) -> String {
        let (role, member) = parts(id);
        format!("OF {member} IN {role}")
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let (role, member) = parts(at.id);
        vec![Step::new(format!("GRANT {role} TO {member}{}", self.options(at)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { admin, inherit: _, set: _, grantors: _ } = to;
        let (role, member) = parts(at.id);
        Alteration::InPlace(if at.current.server.major < 16 {
            let statement = if *admin {
                format!("GRANT {role} TO {member} WITH ADMIN OPTION")
            } else {
                format!("REVOKE ADMIN OPTION FOR {role} FROM {member}")
            };
            vec![Step::new(statement)]
        } else if self.grantors.0 == [""] {
            to.create(at)
        } else {
            // What another grant gives cannot be taken away by this one.
            [self.drop(at), to.create(at)].concat()
        })
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let (role, member) = parts(at.id);
        let by = |grantor: &String| {
            if grantor.is_empty() { String::new() } else { format!(" GRANTED BY {}", sql::ident(grantor)) }
        };
        let revoke = |grantor| Step::new(format!("REVOKE {role} FROM {member}{}", by(grantor)));
        self.grantors.0.iter().map(revoke).collect()
    }

    fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        let ties = [Tie::Needs, Tie::Belongs];
        id.names.iter().map(String::as_str).zip(ties).collect()
    }
}

impl Membership {
    /// Since 16, everything is said, since what is left unsaid depends on the member.
    fn options(&self, at: &At) -> String {
        let Self { admin, inherit, set, grantors: _ } = self;
        match at.current.server.major {
            16.. => format!(" WITH ADMIN {admin}, INHERIT {inherit}, SET {set}").to_uppercase(),
            _ if *admin => " WITH ADMIN OPTION".to_owned(),
            _ => String::new(),
        }
    }
}

/// The role, and its member, quoted.
fn parts(id: &ObjectId) -> (String, String) {
    let part = |at: usize| id.names.get(at).map_or_else(String::new, |name| sql::ident(name));
    (part(0), part(1))
}

/// The address of a role.
pub fn role(name: &str) -> ObjectId {
    ObjectId::new(Kind::Role, [name])
}

/// The role whose membership this is, where it is one.
pub fn member(id: &ObjectId) -> Option<&str> {
    (id.kind == Kind::Membership).then(|| id.name())
}

impl Catalog {
    /// Says which password a role is to get when it is created.
    pub fn set_password(&mut self, name: &str, password: String) {
        if let Some(Object::Role(role)) = self.objects.get_mut(&role(name)) {
            Arc::make_mut(role).password = Kept(Some(password));
        }
    }
}
