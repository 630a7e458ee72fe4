//! The JSON Schema of the plan file says what the program writes, no more and no less.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use reconcile::{
    catalog::{Digest, Fingerprint, Guard, Hazard, Transaction},
    plan::file::{Action, Change, Group, Observed, Plan, Proof, Reason, Roles, Scope, Source, Step, Summary, Target},
};
use serde_json::{Map, Value, json};

use crate::{
    handmade::Handmade,
    plans,
    server::{majors, server},
};

/// A validator for the keywords that the schema uses; any other keyword is a failure, so that none is ignored.
struct Schema {
    root: Value,
    /// The properties that have been met, by the path of their schema.
    met: BTreeSet<String>,
}

type Checked = Result<(), String>;

impl Schema {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plan.schema.json");
        let root = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Self { root, met: BTreeSet::new() }
    }

    fn validate(&mut self, value: &Value) -> Checked {
        let root = self.root.clone();
        self.check(&root, value, "#", "plan")
    }

    fn check(&mut self, schema: &Value, value: &Value, path: &str, at: &str) -> Checked {
        let schema = schema.as_object().expect("a schema is an object");
        for (keyword, rule) in schema {
            self.keyword(schema, keyword, rule, value, path, at)?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        rule: &Value,
        value: &Value,
        path: &str,
        at: &str,
    ) -> Checked {
        let fails = |ok: bool| if ok { Ok(()) } else { Err(format!("{at}: {keyword} {rule}, but it is {value}")) };
        match keyword {
            "$schema" | "$defs" | "title" | "description" => Ok(()),
            "$ref" => {
                let target = rule.as_str().unwrap();
                let found = self.root.pointer(target.strip_prefix('#').unwrap()).expect(target).clone();
                self.check(&found, value, target, at)
            }
            "type" => {
                let names = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                fails(names.iter().any(|name| is(value, name.as_str().unwrap())))
            }
            "const" => fails(rule == value),
            "enum" => fails(rule.as_array().unwrap().contains(value)),
            "minimum" => fails(value.as_i64().is_some_and(|number| number >= rule.as_i64().unwrap())),
            "pattern" => {
                assert_eq!(rule, "^[0-9a-f]{64}$", "the only pattern that this validator knows");
                let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                fails(value.as_str().is_some_and(hex))
            }
            "uniqueItems" => {
                let items: Vec<String> = value.as_array().into_iter().flatten().map(Value::to_string).collect();
                fails(items.iter().collect::<BTreeSet<_>>().len() == items.len())
            }
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .try_for_each(|(n, item)| self.check(rule, item, &format!("{path}/items"), &format!("{at}[{n}]"))),
            "required" => {
                let missing = |name: &&Value| value.get(name.as_str().unwrap()).is_none();
                match rule.as_array().unwrap().iter().find(missing) {
                    Some(name) => Err(format!("{at}: {name} is missing")),
                    None => Ok(()),
                }
            }
            "properties" => rule.as_object().unwrap().iter().try_for_each(|(name, schema)| {
                let Some(inner) = value.get(name) else { return Ok(()) };
                let path = format!("{path}/properties/{name}");
                self.check(schema, inner, &path, &format!("{at}.{name}"))?;
                self.met.insert(path);
                Ok(())
            }),
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let others = value.as_object().into_iter().flatten();
                let mut others = others.filter(|(name, _)| !known.is_some_and(|known| known.contains_key(*name)));
                match (rule, others.next()) {
                    (Value::Bool(false), Some((name, _))) => Err(format!("{at}: {name} is not known")),
                    (Value::Bool(_), _) | (_, None) => Ok(()),
                    (_, Some(first)) => std::iter::once(first).chain(others).try_for_each(|(name, inner)| {
                        self.check(rule, inner, &format!("{path}/additionalProperties"), &format!("{at}.{name}"))
                    }),
                }
            }
            "oneOf" => {
                let fitting = rule.as_array().unwrap().iter().enumerate();
                let fitting = fitting
                    .filter(|(n, schema)| self.check(schema, value, &format!("{path}/oneOf/{n}"), at).is_ok())
                    .count();
                fails(fitting == 1)
            }
            other => panic!("{path} uses the keyword {other}"),
        }
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}

