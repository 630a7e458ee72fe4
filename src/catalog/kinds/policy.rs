//! Row security policies.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Step, Tie},
    sql,
};

/// A policy of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Widens what other policies allow; else restricts it.
    permissive: bool,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE`, `DELETE`
    command: String,
    /// The roles to which it applies; empty for `PUBLIC`.
    roles: Vec<String>,
    using: Option<String>,
    check: Option<String>,
}

impl Definition for Policy {
    const KEYWORD: &'static str = "POLICY";
    const SHAPE: Shape = Shape::OnRelation;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_policy)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_policy'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname, p.polname] AS names, p.polpermissive AS permissive,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END AS command,
            ARRAY(SELECT pg_catalog.pg_get_userbyid(r) FROM pg_catalog.unnest(p.polroles) r WHERE r <> 0
                ORDER BY 1) AS roles,
            pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS using,
            pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS check
        FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE p.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { permissive, command, roles, using, check } = self;
        let mut text = format!("CREATE {}", at.id);
        if !permissive {
            text.push_str(" AS RESTRICTIVE");
        }
        if command != "ALL" {
            text.push_str(&format!(" FOR {command}"));
        }
        if !roles.is_empty() {
            text.push_str(&to_roles(roles));
        }
        text.push_str(&expressions(using.as_ref(), check.as_ref()));
        vec![Step::new(text)]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { permissive, command, roles, using, check } = to;
        let gone = self.using.is_some() && using.is_none() || self.check.is_some() && check.is_none();
        if gone || self.permissive != *permissive || self.command != *command {
            return Alteration::Replace;
        }
        let roles = if self.roles == *roles { String::new() } else { to_roles(roles) };
        let using = using.as_ref().filter(|_| self.using != *using);
        let check = check.as_ref().filter(|_| self.check != *check);
        Alteration::InPlace(vec![Step::new(format!("ALTER {}{roles}{}", at.id, expressions(using, check)))])
    }

    fn roles<'a>(&'a self, _: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        self.roles.iter().map(|role| (role.as_str(), Tie::Needs)).collect()
    }
}

fn to_roles(roles: &[String]) -> String {
    if roles.is_empty() { " TO PUBLIC".to_owned() } else { format!(" TO {}", sql::idents(roles)) }
}

fn expressions(using: Option<&String>, check: Option<&String>) -> String {
    let using = using.map(|text| format!(" USING ({text})")).unwrap_or_default();
    let check = check.map(|text| format!(" WITH CHECK ({text})")).unwrap_or_default();
    using + &check
}
