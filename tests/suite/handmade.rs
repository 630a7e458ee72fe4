//! Plans made by hand: statements are executed on a copy, and what they do there is written into the plan.

use std::collections::BTreeMap;

use reconcile::{
    catalog::{self, Digest, Guard, Hazard, Transaction},
    engine::Scratch,
    plan::{
        self,
        file::{FORMAT, Group, Observed, Plan, Proof, Scope, Source, Step, Summary, Target},
    },
};

/// A plan that manages schema `app`.
pub struct Handmade<'a> {
    database: &'a Scratch,
    steps: Vec<Step>,
}

impl<'a> Handmade<'a> {
    pub fn new(database: &'a Scratch) -> Self {
        Self { database, steps: Vec::new() }
    }

    /// Adds a statement that runs in a transaction with its neighbours.
    pub fn step(self, sql: &str) -> Self {
        self.with(sql, Transaction::Inside)
    }

    /// Adds a statement after which the transaction is committed.
    pub fn commit_after(self, sql: &str) -> Self {
        self.with(sql, Transaction::CommitAfter)
    }

    /// Adds a statement that runs outside of a transaction.
    pub fn outside(self, sql: &str) -> Self {
        self.with(sql, Transaction::Outside)
    }

    fn with(mut self, sql: &str, transaction: Transaction) -> Self {
        self.steps.push(Step {
            sql: sql.to_owned(),
            variables: Default::default(),
            creates: Vec::new(),
            changes: Vec::new(),
            destroys: Vec::new(),
            source: None,
            transaction,
            hazards: Vec::new(),
            guards: Vec::new(),
            observed: Observed::default(),
        });
        self
    }

    /// Says what the last statement loses.
    pub fn losing(mut self, what: &str) -> Self {
        self.steps.last_mut().unwrap().hazards.push(Hazard::Loss { what: what.to_owned() });
        self
    }

    /// Says which query must return nothing before the last statement.
    pub fn guarded(mut self, requires: &str, query: &str) -> Self {
        let guard = Guard { requires: requires.to_owned(), query: query.to_owned() };
        self.steps.last_mut().unwrap().guards.push(guard);
        self
    }

    /// Says where the last statement was asked for.
    pub fn asked_at(mut self, source: &str) -> Self {
        self.steps.last_mut().unwrap().source = Some(source.to_owned());
        self
    }

    /// The plan, with what its statements did on a copy of the database.
    pub fn plan(mut self) -> Plan {
        let scope = Scope { schemas: ["app".into()].into(), ledger: "reconcile".into(), ..Scope::default() };
        let copy = self.database.copy().unwrap();
        let mut client = copy.connect().unwrap();
        client.batch_execute(plan::SETTINGS).unwrap();
        let mut states = vec![scope.fingerprint(&catalog::read(&mut client, "reconcile").unwrap())];
        for step in &mut self.steps {
            client.batch_execute(&step.sql).unwrap_or_else(|error| panic!("{}: {error:?}", step.sql));
            let (before, after) =
                (states.last().unwrap(), scope.fingerprint(&catalog::read(&mut client, "reconcile").unwrap()));
            for (object, digest) in &after.objects {
                match before.objects.get(object) {
                    None => step.creates.push(object.clone()),
                    Some(other) if other != digest => step.changes.push(object.clone()),
                    Some(_) => {}
                }
            }
            step.destroys = before.objects.keys().filter(|it| !after.objects.contains_key(*it)).cloned().collect();
            states.push(after);
        }
        drop(client);
        let server = catalog::read(&mut self.database.connect().unwrap(), "reconcile").unwrap().server;
        let (current, desired) = (states.remove(0), states.pop());
        let mut plan = Plan {
            format: FORMAT,
            program: "0.1.0".into(),
            id: Digest(String::new()),
            revision: String::new(),
            parent: None,
            message: Some("made by hand".into()),
            target: Target {
                database: server.database,
                major: server.major,
                system_identifier: server.system_identifier,
            },
            source: Source { paths: vec!["schema.sql".into()], sha256: Digest::of(""), commit: None },
            scope,
            desired: desired.unwrap_or_else(|| current.clone()),
            current,
            equivalent: BTreeMap::new(),
            proof: Proof { proved: true, server: None, rows: BTreeMap::new(), without_rows: BTreeMap::new() },
            summary: Summary::default(),
            changes: Vec::new(),
            groups: groups(&self.steps),
            steps: self.steps,
        };
        plan.revision = plan.digest().short().to_owned();
        plan.sealed()
    }
}

fn groups(steps: &[Step]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut ended = true;
    for (first, step) in steps.iter().enumerate() {
        let transaction = step.transaction != Transaction::Outside;
        match groups.last_mut() {
            Some(group) if !ended && transaction => group.count += 1,
            _ => groups.push(Group { first, count: 1, transaction }),
        }
        ended = step.transaction != Transaction::Inside;
    }
    groups
}

/// Another plan with the same id rules: changed, and sealed again.
pub fn changed(plan: &Plan, change: impl FnOnce(&mut Plan)) -> Plan {
    let mut plan = plan.clone();
    change(&mut plan);
    plan.sealed()
}
