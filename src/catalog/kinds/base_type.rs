//! Base types, which begin as shells so that the functions that read and write their values can be made.

use serde::{Deserialize, Serialize};

use super::{Kind, column_settings, swap};
use crate::{
    catalog::{Alteration, At, Definition, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// The name of a type that is defined later, or of a base type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShellType {
    /// Whether there is more than the name.
    defined: bool,
}

impl Definition for ShellType {
    const KEYWORD: &'static str = "TYPE";
    const SWAPS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384 AND (NOT typisdefined OR typtype = 'b' AND typinput <> 'pg_catalog.array_in'::regproc))";
    const QUERY: &'static str = "
        SELECT t.tableoid AS classid, t.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, t.typname] AS names,
            t.typisdefined AS defined
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        WHERE t.oid >= 16384 AND (NOT t.typisdefined OR t.typtype = 'b'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid))";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { defined: _ } = self;
        vec![Step::new(format!("CREATE {}", at.id))]
    }

    fn alter(&self, to: &Self, _: &At) -> Alteration {
        let Self { defined } = to;
        if *defined { Alteration::InPlace(Vec::new()) } else { Alteration::Replace }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        vec![drop_type(&at.id.address(), self.defined)]
    }

    /// The functions that make values of no value of the type keep their names and arguments, and move as well.
    fn aside(&self, at: &At) -> Vec<Step> {
        let mut steps = swap::aside(at);
        let functions = at.current.dependents(at.id).map(|(id, _)| id).filter(|id| id.kind == Kind::Function);
        let own = at.id.address();
        for function in functions.filter(|it| !it.args.contains(&own)) {
            let name = sql::ident(&swap::shortened(function.name(), "__reconcile_old"));
            steps.push(Step::new(format!("ALTER {function} RENAME TO {name}")));
        }
        steps
    }

    fn finish(&self, at: &At) -> Vec<Step> {
        vec![drop_type(&swap::aside_address(at.id, at), self.defined)]
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Type, id.names.clone())]
    }
}

/// Neither a base type nor its functions can be dropped first; `CASCADE` finds nothing but these, for all else that depends
/// on the type is dropped by steps of its own.
fn drop_type(address: &str, defined: bool) -> Step {
    Step::new(format!("DROP TYPE {address}{}", if defined { " CASCADE" } else { "" }))
}

/// What a base type is: a definition of the type that is a shell before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseType {
    input: String,
    output: String,
    receive: Option<String>,
    send: Option<String>,
    typmod_in: Option<String>,
    typmod_out: Option<String>,
    analyze: Option<String>,
    subscript: Option<String>,
    /// In bytes; negative where it varies.
    length: i16,
    by_value: bool,
    alignment: String,
    storage: String,
    category: String,
    preferred: bool,
    default: Option<String>,
    /// Of what the type is a fixed-length array.
    element: Option<String>,
    delimiter: String,
    collatable: bool,
}

