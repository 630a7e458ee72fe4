//! Foreign data: wrappers, servers, user mappings.

use serde::{Deserialize, Serialize};

use super::foreign_options::ForeignOptions;
use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Step, Tie, Visit, id::grantee},
    sql,
};

/// A foreign data wrapper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    handler: Option<String>,
    validator: Option<String>,
    options: ForeignOptions,
}

impl Definition for Wrapper {
    const KEYWORD: &'static str = "FOREIGN DATA WRAPPER";
    const HAS_OPTIONS: bool = true;
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_foreign_data_wrapper)";
    const QUERY: &'static str = "
        SELECT w.tableoid AS classid, w.oid AS objid, 0 AS objsubid, ARRAY[w.fdwname] AS names,
            CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regproc::text END AS handler,
            CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regproc::text END AS validator,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(w.fdwoptions) o) AS options
        FROM pg_catalog.pg_foreign_data_wrapper w WHERE w.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { handler, validator, options } = self;
        let handler = handler.as_ref().map(|name| format!(" HANDLER {name}")).unwrap_or_default();
        let validator = validator.as_ref().map(|name| format!(" VALIDATOR {name}")).unwrap_or_default();
        vec![Step::new(format!("CREATE {}{handler}{validator}{}", at.id, options.clause()))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { handler, validator, options } = to;
        let function = |word: &str, before: &Option<String>, after: &Option<String>| match after {
            _ if before == after => String::new(),
            Some(name) => format!(" {word} {name}"),
            None => format!(" NO {word}"),
        };
        let handler = function("HANDLER", &self.handler, handler);
        let validator = function("VALIDATOR", &self.validator, validator);
        let options = self.options.change(options);
        Alteration::InPlace(vec![Step::new(format!("ALTER {}{handler}{validator}{options}", at.id))])
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.options.visit(visit);
    }
}

/// A foreign server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignServer {
    wrapper: String,
    server_type: Option<String>,
    version: Option<String>,
    options: ForeignOptions,
}

impl Definition for ForeignServer {
    const KEYWORD: &'static str = "SERVER";
    const HAS_OPTIONS: bool = true;
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_foreign_server)";
    const QUERY: &'static str = "
        SELECT s.tableoid AS classid, s.oid AS objid, 0 AS objsubid, ARRAY[s.srvname] AS names, w.fdwname AS wrapper,
            s.srvtype AS server_type, s.srvversion AS version,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(s.srvoptions) o) AS options
        FROM pg_catalog.pg_foreign_server s JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        WHERE s.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { wrapper, server_type, version, options } = self;
        let kind = server_type.as_ref().map(|text| format!(" TYPE {}", sql::literal(text))).unwrap_or_default();
        let version = version.as_ref().map(|text| format!(" VERSION {}", sql::literal(text))).unwrap_or_default();
        let wrapper = sql::ident(wrapper);
        let options = options.clause();
        vec![Step::new(format!("CREATE {}{kind}{version} FOREIGN DATA WRAPPER {wrapper}{options}", at.id))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { wrapper, server_type, version, options } = to;
        if self.wrapper != *wrapper || self.server_type != *server_type {
            return Alteration::Replace;
        }
        let version = match version {
            _ if self.version == *version => String::new(),
            Some(text) => format!(" VERSION {}", sql::literal(text)),
            None => " VERSION NULL".to_owned(),
        };
        Alteration::InPlace(vec![Step::new(format!("ALTER {}{version}{}", at.id, self.options.change(options)))])
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.options.visit(visit);
    }
}

/// As whom a role, or everybody, speaks to a foreign server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserMapping {
    options: ForeignOptions,
}

impl Definition for UserMapping {
    const KEYWORD: &'static str = "USER MAPPING";
    const HAS_OPTIONS: bool = true;
    const IN_SCHEMA: bool = false;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_foreign_server)";
    /// `pg_user_mapping` itself is for superusers only; the view shows options to those who may see them.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_user_mapping'::regclass::oid AS classid, u.umid AS objid, 0 AS objsubid,
            ARRAY[u.srvname, CASE WHEN u.umuser = 0 THEN '' ELSE u.usename END] AS names,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(u.umoptions) o) AS options
        FROM pg_catalog.pg_user_mappings u WHERE u.umid >= 16384";

    fn address(id: &ObjectId) -> String {
        let server = id.names.first().map_or_else(String::new, |name| sql::ident(name));
        format!("FOR {} SERVER {server}", grantee(id.name()))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { options } = self;
        vec![Step::new(format!("CREATE {}{}", at.id, options.clause()))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { options } = to;
        Alteration::InPlace(vec![Step::new(format!("ALTER {}{}", at.id, self.options.change(options)))])
    }

    fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        vec![(id.name(), Tie::Needs)]
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        self.options.visit(visit);
    }
}
