//! Range types.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{At, Definition, ObjectId, Slot, Space, Step},
    sql,
};

/// A range type, which brings its multirange type along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    subtype: String,
    /// Where it is not the subtype's default.
    subtype_opclass: Option<Vec<String>>,
    /// Where it is not the subtype's own.
    collation: Option<Vec<String>>,
    canonical: Option<Vec<String>>,
    subtype_diff: Option<Vec<String>>,
    multirange: Vec<String>,
}

impl Definition for Range {
    const KEYWORD: &'static str = "TYPE";
    const SWAPS: bool = true;
    // The functions that make values belong to the superuser of the cluster, so that nobody else can rename them.
    const IN_THE_WAY: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT rngtypid FROM pg_catalog.pg_range WHERE rngtypid >= 16384)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_type'::regclass::oid AS classid, t.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, t.typname] AS names, pg_catalog.format_type(r.rngsubtype, NULL) AS subtype,
            (SELECT ARRAY[m.nspname, o.opcname] FROM pg_catalog.pg_opclass o
                JOIN pg_catalog.pg_namespace m ON m.oid = o.opcnamespace
                WHERE o.oid = r.rngsubopc AND NOT o.opcdefault) AS subtype_opclass,
            CASE WHEN r.rngcollation <> s.typcollation THEN
                (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                    JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = r.rngcollation) END AS collation,
            (SELECT ARRAY[m.nspname, p.proname] FROM pg_catalog.pg_proc p
                JOIN pg_catalog.pg_namespace m ON m.oid = p.pronamespace WHERE p.oid = r.rngcanonical) AS canonical,
            (SELECT ARRAY[m.nspname, p.proname] FROM pg_catalog.pg_proc p
                JOIN pg_catalog.pg_namespace m ON m.oid = p.pronamespace WHERE p.oid = r.rngsubdiff) AS subtype_diff,
            (SELECT ARRAY[m.nspname, u.typname] FROM pg_catalog.pg_type u
                JOIN pg_catalog.pg_namespace m ON m.oid = u.typnamespace WHERE u.oid = r.rngmultitypid) AS multirange
        FROM pg_catalog.pg_range r JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
            JOIN pg_catalog.pg_type s ON s.oid = r.rngsubtype
            JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { subtype, subtype_opclass, collation, canonical, subtype_diff, multirange } = self;
        let mut options = vec![format!("SUBTYPE = {subtype}")];
        for (option, name) in [
            ("SUBTYPE_OPCLASS", subtype_opclass),
            ("COLLATION", collation),
            ("CANONICAL", canonical),
            ("SUBTYPE_DIFF", subtype_diff),
            ("MULTIRANGE_TYPE_NAME", &Some(multirange.clone())),
        ] {
            options.extend(name.as_ref().map(|name| format!("{option} = {}", sql::qualified(name))));
        }
        vec![Step::new(format!("CREATE {} AS RANGE ({})", at.id, sql::join(options, ", ")))]
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Type, id.names.clone()), Slot(Space::Type, self.multirange.clone().into())]
    }
}
