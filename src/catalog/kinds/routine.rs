//! Functions and procedures.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Kept, Kind, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// What both kinds select, up to their own columns and the choice of `prokind`.
macro_rules! query {
    ($columns:literal, $kinds:literal) => {
        concat!(
            "SELECT 'pg_catalog.pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid,
                ARRAY[n.nspname, p.proname] AS names,
                ARRAY(SELECT pg_catalog.format_type(t.oid, NULL)
                    FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY t (oid, n) ORDER BY t.n) AS args,
                l.lanname AS language, p.probin AS library, p.prosqlbody IS NOT NULL AS atomic,
                coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc) AS body,
                pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
                p.prosecdef AS security_definer,
                (SELECT coalesce(pg_catalog.json_object_agg(pg_catalog.split_part(c, '=', 1),
                    pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)), '{}')
                    FROM pg_catalog.unnest(p.proconfig) c) AS settings,
                ARRAY(SELECT pg_catalog.split_part(c.text, '=', 1)
                    FROM pg_catalog.unnest(p.proconfig) WITH ORDINALITY c (text, n) ORDER BY c.n) AS order,
                ARRAY(SELECT pg_catalog.format_type(t.oid, NULL)
                    FROM pg_catalog.unnest(p.protrftypes) WITH ORDINALITY t (oid, n) ORDER BY t.n) AS transforms,
                pg_catalog.json_build_object('returns', pg_catalog.format_type(p.prorettype, NULL), 'set', p.proretset,
                    'defaults', p.pronargdefaults,
                    'polymorphic', EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes) t (oid)
                        WHERE pg_catalog.format_type(t.oid, NULL) ~ '^any'),
                    'inputs', ARRAY(SELECT coalesce(a.name, '')
                        FROM ROWS FROM (pg_catalog.unnest(p.proargnames), pg_catalog.unnest(p.proargmodes))
                            WITH ORDINALITY a (name, mode, n)
                        WHERE coalesce(a.mode, 'i') IN ('i', 'b', 'v') ORDER BY a.n),
                    'outputs', ARRAY(SELECT coalesce(a.name, '') || ' ' || pg_catalog.format_type(a.type, NULL)
                        FROM ROWS FROM (pg_catalog.unnest(p.proargnames), pg_catalog.unnest(p.proargmodes),
                            pg_catalog.unnest(p.proallargtypes)) WITH ORDINALITY a (name, mode, type, n)
                        WHERE a.mode IN ('o', 'b', 't') ORDER BY a.n)) AS signature",
            $columns,
            " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            -- The functions that make values of a range type come and go with it.
            WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
                AND p.prokind IN (",
            $kinds,
            ")"
        )
    };
}

/// A function, also a window function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// With names, modes and defaults, as `pg_get_function_arguments` writes them.
    arguments: String,
    /// `integer`, `SETOF app.users`, `TABLE(id integer)`
    result: String,
    language: String,
    /// The source; for C the name of the symbol; for a body that PostgreSQL has parsed, its deparsed text.
    body: String,
    /// Whether the body is SQL that PostgreSQL has parsed: `RETURN …` or `BEGIN ATOMIC … END`.
    atomic: bool,
    /// The file of a function in C.
    library: Option<String>,
    window: bool,
    volatility: String,
    parallel: String,
    strict: bool,
    leakproof: bool,
    security_definer: bool,
    cost: f64,
    rows: f64,
    /// The planner support function.
    support: Option<String>,
    /// What `SET` sets while the function runs.
    settings: BTreeMap<String, String>,
    /// The settings in the order in which they were said, which means nothing.
    order: Kept<Vec<String>>,
    /// The types to which transforms apply.
    transforms: Vec<String>,
    signature: Kept<Signature>,
}

/// What decides whether `CREATE OR REPLACE` is allowed.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Signature {
    returns: String,
    set: bool,
    defaults: i16,
    polymorphic: bool,
    /// The names of the input arguments.
    inputs: Vec<String>,
    /// Names and types of the output arguments.
    outputs: Vec<String>,
}

impl Signature {
    /// Whether `CREATE OR REPLACE` takes `to` in place of this; `same_arguments`: their text is equal.
    pub(super) fn allows(&self, to: &Self, same_arguments: bool) -> bool {
        let Self { returns, set, defaults, polymorphic, inputs, outputs } = self;
        let same_row = returns != "record" || *outputs == to.outputs;
        // An argument without a name may get one, and a name may not change.
        let name = |i| to.inputs.get(i).map_or("", String::as_str);
        let same_names = inputs.iter().enumerate().all(|(i, old)| old.is_empty() || old == name(i));
        // The default of a polymorphic argument has a type of its own, which must stay.
        let same_defaults = same_arguments || *defaults == 0 || !polymorphic;
        *returns == to.returns && *set == to.set && same_row && same_names && same_defaults && *defaults <= to.defaults
    }
}