impl Definition for BaseType {
    const KEYWORD: &'static str = "DEFINITION OF";
    const SHAPE: Shape = Shape::About;
    const COMPLETES: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_type WHERE oid >= 16384 AND typtype = 'b' AND typinput <> 'pg_catalog.array_in'::regproc)";
    const QUERY: &'static str = "
        SELECT t.tableoid AS classid, t.oid AS objid, 0 AS objsubid,
            t.typinput::text AS input, t.typoutput::text AS output, CASE WHEN t.typreceive <> 0 THEN t.typreceive::text END AS receive,
            CASE WHEN t.typsend <> 0 THEN t.typsend::text END AS send,
            CASE WHEN t.typmodin <> 0 THEN t.typmodin::text END AS typmod_in,
            CASE WHEN t.typmodout <> 0 THEN t.typmodout::text END AS typmod_out,
            CASE WHEN t.typanalyze <> 0 THEN t.typanalyze::text END AS analyze,
            CASE WHEN t.typsubscript <> 0 THEN t.typsubscript::text END AS subscript,
            t.typlen AS length, t.typbyval AS by_value,
            CASE t.typalign WHEN 'c' THEN 'char' WHEN 's' THEN 'int2' WHEN 'i' THEN 'int4' ELSE 'double' END AS alignment,
            CASE t.typstorage WHEN 'p' THEN 'plain' WHEN 'm' THEN 'main' WHEN 'e' THEN 'external' ELSE 'extended' END AS storage,
            t.typcategory AS category, t.typispreferred AS preferred, t.typdefault AS \"default\",
            CASE WHEN t.typelem <> 0 THEN pg_catalog.format_type(t.typelem, NULL) END AS element,
            t.typdelim AS delimiter, t.typcollation <> 0 AS collatable
        FROM pg_catalog.pg_type t
        WHERE t.oid >= 16384 AND t.typtype = 'b' AND t.typisdefined
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self {
            input,
            output,
            receive: _,
            send: _,
            typmod_in: _,
            typmod_out: _,
            analyze: _,
            subscript: _,
            length,
            by_value,
            alignment,
            storage,
            category,
            preferred,
            default,
            element,
            delimiter,
            collatable,
        } = self;
        let length = if *length < 0 { "VARIABLE".to_owned() } else { length.to_string() };
        let mut options = vec![format!("INPUT = {input}"), format!("OUTPUT = {output}")];
        options.extend(self.functions().into_iter().filter_map(|(name, it)| Some(format!("{name} = {}", it?))));
        options.push(format!("INTERNALLENGTH = {length}"));
        options.extend(by_value.then(|| "PASSEDBYVALUE".to_owned()));
        options.push(format!("ALIGNMENT = {alignment}"));
        options.push(format!("STORAGE = {storage}"));
        options.push(format!("CATEGORY = {}", sql::literal(category)));
        options.extend(preferred.then(|| "PREFERRED = true".to_owned()));
        options.extend(default.iter().map(|it| format!("DEFAULT = {}", sql::literal(it))));
        options.extend(element.iter().map(|it| format!("ELEMENT = {it}")));
        options.push(format!("DELIMITER = {}", sql::literal(delimiter)));
        options.extend(collatable.then(|| "COLLATABLE = true".to_owned()));
        let of = at.id.of.iter();
        of.map(|of| Step::new(format!("CREATE {of} (\n    {}\n)", sql::join(&options, ",\n    ")))).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if !self.can_become(to) {
            return Alteration::Replace;
        }
        let both = self.functions().into_iter().zip(to.functions()).filter(|(before, after)| before != after);
        let mut options: Vec<String> =
            both.map(|(_, (name, it))| format!("{name} = {}", it.map_or("NONE", String::as_str))).collect();
        if self.storage != to.storage {
            options.push(format!("STORAGE = {}", to.storage));
        }
        let Some(of) = at.id.of.as_deref() else { return Alteration::Replace };
        let mut steps = vec![Step::new(format!("ALTER {of} SET ({})", sql::join(&options, ", ")))];
        if self.storage != to.storage {
            steps.extend(column_settings::after_storage_change(&to.storage, at));
        }
        Alteration::InPlace(steps)
    }

    /// It goes with its type.
    fn drop(&self, _: &At) -> Vec<Step> {
        Vec::new()
    }

    fn rebuilds(&self, from: Option<&Self>, at: &At) -> Option<ObjectId> {
        let from = from?;
        if from != self && from.can_become(self) { None } else { at.id.of.as_deref().cloned() }
    }
}

impl BaseType {
    /// The functions that can be exchanged, with the options that name them.
    fn functions(&self) -> [(&'static str, Option<&String>); 6] {
        let Self { receive, send, typmod_in, typmod_out, analyze, subscript, .. } = self;
        [
            ("RECEIVE", receive.as_ref()),
            ("SEND", send.as_ref()),
            ("TYPMOD_IN", typmod_in.as_ref()),
            ("TYPMOD_OUT", typmod_out.as_ref()),
            ("ANALYZE", analyze.as_ref()),
            ("SUBSCRIPT", subscript.as_ref()),
        ]
    }

    /// Whether `ALTER TYPE … SET` leads there: it exchanges functions and the storage, but does not set it to `plain`.
    fn can_become(&self, to: &Self) -> bool {
        let Self { receive, send, typmod_in, typmod_out, analyze, subscript, storage, .. } = to.clone();
        let likewise = Self { receive, send, typmod_in, typmod_out, analyze, subscript, storage, ..self.clone() };
        likewise == *to && (self.storage == to.storage || to.storage != "plain")
    }
}
