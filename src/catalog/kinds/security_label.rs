//! Security labels on objects of any kind.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Step},
    sql,
};

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
    const QUERY: &'static str = "
        SELECT classoid AS classid, objoid AS objid, objsubid, ARRAY[provider] AS names, label
        FROM pg_catalog.pg_seclabel l
        WHERE (objoid >= 16384 OR classoid = 'pg_catalog.pg_namespace'::regclass)
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.classid = l.classoid AND d.objid = l.objoid AND l.objsubid = 0 AND d.objsubid = 0 AND d.deptype = 'i')
        UNION ALL
        SELECT s.classoid, s.objoid, 0, ARRAY[s.provider], s.label
        FROM pg_catalog.pg_shseclabel s";

    fn address(id: &ObjectId) -> String {
        let of = id.of.as_deref().map_or_else(String::new, ToString::to_string);
        format!("FOR {} ON {of}", sql::idents(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { label } = self;
        on(at, &sql::literal(label))
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        Alteration::InPlace(to.create(at))
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        on(at, "NULL")
    }
}

/// `SECURITY LABEL FOR guard ON TABLE app.users IS …`
fn on(at: &At, label: &str) -> Vec<Step> {
    let provider = sql::idents(&at.id.names);
    let step = |of| Step::new(format!("SECURITY LABEL FOR {provider} ON {} IS {label}", at.spelled(of)));
    at.id.of.iter().map(|of| step(of)).collect()
}