/// A plan in which every field is there, and every variant of each.
fn everything() -> Plan {
    let sum = |text: &str| Digest::of(text);
    let state = |name: &str| Fingerprint::new([("TABLE app.a".to_owned(), sum(name))].into());
    let actions = [Action::Create, Action::Alter, Action::Replace, Action::StepAside, Action::Follow, Action::Drop];
    let change = |action| Change {
        object: "TABLE app.a".into(),
        action,
        reasons: vec![
            Reason::Field { name: "columns".into(), before: json!({"a": [1, null]}), after: Value::Null },
            Reason::Because("TYPE app.t".into()),
        ],
        source: Some("schema.sql:1".into()),
    };
    let step = |transaction| Step {
        sql: "SELECT".into(),
        variables: [("NAME".into(), reconcile::catalog::Encoding::Uri)].into(),
        creates: vec!["TABLE app.a".into()],
        changes: vec!["TABLE app.b".into()],
        destroys: vec!["TABLE app.c".into()],
        source: Some("schema.sql:2".into()),
        transaction,
        hazards: vec![
            Hazard::Loss { what: "TABLE app.c".into() },
            Hazard::MayFail { why: "why".into() },
            Hazard::Behaviour { why: "why".into() },
        ],
        guards: vec![Guard { requires: "nothing".into(), query: "SELECT".into() }],
        observed: Observed {
            locks: [("app.a".into(), "AccessExclusiveLock".into())].into(),
            rewrites: ["app.a".into()].into(),
            scans: ["app.a".into()].into(),
        },
    };
    Plan {
        parent: Some("0123456789ab".into()),
        message: Some("all of it".into()),
        target: Target { database: "shop".into(), major: 14, system_identifier: "7".into() },
        source: Source { paths: vec!["schema.sql".into()], sha256: sum("s"), commit: Some("c0ffee".into()) },
        scope: Scope {
            concealed: [("SERVER s".into(), ["host".into()].into())].into(),
            all: true,
            schemas: ["app".into()].into(),
            global: ["EXTENSION hstore".into()].into(),
            ignore: ["app.tmp_*".into()].into(),
            ledger: "reconcile".into(),
            privileges: Roles::Declared([String::new(), "reader".into()].into()),
            owners: Roles::All,
            roles: true,
            database: true,
        },
        current: state("before"),
        desired: state("after"),
        equivalent: BTreeMap::from([("TABLE app.a".into(), BTreeSet::from([sum("other")]))]),
        proof: Proof {
            proved: true,
            server: Some("PostgreSQL 17.11".into()),
            rows: [("app.a".into(), 3)].into(),
            without_rows: [("app.b".into(), "no value satisfies its check".into())].into(),
        },
        summary: Summary { create: 1, change: 2, drop: 3, unmanaged: 4, losses: ["TABLE app.c".into()].into() },
        changes: actions.map(change).into(),
        steps: [Transaction::Inside, Transaction::CommitAfter, Transaction::Outside].map(step).into(),
        groups: vec![Group { first: 0, count: 2, transaction: true }, Group { first: 2, count: 1, transaction: false }],
        ..plans::empty()
    }
    .sealed()
}

fn json_of(plan: &Plan) -> Value {
    serde_json::from_str(&plan.to_json()).unwrap()
}

#[test]
fn plans_are_what_the_schema_says() {
    let database = server(*majors().last().unwrap()).database(&reconcile::engine::Spec::default()).unwrap();
    let real = Handmade::new(&database)
        .step("CREATE SCHEMA app")
        .commit_after("CREATE TABLE app.t (id integer)")
        .outside("DROP TABLE app.t")
        .plan();
    for plan in [plans::empty(), plans::small(), everything(), real] {
        Schema::read().validate(&json_of(&plan)).unwrap();
    }
}

#[test]
fn the_schema_knows_no_field_that_is_never_written() {
    let mut schema = Schema::read();
    schema.validate(&json_of(&everything())).unwrap();
    let mut known = BTreeSet::new();
    fn collect(schema: &Value, path: &str, known: &mut BTreeSet<String>) {
        for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let path = format!("{path}/properties/{name}");
            collect(inner, &path, known);
            known.insert(path);
        }
        for (n, inner) in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
            collect(inner, &format!("{path}/oneOf/{n}"), known);
        }
        for (name, inner) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
            collect(inner, &format!("{path}/$defs/{name}"), known);
        }
    }
    collect(&schema.root, "#", &mut known);
    assert!(known.len() > 50);
    assert_eq!(known.difference(&schema.met).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let good = json_of(&everything());
    let mut pointers = Vec::new();
    fn objects(value: &Value, at: &str, found: &mut Vec<String>) {
        // Values of fields are anything, and the keys of these are names.
        if ["before", "after", "objects", "equivalent", "rows", "without_rows", "locks"]
            .iter()
            .any(|it| at.ends_with(it))
        {
            return;
        }
        if let Some(fields) = value.as_object() {
            found.push(at.to_owned());
            fields.iter().for_each(|(name, inner)| objects(inner, &format!("{at}/{name}"), found));
        }
        for (n, inner) in value.as_array().into_iter().flatten().enumerate() {
            objects(inner, &format!("{at}/{n}"), found);
        }
    }
    objects(&good, "", &mut pointers);
    assert!(pointers.len() > 30, "{pointers:?}");
    for pointer in pointers {
        let mut more = good.clone();
        more.pointer_mut(&pointer).unwrap()["unheard_of"] = json!(1);
        assert!(Schema::read().validate(&more).is_err(), "an unknown field in {pointer:?}");
        for name in good.pointer(&pointer).unwrap().as_object().unwrap().keys() {
            let mut less = good.clone();
            less.pointer_mut(&pointer).unwrap().as_object_mut().unwrap().shift_remove(name);
            let (schema, program) =
                (Schema::read().validate(&less).is_ok(), serde_json::from_value::<Plan>(less).is_ok());
            // Rust takes a missing optional field for `None`; the program always writes these.
            let nullable = pointer.is_empty() && ["parent", "message"].contains(&name.as_str());
            assert_eq!(schema, program && !nullable, "{pointer}/{name} is left out");
        }
    }
}
