//! Plans made by hand, for what reads plans.

use std::collections::BTreeMap;

use reconcile::{
    catalog::{Digest, Fingerprint, Guard, Hazard, Transaction},
    plan::file::{Action, Change, FORMAT, Group, Observed, Plan, Proof, Reason, Scope, Source, Step, Summary, Target},
};
use serde_json::Value;

/// A plan without a step.
pub fn empty() -> Plan {
    Plan {
        format: FORMAT,
        program: "0.1.0".into(),
        id: Digest(String::new()),
        revision: "0123456789ab".into(),
        parent: None,
        message: None,
        target: Target { database: "shop".into(), major: 17, system_identifier: "7".into() },
        source: Source { paths: vec!["schema.sql".into()], sha256: Digest::of("s"), commit: None },
        scope: Scope { schemas: ["app".into()].into(), ledger: "reconcile".into(), ..Scope::default() },
        current: Fingerprint::new(BTreeMap::new()),
        desired: Fingerprint::new([("SCHEMA app".to_owned(), Digest::of("x"))].into()),
        equivalent: BTreeMap::new(),
        proof: proof(),
        summary: Summary::default(),
        changes: Vec::new(),
        steps: Vec::new(),
        groups: Vec::new(),
    }
    .sealed()
}

fn proof() -> Proof {
    Proof {
        proved: true,
        server: Some("PostgreSQL 17.11".into()),
        rows: BTreeMap::new(),
        without_rows: BTreeMap::new(),
    }
}

/// A plan of one table, changed and unchanged things around it, and a loss.
pub fn small() -> Plan {
    let view = "SELECT u.id,\n    u.email\n   FROM app.users u\n  WHERE u.active";
    let changed = "SELECT u.id,\n    lower(u.email) AS email\n   FROM app.users u\n  WHERE u.active\n  ORDER BY u.id";
    let mut users = step("ALTER TABLE app.users ALTER COLUMN email TYPE text").changes(["COLUMN app.users.email"]);
    let audit = "CREATE TRIGGER audit BEFORE UPDATE OF email ON app.users EXECUTE FUNCTION app.audit()";
    let aside = step("DROP TRIGGER audit ON app.users").destroys(["TRIGGER audit ON app.users"]);
    let back = step(audit).creates(["TRIGGER audit ON app.users"]);
    users.0.hazards.push(Hazard::MayFail { why: "every value must convert to text".into() });
    users.0.observed = Observed {
        locks: [("app.users".into(), "AccessExclusiveLock".into()), ("app.teams".into(), "AccessShareLock".into())]
            .into(),
        rewrites: ["app.users".into()].into(),
        scans: ["app.users".into()].into(),
    };
    let mut old = step("DROP TABLE app.old").destroys(["TABLE app.old", "COLUMN app.old.id", "COLUMN app.old.note"]);
    old.0.hazards.push(Hazard::Loss { what: "TABLE app.old".into() });
    old.0.observed.locks = [("app.old".into(), "AccessExclusiveLock".into())].into();
    let mut check = step("ALTER TABLE app.teams ADD CONSTRAINT named CHECK (name <> '')");
    check = check.creates(["CONSTRAINT named ON app.teams"]);
    check.0.guards.push(Guard {
        requires: "every row of app.teams satisfies the check".into(),
        query: "SELECT id FROM app.teams WHERE NOT (name <> '') LIMIT 5".into(),
    });
    check.0.observed.locks = [("app.teams".into(), "ShareRowExclusiveLock".into())].into();
    check.0.observed.scans = ["app.teams".into()].into();
    let orders = "CREATE TABLE app.orders (\n    id bigint PRIMARY KEY,\n    state app.state NOT NULL\n)";
    let orders = step(orders).creates([
        "TABLE app.orders",
        "COLUMN app.orders.id",
        "COLUMN app.orders.state",
        "CONSTRAINT orders_pkey ON app.orders",
    ]);
    Making::default()
        .change("TABLE app.old", Action::Drop, [])
        .change("TABLE app.orders", Action::Create, [])
        .source("schema.sql:40")
        .change("CONSTRAINT named ON app.teams", Action::Create, [])
        .change("COLUMN app.users.email", Action::Alter, [field("data_type", "character varying(50)", "text")])
        .source("schema.sql:12")
        .change("VIEW app.active", Action::Replace, [field("definition", view, changed)])
        .change("TRIGGER audit ON app.users", Action::StepAside, [Reason::Because("COLUMN app.users.email".into())])
        .group(
            true,
            [old, aside, users, back, check, orders, step("DROP VIEW app.active").destroys(["VIEW app.active"])],
        )
        .group(true, [step(&format!("CREATE VIEW app.active AS\n{changed}")).creates(["VIEW app.active"])])
        .group(false, [step("CREATE INDEX CONCURRENTLY users_email ON app.users (email)")])
        .plan(|plan| {
            plan.message = Some("Orders, and text for e-mail addresses".into());
            plan.parent = Some("ba9876543210".into());
            plan.source.commit = Some("4b825dc642cb6eb9a060e54bf8d69288fbee4904".into());
            plan.summary =
                Summary { create: 3, change: 3, drop: 1, unmanaged: 14, losses: ["TABLE app.old".into()].into() };
            plan.proof.rows = [("app.users".into(), 8), ("app.teams".into(), 4)].into();
            plan.proof.without_rows = [("app.odd".into(), "no value satisfies CHECK (false)".into())].into();
        })
}

