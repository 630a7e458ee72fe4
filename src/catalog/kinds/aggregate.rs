//! Aggregate functions: ordinary, ordered-set, hypothetical-set, moving.

use serde::{Deserialize, Serialize};

use super::routine::{Signature, slots};
use crate::{
    catalog::{Alteration, At, Definition, Kept, ObjectId, Shape, Slot, Step},
    sql,
};

/// An aggregate function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// As `pg_get_function_arguments` writes them: `double precision ORDER BY integer`.
    arguments: String,
    result: String,
    /// `NORMAL`, `ORDERED SET`, `HYPOTHETICAL`
    form: String,
    transition: Transition,
    finish: Option<Finish>,
    /// How it is computed over a window that moves.
    moving: Option<Box<Moving>>,
    /// Joins two states.
    combine: Option<String>,
    serialize: Option<String>,
    deserialize: Option<String>,
    /// The operator that sorts as the aggregate chooses: `OPERATOR(pg_catalog.<)`.
    sort_operator: Option<String>,
    parallel: String,
    signature: Kept<Signature>,
    /// How many arguments stand before `ORDER BY`.
    direct: Kept<i16>,
}

/// The state, and the function that takes one more row into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Transition {
    function: String,
    data_type: String,
    space: i32,
    initial: Option<String>,
}

/// The function that makes the result of the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    function: String,
    extra: bool,
    modify: String,
}

/// What computes the aggregate over a window that moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Moving {
    transition: Transition,
    /// Takes a row out of the state.
    inverse: String,
    finish: Option<Finish>,
}

impl Definition for Aggregate {
    const KEYWORD: &'static str = "AGGREGATE";
    const SHAPE: Shape = Shape::Routine;
    const PRESENT: &'static str = "EXISTS (SELECT aggfnoid FROM pg_catalog.pg_aggregate WHERE aggfnoid >= 16384)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, p.proname] AS names,
            ARRAY(SELECT pg_catalog.format_type(t.oid, NULL)
                FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY t (oid, n) ORDER BY t.n) AS args,
            pg_catalog.pg_get_function_arguments(p.oid) AS arguments, pg_catalog.pg_get_function_result(p.oid) AS result,
            CASE a.aggkind WHEN 'o' THEN 'ORDERED SET' WHEN 'h' THEN 'HYPOTHETICAL' ELSE 'NORMAL' END AS form,
            a.aggnumdirectargs AS direct,
            pg_catalog.json_build_object('function', a.aggtransfn::text,
                'data_type', pg_catalog.format_type(a.aggtranstype, NULL), 'space', a.aggtransspace,
                'initial', a.agginitval) AS transition,
            CASE WHEN a.aggfinalfn <> 0 THEN pg_catalog.json_build_object('function', a.aggfinalfn::text,
                'extra', a.aggfinalextra, 'modify', CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY'
                    WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) END AS finish,
            CASE WHEN a.aggmtransfn <> 0 THEN pg_catalog.json_build_object('inverse', a.aggminvtransfn::text,
                'transition', pg_catalog.json_build_object('function', a.aggmtransfn::text,
                    'data_type', pg_catalog.format_type(a.aggmtranstype, NULL), 'space', a.aggmtransspace,
                    'initial', a.aggminitval),
                'finish', CASE WHEN a.aggmfinalfn <> 0 THEN pg_catalog.json_build_object('function', a.aggmfinalfn::text,
                    'extra', a.aggmfinalextra, 'modify', CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY'
                        WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) END) END AS moving,
            CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::text END AS combine,
            CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::text END AS serialize,
            CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::text END AS deserialize,
            (SELECT 'OPERATOR(' || pg_catalog.quote_ident(m.nspname) || '.' || o.oprname || ')'
                FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace m ON m.oid = o.oprnamespace
                WHERE o.oid = a.aggsortop) AS sort_operator,
            CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END AS parallel,
            pg_catalog.json_build_object('returns', pg_catalog.format_type(p.prorettype, NULL), 'set', false, 'defaults', 0,
                'polymorphic', false, 'outputs', '{}'::text[], 'inputs', coalesce(p.proargnames, '{}')) AS signature
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
            JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE p.oid >= 16384";

    fn address(id: &ObjectId) -> String {
        let args = if id.args.is_empty() { "*".to_owned() } else { sql::join(&id.args, ", ") };
        format!("{}({args})", sql::qualified(&id.names))
    }

    fn create(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("CREATE {}", self.spelled(at)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let allowed = self.form == to.form
            && self.direct.0 == to.direct.0
            && self.signature.0.allows(&to.signature.0, self.arguments == to.arguments);
        if allowed {
            Alteration::InPlace(vec![Step::new(format!("CREATE OR REPLACE {}", to.spelled(at)))])
        } else {
            Alteration::Replace
        }
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        slots(id)
    }
}

impl Aggregate {
    fn spelled(&self, at: &At) -> String {
        let Self {
            arguments,
            result: _,
            form,
            transition,
            finish,
            moving,
            combine,
            serialize,
            deserialize,
            sort_operator,
            parallel,
            signature: _,
            direct: _,
        } = self;
        let usual = if form == "NORMAL" { "READ_ONLY" } else { "READ_WRITE" };
        let mut clauses = transition.clauses("");
        clauses.extend(finish.iter().flat_map(|finish| finish.clauses("", usual)));
        let functions = [("COMBINEFUNC", combine), ("SERIALFUNC", serialize), ("DESERIALFUNC", deserialize)];
        clauses.extend(functions.iter().filter_map(|(word, name)| Some(format!("{word} = {}", name.as_ref()?))));
        if let Some(Moving { transition, inverse, finish }) = moving.as_deref() {
            clauses.extend(transition.clauses("M"));
            clauses.push(format!("MINVFUNC = {inverse}"));
            clauses.extend(finish.iter().flat_map(|finish| finish.clauses("M", usual)));
        }
        clauses.extend(sort_operator.iter().map(|operator| format!("SORTOP = {operator}")));
        if parallel != "UNSAFE" {
            clauses.push(format!("PARALLEL = {parallel}"));
        }
        if form == "HYPOTHETICAL" {
            clauses.push("HYPOTHETICAL".to_owned());
        }
        let arguments = if arguments.is_empty() { "*" } else { arguments };
        let clauses = sql::join(clauses, ",\n    ");
        format!("AGGREGATE {}({arguments}) (\n    {clauses}\n)", sql::qualified(&at.id.names))
    }
}

impl Transition {
    fn clauses(&self, prefix: &str) -> Vec<String> {
        let Self { function, data_type, space, initial } = self;
        let mut clauses = vec![format!("{prefix}SFUNC = {function}"), format!("{prefix}STYPE = {data_type}")];
        if *space != 0 {
            clauses.push(format!("{prefix}SSPACE = {space}"));
        }
        clauses.extend(initial.iter().map(|text| format!("{prefix}INITCOND = {}", sql::literal(text))));
        clauses
    }
}

impl Finish {
    fn clauses(&self, prefix: &str, usual: &str) -> Vec<String> {
        let Self { function, extra, modify } = self;
        let mut clauses = vec![format!("{prefix}FINALFUNC = {function}")];
        if *extra {
            clauses.push(format!("{prefix}FINALFUNC_EXTRA"));
        }
        if modify != usual {
            clauses.push(format!("{prefix}FINALFUNC_MODIFY = {modify}"));
        }
        clauses
    }
}
