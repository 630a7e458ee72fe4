//! Security labels on objects of any kind.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Step},
    sql,
};

/// Whether there is any label in the database's own catalog.
const ANY: &str = "EXISTS (SELECT objoid FROM pg_catalog.pg_seclabel)";

/// The labels on what the database alone has. PostgreSQL's own language is a member of its extension.
macro_rules! labels {
    () => {
        "SELECT classoid AS classid, objoid AS objid, objsubid, ARRAY[provider] AS names, label
        FROM pg_catalog.pg_seclabel l
        WHERE (objoid >= 16384
                OR classoid IN ('pg_catalog.pg_namespace'::regclass, 'pg_catalog.pg_language'::regclass))
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.classid = l.classoid AND d.objid = l.objoid AND l.objsubid = 0 AND d.objsubid = 0 AND d.deptype = 'i')"
    };
}

/// What a label provider says about an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecurityLabel {
    label: String,
}

impl Definition for SecurityLabel {
    const KEYWORD: &'static str = "SECURITY LABEL";
    const SHAPE: Shape = Shape::Granted;
    const PRESENT: &'static str = "EXISTS (SELECT objoid FROM pg_catalog.pg_seclabel
        UNION ALL SELECT objoid FROM pg_catalog.pg_shseclabel)";
    const QUERY: &'static str = concat!(
        labels!(),
        " UNION ALL
        SELECT s.classoid, s.objoid, 0, ARRAY[s.provider], s.label
        FROM pg_catalog.pg_shseclabel s"
    );

    fn address(id: &ObjectId) -> String {
        let of = id.of.as_deref().map_or_else(String::new, ToString::to_string);
        format!("FOR {} ON {of}", sql::idents(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { label } = self;
        on_object(at, &sql::literal(label))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        on_object(at, "NULL")
    }
}

/// `SECURITY LABEL FOR guard ON TABLE app.users IS …`
fn on_object(at: &At, label: &str) -> Vec<Step> {
    at.id.of.iter().flat_map(|of| on(at, &at.spelled(of), label)).collect()
}

fn on(at: &At, object: &str, label: &str) -> Vec<Step> {
    vec![Step::new(format!("SECURITY LABEL FOR {} ON {object} IS {label}", sql::idents(&at.id.names)))]
}

/// The label on a member of an extension: all of it that is not the extension's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MemberLabel(SecurityLabel);

impl Definition for MemberLabel {
    const KEYWORD: &'static str = "SECURITY LABEL";
    const SHAPE: Shape = Shape::Granted;
    const OF_MEMBERS: bool = true;
    const PRESENT: &'static str = ANY;
    const QUERY: &'static str = concat!(
        "SELECT m.* FROM (",
        labels!(),
        ") m WHERE EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = m.classid AND d.objid = m.objid AND d.objsubid = 0 AND d.deptype = 'e')"
    );

    fn address(id: &ObjectId) -> String {
        SecurityLabel::address(id)
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self(label) = self;
        label.create(at)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self(label) = to;
        self.0.alter(label, at)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self(label) = self;
        label.drop(at)
    }
}

/// The label on the sequence of an identity column, whose name is not that of the object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SequenceLabel {
    label: String,
    /// `app.users_id_seq`
    on: String,
}

impl Definition for SequenceLabel {
    const KEYWORD: &'static str = "SECURITY LABEL";
    const SHAPE: Shape = Shape::Granted;
    const PRESENT: &'static str = ANY;
    const QUERY: &'static str = "
        SELECT l.classoid AS classid, l.objoid AS objid, l.objsubid, ARRAY[l.provider] AS names, l.label,
            l.objoid::regclass::text AS on
        FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_class c ON c.tableoid = l.classoid AND c.oid = l.objoid
            JOIN pg_catalog.pg_depend s ON s.classid = c.tableoid AND s.objid = c.oid AND s.refclassid = c.tableoid
                AND s.deptype = 'i'
        WHERE c.relkind = 'S' AND l.objsubid = 0";

    fn address(id: &ObjectId) -> String {
        let of = id.of.as_deref().map_or_else(String::new, ToString::to_string);
        format!("FOR {} ON SEQUENCE OF {of}", sql::idents(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { label, on: sequence } = self;
        on(at, &format!("SEQUENCE {sequence}"), &sql::literal(label))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { label: _, on: sequence } = self;
        on(at, &format!("SEQUENCE {sequence}"), "NULL")
    }
}