/// A plan that makes a function with a long body, unproved.
pub fn long() -> Plan {
    let body: String = (1..=50).map(|n| format!("    RAISE NOTICE 'line {n}';\n")).collect();
    let sql = format!("CREATE FUNCTION app.talk() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n{body}END\n$$");
    Making::default()
        .change("FUNCTION app.talk()", Action::Create, [])
        .group(true, [step(&sql).creates(["FUNCTION app.talk()"])])
        .plan(|plan| {
            plan.proof = Proof { proved: false, server: None, ..proof() };
            plan.summary = Summary { create: 1, ..Summary::default() };
        })
}

/// A plan whose fields differ in every way in which a field can.
pub fn fields() -> Plan {
    let identity = |generation: &str, cache: i64| serde_json::json!({"generation": generation, "options": {"cache": cache, "start": 1}});
    let between = |name: &str, before: Value, after: Value| Reason::Field { name: name.into(), before, after };
    let long = "((price > 0) AND (price < 1000000) AND (currency = ANY (ARRAY['EUR'::text, 'USD'::text])))";
    Making::default()
        .change(
            "COLUMN app.t.c",
            Action::Alter,
            [
                between("not_null", false.into(), true.into()),
                between("identity", identity("ALWAYS", 1), identity("BY DEFAULT", 20)),
                between("collation", Value::Null, vec!["pg_catalog", "C"].into()),
                field("expression", long, &long.replace("USD", "CHF")),
                between("comment", "".into(), "two\nlines".into()),
                between("body", Value::Null, "one\ntwo".into()),
            ],
        )
        .group(true, [step("ALTER TABLE app.t ALTER COLUMN c SET NOT NULL").changes(["COLUMN app.t.c"])])
        .plan(|plan| plan.summary = Summary { change: 1, ..Summary::default() })
}

/// A step in the making.
pub struct Stating(Step);

/// A step of this statement.
pub fn step(sql: &str) -> Stating {
    Stating(Step {
        sql: sql.into(),
        variables: Default::default(),
        creates: Vec::new(),
        changes: Vec::new(),
        destroys: Vec::new(),
        source: None,
        transaction: Transaction::Inside,
        hazards: Vec::new(),
        guards: Vec::new(),
        observed: Observed::default(),
    })
}

impl Stating {
    fn creates<const N: usize>(mut self, objects: [&str; N]) -> Self {
        self.0.creates = objects.map(Into::into).into();
        self
    }

    fn changes<const N: usize>(mut self, objects: [&str; N]) -> Self {
        self.0.changes = objects.map(Into::into).into();
        self
    }

    fn destroys<const N: usize>(mut self, objects: [&str; N]) -> Self {
        self.0.destroys = objects.map(Into::into).into();
        self
    }
}

/// A text field that differs.
pub fn field(name: &str, before: &str, after: &str) -> Reason {
    Reason::Field { name: name.into(), before: before.into(), after: after.into() }
}

/// A plan in the making.
#[derive(Default)]
struct Making {
    changes: Vec<Change>,
    steps: Vec<Step>,
    groups: Vec<Group>,
}

impl Making {
    fn change<const N: usize>(mut self, object: &str, action: Action, reasons: [Reason; N]) -> Self {
        self.changes.push(Change { object: object.into(), action, reasons: reasons.into(), source: None });
        self
    }

    /// Says where the last change is asked for.
    fn source(mut self, source: &str) -> Self {
        self.changes.last_mut().expect("a change before its source").source = Some(source.into());
        self
    }

    fn group<const N: usize>(mut self, transaction: bool, steps: [Stating; N]) -> Self {
        assert!(transaction || N == 1, "outside a transaction, a step stands alone");
        self.groups.push(Group { first: self.steps.len(), count: N, transaction });
        self.steps.extend(steps.map(|step| step.0));
        self
    }

    fn plan(self, finish: impl FnOnce(&mut Plan)) -> Plan {
        let Self { changes, steps, groups } = self;
        let mut plan = Plan { changes, steps, groups, ..empty() };
        finish(&mut plan);
        plan.sealed()
    }
}
