//! Operator classes and families: which operators and functions an index uses for a type.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Step},
    sql,
};

/// The members that hang on a class or a family `o`, as `pg_dump` divides them, and what those need: a member of a family is
/// dropped in silence with its function or operator (`deptype` is `a`), so that it has to go before.
macro_rules! query {
    ($columns:literal, $table:literal, $rest:literal) => {
        concat!(
            "SELECT o.tableoid AS classid, o.oid AS objid, 0 AS objsubid, ARRAY[am.amname] AS args,",
            $columns,
            ", (SELECT coalesce(pg_catalog.json_object_agg(m.place, m.member), '{}') FROM (
                SELECT 'OPERATOR ' || p.amopstrategy || ' (' || pg_catalog.format_type(p.amoplefttype, NULL) || ', '
                        || pg_catalog.format_type(p.amoprighttype, NULL) || ')' AS place,
                    'OPERATOR ' || p.amopstrategy || ' ' || p.amopopr::regoperator::text
                        || coalesce(' FOR ORDER BY ' || (SELECT pg_catalog.quote_ident(x.nspname) || '.'
                            || pg_catalog.quote_ident(f.opfname) FROM pg_catalog.pg_opfamily f
                            JOIN pg_catalog.pg_namespace x ON x.oid = f.opfnamespace WHERE f.oid = p.amopsortfamily), '')
                        AS member
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_amop p ON p.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_amop'::regclass AND d.refclassid = o.tableoid AND d.refobjid = o.oid
                UNION ALL
                SELECT 'FUNCTION ' || p.amprocnum || ' (' || pg_catalog.format_type(p.amproclefttype, NULL) || ', '
                        || pg_catalog.format_type(p.amprocrighttype, NULL) || ')',
                    'FUNCTION ' || p.amprocnum || ' (' || pg_catalog.format_type(p.amproclefttype, NULL) || ', '
                        || pg_catalog.format_type(p.amprocrighttype, NULL) || ') ' || p.amproc::regprocedure::text
                FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_amproc p ON p.oid = d.objid
                WHERE d.classid = 'pg_catalog.pg_amproc'::regclass AND d.refclassid = o.tableoid AND d.refobjid = o.oid
            ) m) AS members,
            ARRAY(SELECT ARRAY[f.refclassid::int8, f.refobjid::int8, f.refobjsubid::int8]
                FROM pg_catalog.pg_depend d
                    JOIN pg_catalog.pg_depend f ON f.classid = d.classid AND f.objid = d.objid AND (f.deptype = 'n'
                        OR f.deptype = 'a' AND f.refclassid IN ('pg_catalog.pg_proc'::regclass, 'pg_catalog.pg_operator'::regclass))
                WHERE d.classid IN ('pg_catalog.pg_amop'::regclass, 'pg_catalog.pg_amproc'::regclass)
                    AND d.refclassid = o.tableoid AND d.refobjid = o.oid) AS needs
            FROM ",
            $table,
            " o JOIN pg_catalog.pg_am am ON am.oid = ",
            $rest
        )
    };
}

/// A family: operators and functions that fit together, also across types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorFamily {
    /// The members that belong to no class, by their place: `OPERATOR 1 (integer, bigint)`.
    members: BTreeMap<String, String>,
}

impl Definition for OperatorFamily {
    const KEYWORD: &'static str = "OPERATOR FAMILY";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_opfamily WHERE oid >= 16384)";
    const QUERY: &'static str = query!(
        "ARRAY[n.nspname, o.opfname] AS names",
        "pg_catalog.pg_opfamily",
        "o.opfmethod JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace WHERE o.oid >= 16384"
    );

    fn address(id: &ObjectId) -> String {
        using(id)
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { members } = self;
        let add = (!members.is_empty()).then(|| change(at, "ADD", members.values()));
        std::iter::once(Step::new(format!("CREATE {}", at.id))).chain(add).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { members } = to;
        let gone: Vec<_> = self.members.iter().filter(|(place, member)| members.get(*place) != Some(member)).collect();
        let new: Vec<_> = members.iter().filter(|(place, member)| self.members.get(*place) != Some(member)).collect();
        let drop = (!gone.is_empty()).then(|| change(at, "DROP", gone.into_iter().map(|(place, _)| place)));
        let add = (!new.is_empty()).then(|| change(at, "ADD", new.into_iter().map(|(_, member)| member)));
        Alteration::InPlace(drop.into_iter().chain(add).collect())
    }
}

fn change<'a>(at: &At, verb: &str, what: impl Iterator<Item = &'a String>) -> Step {
    Step::new(format!("ALTER {} {verb}\n    {}", at.id, sql::join(what, ",\n    ")))
}

/// An operator class: how an access method indexes a type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorClass {
    data_type: String,
    /// Whether indexes on the type use it by themselves.
    default: bool,
    family: Vec<String>,
    /// What the index stores, where it is not the type itself.
    storage: Option<String>,
    members: BTreeMap<String, String>,
}

impl Definition for OperatorClass {
    const KEYWORD: &'static str = "OPERATOR CLASS";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_opclass WHERE oid >= 16384)";
    const QUERY: &'static str = query!(
        "ARRAY[n.nspname, o.opcname] AS names, pg_catalog.format_type(o.opcintype, NULL) AS data_type,
            o.opcdefault AS default, ARRAY[x.nspname, f.opfname] AS family,
            CASE WHEN o.opckeytype <> 0 THEN pg_catalog.format_type(o.opckeytype, NULL) END AS storage",
        "pg_catalog.pg_opclass",
        "o.opcmethod JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
            JOIN pg_catalog.pg_opfamily f ON f.oid = o.opcfamily JOIN pg_catalog.pg_namespace x ON x.oid = f.opfnamespace
            WHERE o.oid >= 16384"
    );

    fn address(id: &ObjectId) -> String {
        using(id)
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { data_type, default, family, storage, members } = self;
        let default = if *default { " DEFAULT" } else { "" };
        let name = sql::qualified(&at.id.names);
        let method = sql::idents(&at.id.args);
        let mut items: BTreeSet<String> = members.values().cloned().collect();
        if let Some(storage) = storage.as_ref().or_else(|| items.is_empty().then_some(data_type)) {
            items.insert(format!("STORAGE {storage}"));
        }
        vec![Step::new(format!(
            "CREATE OPERATOR CLASS {name}{default} FOR TYPE {data_type} USING {method} FAMILY {} AS\n    {}",
            sql::qualified(family),
            sql::join(items, ",\n    ")
        ))]
    }
}

fn using(id: &ObjectId) -> String {
    format!("{} USING {}", sql::qualified(&id.names), sql::idents(&id.args))
}