impl Definition for Function {
    const KEYWORD: &'static str = "FUNCTION";
    const SHAPE: Shape = Shape::Routine;
    const QUERY: &'static str = query!(
        ", pg_catalog.pg_get_function_result(p.oid) AS result, p.prokind = 'w' AS window,
        CASE p.provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END AS volatility,
        CASE p.proparallel WHEN 's' THEN 'SAFE' WHEN 'r' THEN 'RESTRICTED' ELSE 'UNSAFE' END AS parallel,
        p.proisstrict AS strict, p.proleakproof AS leakproof, p.procost AS cost, p.prorows AS rows,
        CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END AS support",
        "'f', 'w'"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        self.made("CREATE", at)
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if self.like(to) == *to && !(self.support.is_some() && to.support.is_none()) {
            let clauses = attributes(self, to);
            return Alteration::InPlace(vec![Step::new(format!("ALTER {} {}", at.id, sql::join(clauses, " ")))]);
        }
        // A function that is replaced in place goes on depending on the transforms that it had.
        let allowed = self.window == to.window
            && self.transforms == to.transforms
            && self.signature.0.allows(&to.signature.0, self.arguments == to.arguments);
        if allowed { Alteration::InPlace(to.made("CREATE OR REPLACE", at)) } else { Alteration::Replace }
    }

    fn waits_for(&self, _: &Self, at: &At) -> Vec<ObjectId> {
        transforms_that_go(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        slots(id)
    }
}

/// Whether expressions are kept with a routine: defaults of arguments, or a body that PostgreSQL has parsed.
fn keeps_expressions(arguments: &str, atomic: bool) -> bool {
    atomic || arguments.contains(" DEFAULT ")
}

impl Function {
    /// Whether PostgreSQL keeps expressions of it.
    pub(super) fn keeps_expressions(&self) -> bool {
        keeps_expressions(&self.arguments, self.atomic)
    }

    /// Only a superuser makes a function leakproof, which is therefore a step of its own.
    fn made(&self, verb: &str, at: &At) -> Vec<Step> {
        let leakproof = self.leakproof.then(|| Step::new(format!("ALTER {} LEAKPROOF", at.id)));
        std::iter::once(Step::new(format!("{verb} {}", self.spelled(at)))).chain(leakproof).collect()
    }

    fn spelled(&self, at: &At) -> String {
        let Self {
            arguments,
            result,
            language,
            body,
            atomic,
            library,
            window,
            volatility,
            parallel,
            strict,
            leakproof: _,
            security_definer,
            cost,
            rows,
            support,
            settings,
            order,
            transforms,
            signature,
        } = self;
        let usual_cost = if matches!(language.as_str(), "c" | "internal") { 1.0 } else { 100.0 };
        let word = |said: bool, word: &str| said.then(|| word.to_owned());
        let clauses = [
            Some(format!("LANGUAGE {}", sql::ident(language))),
            (!transforms.is_empty()).then(|| transform(transforms)),
            word(*window, "WINDOW"),
            word(volatility != "VOLATILE", volatility),
            word(*strict, "STRICT"),
            word(*security_definer, "SECURITY DEFINER"),
            (parallel != "UNSAFE").then(|| format!("PARALLEL {parallel}")),
            (*cost != usual_cost).then(|| format!("COST {cost}")),
            (signature.0.set && *rows != 1000.0).then(|| format!("ROWS {rows}")),
            support.as_ref().map(|support| format!("SUPPORT {support}")),
        ];
        let settings = set(settings, &order.0);
        let clauses = sql::join(clauses.into_iter().flatten().chain(settings), " ");
        let head = format!("FUNCTION {}({arguments})", sql::qualified(&at.id.names));
        let source = source(language, body, *atomic, library.as_deref());
        format!("{head}\n    RETURNS {result}\n    {clauses}{source}")
    }

    /// This function with those attributes of `to` that `ALTER FUNCTION` sets.
    fn like(&self, to: &Self) -> Self {
        let to = to.clone();
        Self {
            volatility: to.volatility,
            parallel: to.parallel,
            strict: to.strict,
            leakproof: to.leakproof,
            security_definer: to.security_definer,
            cost: to.cost,
            rows: to.rows,
            support: to.support,
            settings: to.settings,
            order: to.order,
            ..self.clone()
        }
    }
}

/// The clauses of `ALTER FUNCTION` for the attributes that differ.
fn attributes(from: &Function, to: &Function) -> Vec<String> {
    let mut clauses = Vec::new();
    if from.volatility != to.volatility {
        clauses.push(to.volatility.clone());
    }
    if from.strict != to.strict {
        clauses.push(if to.strict { "STRICT" } else { "CALLED ON NULL INPUT" }.to_owned());
    }
    if from.leakproof != to.leakproof {
        clauses.push(if to.leakproof { "LEAKPROOF" } else { "NOT LEAKPROOF" }.to_owned());
    }
    clauses.extend(security(from.security_definer, to.security_definer));
    if from.parallel != to.parallel {
        clauses.push(format!("PARALLEL {}", to.parallel));
    }
    if from.cost != to.cost {
        clauses.push(format!("COST {}", to.cost));
    }
    if from.rows != to.rows {
        clauses.push(format!("ROWS {}", to.rows));
    }
    if let Some(support) = to.support.as_ref().filter(|_| from.support != to.support) {
        clauses.push(format!("SUPPORT {support}"));
    }
    clauses.extend(settings(&from.settings, &to.settings, &to.order.0));
    clauses
}

/// A procedure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Procedure {
    /// With names, modes and defaults, as `pg_get_function_arguments` writes them.
    arguments: String,
    language: String,
    /// See [`Function`].
    body: String,
    atomic: bool,
    library: Option<String>,
    security_definer: bool,
    settings: BTreeMap<String, String>,
    /// The settings in the order in which they were said, which means nothing.
    order: Kept<Vec<String>>,
    transforms: Vec<String>,
    signature: Kept<Signature>,
}

impl Definition for Procedure {
    const KEYWORD: &'static str = "PROCEDURE";
    const SHAPE: Shape = Shape::Routine;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_proc WHERE oid >= 16384 AND prokind = 'p')";
    const QUERY: &'static str = query!("", "'p'");

    fn create(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("CREATE {}", self.spelled(at)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let same = Self { security_definer: to.security_definer, settings: to.settings.clone(), ..self.clone() };
        if same == *to {
            let clauses = security(self.security_definer, to.security_definer).into_iter().chain(settings(
                &self.settings,
                &to.settings,
                &to.order.0,
            ));
            return Alteration::InPlace(vec![Step::new(format!("ALTER {} {}", at.id, sql::join(clauses, " ")))]);
        }
        let same_transforms = self.transforms == to.transforms;
        if same_transforms && self.signature.0.allows(&to.signature.0, self.arguments == to.arguments) {
            Alteration::InPlace(vec![Step::new(format!("CREATE OR REPLACE {}", to.spelled(at)))])
        } else {
            Alteration::Replace
        }
    }

    fn waits_for(&self, _: &Self, at: &At) -> Vec<ObjectId> {
        transforms_that_go(at)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        slots(id)
    }
}

impl Procedure {
    /// Whether PostgreSQL keeps expressions of it.
    pub(super) fn keeps_expressions(&self) -> bool {
        keeps_expressions(&self.arguments, self.atomic)
    }

    fn spelled(&self, at: &At) -> String {
        let Self {
            arguments,
            language,
            body,
            atomic,
            library,
            security_definer,
            settings,
            order,
            transforms,
            signature: _,
        } = self;
        let mut text =
            format!("PROCEDURE {}({arguments})\n    LANGUAGE {}", sql::qualified(&at.id.names), sql::ident(language));
        if !transforms.is_empty() {
            text.push_str(&format!(" {}", transform(transforms)));
        }
        if *security_definer {
            text.push_str(" SECURITY DEFINER");
        }
        for clause in set(settings, &order.0) {
            text.push_str(&format!(" {clause}"));
        }
        text + &source(language, body, *atomic, library.as_deref())
    }
}

fn source(language: &str, body: &str, atomic: bool, library: Option<&str>) -> String {
    match library {
        _ if atomic => format!("\n{body}"),
        Some(library) => format!("\n    AS {}, {}", sql::literal(library), sql::literal(body)),
        None if language == "internal" => format!("\n    AS {}", sql::literal(body)),
        None => format!("\n    AS {}", sql::dollar(body)),
    }
}

fn transform(types: &[String]) -> String {
    format!("TRANSFORM {}", sql::join(types.iter().map(|name| format!("FOR TYPE {name}")), ", "))
}

fn security(from: bool, to: bool) -> Option<String> {
    (from != to).then(|| if to { "SECURITY DEFINER" } else { "SECURITY INVOKER" }.to_owned())
}

fn settings(from: &BTreeMap<String, String>, to: &BTreeMap<String, String>, order: &[String]) -> Vec<String> {
    let reset = from.keys().filter(|name| !to.contains_key(*name)).map(|name| format!("RESET {}", sql::ident(name)));
    let new = to.iter().filter(|(name, value)| from.get(*name) != Some(value));
    let new = new.map(|(name, value)| (name.clone(), value.clone())).collect();
    reset.chain(set(&new, order)).collect()
}

/// The settings as clauses, in this order.
fn set(settings: &BTreeMap<String, String>, order: &[String]) -> Vec<String> {
    let value = |name: &String| settings.get(name).map(|value| format!("SET {}", sql::setting(name, value)));
    order.iter().filter_map(value).collect()
}

/// The transforms of its argument types that go: a new routine depends on them as long as they are there, used or not.
fn transforms_that_go(at: &At) -> Vec<ObjectId> {
    let needed = at.current.referenced(at.id).map(|(id, _)| id);
    needed.filter(|id| id.kind == Kind::Transform && !at.desired.contains(id)).cloned().collect()
}

/// A routine's name is taken together with the types of its input arguments.
pub(super) fn slots(id: &ObjectId) -> Vec<Slot> {
    vec![Slot(Space::Routine, id.names.iter().chain(&id.args).cloned().collect())]
}
