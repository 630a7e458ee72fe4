//! From a source and a target to a proved plan.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    draft::{Draft, draft},
    equivalence::Equivalence,
    file::{self, Plan, Roles, Scope},
    group::groups,
    load::{Desired, load},
    locks,
    proof::{self, ProofError, Rehearsed},
    rehearsal::{self, RehearsalError},
    rights::rights,
    scope::touched,
    script::script,
};
use crate::{
    catalog::{self, Catalog, Concern, Digest, Fingerprint, Kind, Object, ObjectId},
    connect::{self, Target},
    engine::{Engine, Scratch, Spec},
    source::Source,
};

/// What to plan.
pub struct Request<'a> {
    /// The database to change.
    pub target: &'a Target,
    /// The desired state.
    pub source: &'a Source,
    /// Where the desired state was read from, for the file.
    pub origin: file::Source,
    /// The scratch server, of the target's major version.
    pub engine: &'a Engine,
    /// What is managed, as the user says.
    pub manage: &'a Manage,
    /// The schema of the ledger.
    pub ledger: &'a str,
    /// The last revision, and what it managed.
    pub parent: Option<(String, Scope)>,
    /// What the author says about the change.
    pub message: Option<String>,
    /// Whether to execute the plan on a copy.
    pub prove: bool,
}

/// What is managed, as the user says.
#[derive(Clone, Debug, Default)]
pub struct Manage {
    /// Everything in the database.
    pub all: bool,
    /// Only these schemas.
    pub schemas: Option<BTreeSet<String>>,
    /// Patterns of addresses that are left alone.
    pub ignore: BTreeSet<String>,
    /// Whose grants; `None`: the roles that the desired state names.
    pub privileges: Option<Roles>,
    /// Which owners; `None`: those that the desired state names.
    pub owners: Option<Roles>,
}

/// Why no plan came about.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target cannot be reached.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The target cannot be read.
    #[error(transparent)]
    Read(#[from] catalog::ReadError),
    /// The target broke off.
    #[error("the target: {0}")]
    Postgres(#[from] postgres::Error),
    /// There is no scratch server.
    #[error(transparent)]
    Engine(#[from] crate::engine::Error),
    /// The desired state does not load.
    #[error(transparent)]
    Load(#[from] crate::source::LoadError),
    /// Something is there that cannot be managed yet.
    #[error("{side} holds objects of kinds that are not supported yet:\n  {}", objects.join("\n  "))]
    Unmodelled {
        /// Which side.
        side: &'static str,
        /// The objects.
        objects: Vec<String>,
    },
    /// A scratch database failed.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// The changes could not be ordered.
    #[error(transparent)]
    Cycle(#[from] super::Cycle),
    /// The plan did not hold on a copy.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A plan, and what was noticed on the way.
#[derive(Debug)]
pub struct Made {
    /// The plan; empty when there is nothing to do.
    pub plan: Plan,
    /// Warnings about the source and the scratch server, for people.
    pub warnings: Vec<String>,
}

/// Plans the way from what the target is to what the source says, and proves it.
pub fn make(request: &Request) -> Result<Made, PlanError> {
    let mut client = request.target.connect()?;
    let spec = Spec::of(&mut client)?;
    let Request { engine, source, ledger, .. } = request;
    // The target is read while the source is loaded.
    let (current, loaded) = std::thread::scope(|scope| {
        let reading = scope.spawn(move || catalog::read(&mut client, ledger));
        let loaded = load(engine, &spec, source, ledger);
        (reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), loaded)
    });
    let versions = source.extension_versions();
    let current = named_versions(current?, &versions);
    let mut loaded = match loaded? {
        Ok(loaded) => loaded,
        Err(stuck) => stuck.load_beside(engine, &spec, source, &current, ledger)?,
    };
    loaded.catalog = named_versions(loaded.catalog, &versions);
    let scope = scope(request, &loaded);
    supported("schema.sql", &scope, &loaded.catalog)?;
    supported("the database", &scope, &current)?;
    let desired = scope.complete(&current, &loaded.catalog);
    let making =
        Making { request, spec: &spec, empty: &loaded.empty, current: &current, desired: &desired, scope: &scope };
    Ok(Made { plan: making.plan()?, warnings: loaded.warnings })
}

/// A catalog without the versions of extensions for which nobody names one.
fn named_versions(catalog: Catalog, named: &BTreeSet<String>) -> Catalog {
    let is_named = |id: &ObjectId| id.kind.concern() != Concern::Version || named.contains(id.root().name());
    if catalog.iter().all(|(id, _)| is_named(id)) { catalog } else { catalog.filtered(is_named) }
}

/// The scope: what the source touches and what the last revision managed, as far as the user lets it.
fn scope(request: &Request, loaded: &Desired) -> Scope {
    let manage = request.manage;
    let (mut schemas, mut global) = touched(&loaded.baseline, &loaded.catalog);
    if let Some((_, before)) = &request.parent {
        schemas.extend(before.schemas.iter().cloned());
        global.extend(before.global.iter().cloned());
    }
    let version = |address: &String| Kind::of_address(address).is_some_and(|it| it.concern() == Concern::Version);
    global.retain(|address| !version(address));
    let versions = loaded.catalog.iter().map(|(id, _)| id).filter(|id| id.kind.concern() == Concern::Version);
    global.extend(versions.map(ToString::to_string));
    if let Some(only) = &manage.schemas {
        schemas.clone_from(only);
    }
    let named = |choice: &Option<Roles>| match choice {
        Some(choice) => choice.clone(),
        None if manage.all => Roles::All,
        None => Roles::Declared(request.source.named_roles()),
    };
    Scope {
        all: manage.all,
        schemas,
        global,
        ignore: manage.ignore.clone(),
        ledger: request.ledger.to_owned(),
        privileges: named(&manage.privileges),
        owners: named(&manage.owners),
    }
}

/// Refuses, by name, what is in the scope and of no kind that is modelled.
fn supported(side: &'static str, scope: &Scope, catalog: &Catalog) -> Result<(), PlanError> {
    let objects: Vec<String> = catalog
        .unmodelled
        .iter()
        .filter(|it| scope.all || it.schema.as_ref().is_none_or(|schema| scope.schemas.contains(schema)))
        .map(|it| it.address.clone())
        .collect();
    if objects.is_empty() { Ok(()) } else { Err(PlanError::Unmodelled { side, objects }) }
}

struct Making<'a> {
    request: &'a Request<'a>,
    spec: &'a Spec,
    empty: &'a Catalog,
    current: &'a Catalog,
    desired: &'a Catalog,
    scope: &'a Scope,
}

impl Making<'_> {
    fn plan(&self) -> Result<Plan, PlanError> {
        let changes = crate::diff::diff(self.current, self.desired, |_, _, _| false);
        if changes.is_empty() {
            return Ok(self.write(&Draft::default(), None, None));
        }
        let altered = changes.iter().any(|change| change.before.is_some() && change.after.is_some());
        let current = if altered || self.request.prove {
            Some(self.copy(self.current, "while the current state was copied")?)
        } else {
            None
        };
        let desired =
            if altered { Some(self.copy(self.desired, "while the desired state was copied")?.1) } else { None };
        let equivalence = Equivalence { current: current.as_ref().map(|(_, read)| read), desired: desired.as_ref() };
        let mut draft = draft(self.current, self.desired, |id, a, b| equivalence.same(id, a, b))?;
        let rehearsed = match &current {
            Some((scratch, _)) if self.request.prove && !draft.steps.is_empty() => {
                Some(self.prove(scratch, &mut draft, &equivalence)?)
            }
            _ => None,
        };
        Ok(self.write(&draft, rehearsed.as_ref(), Some(&equivalence)))
    }

    fn copy(&self, of: &Catalog, what: &'static str) -> Result<(Scratch, Catalog), RehearsalError> {
        rehearsal::copy(self.request.engine, self.spec, self.empty, of, self.request.ledger, what)
    }

    /// Executes the draft on a copy; what comes out must be what is desired.
    fn prove(&self, scratch: &Scratch, draft: &mut Draft, equivalence: &Equivalence) -> Result<Rehearsed, PlanError> {
        let shared = script(&self.current.filtered(|id| !id.root().kind.shared()), self.current)?;
        let rehearse = |draft: &Draft| {
            let steps = self.steps(draft, None);
            proof::rehearse(scratch, &shared, &steps, &self.groups(&steps), self.request.ledger)
        };
        let mut rehearsed = rehearse(draft)?;
        let rights = rights(self.scope, self.current, self.desired, &rehearsed.after)?;
        if !rights.steps.is_empty() {
            draft.extend(rights);
            rehearsed = rehearse(draft)?;
        }
        // What the copy reads as before the plan says nothing of what the plan has changed.
        let plain = Equivalence { current: None, desired: equivalence.desired };
        if self.remaining(&rehearsed.after, equivalence.current, &plain).is_empty() {
            return Ok(rehearsed);
        }
        // The text that a change leaves behind may be another round trip away from the desired one, or the other way.
        let (_, after) = self.copy(&rehearsed.after, "while the outcome was copied")?;
        let copied;
        let desired = match equivalence.desired {
            Some(desired) => desired,
            None => {
                copied = self.copy(self.desired, "while the desired state was copied")?.1;
                &copied
            }
        };
        let both = Equivalence { current: Some(&after), desired: Some(desired) };
        let remaining = self.remaining(&rehearsed.after, equivalence.current, &both);
        if remaining.is_empty() {
            return Ok(rehearsed);
        }
        let steps = draft.steps.iter().map(|planned| planned.step.sql.clone()).collect();
        Err(ProofError::Differs { remaining, steps }.into())
    }

    /// What differs between an outcome and the desired state; `copy` is the copy as it read before the plan.
    fn remaining(&self, after: &Catalog, copy: Option<&Catalog>, equivalence: &Equivalence) -> Vec<String> {
        let same = |id: &ObjectId, after: &Object, desired: &Object| {
            // What the plan did not touch may read as it did on the copy before.
            let untouched = self.current.get(id) == Some(desired) && copy.and_then(|it| it.get(id)) == Some(after);
            untouched || equivalence.same(id, after, desired)
        };
        crate::diff::diff(after, self.desired, same)
            .into_iter()
            .filter(|change| !self.is_beside(change))
            .map(|change| match (change.before, change.after) {
                (None, _) => format!("  {} is missing", change.id),
                (_, None) => format!("  {} is still there", change.id),
                (Some(before), Some(after)) => {
                    format!("  {}: {} instead of {}", change.id, before.to_json(), after.to_json())
                }
            })
            .collect()
    }

    /// Whether a difference is about something that nobody asked for: the owner of what was created, where owners are not
    /// managed; or that of a sequence, which has none of its own once a column owns it.
    fn is_beside(&self, change: &crate::diff::Change) -> bool {
        let managed = |object| self.scope.manages(change.id, object);
        // Under what name it came about is nobody's concern.
        if change.before.or(change.after).is_some_and(Object::incidental)
            && (change.before.is_none() || change.after.is_none())
        {
            return true;
        }
        match (change.before, change.after) {
            (Some(after), None) => !managed(after),
            (None, Some(desired)) => change.id.kind.concern() == Concern::Owner && !managed(desired),
            _ => false,
        }
    }

    fn groups(&self, steps: &[file::Step]) -> Vec<file::Group> {
        groups(steps, locks::capacity(self.current, steps))
    }

    fn steps(&self, draft: &Draft, observed: Option<&[file::Observed]>) -> Vec<file::Step> {
        let text = |ids: &[ObjectId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let write = |(number, planned): (usize, &super::Planned)| file::Step {
            sql: planned.step.sql.clone(),
            creates: text(&planned.creates),
            changes: text(&planned.changes),
            destroys: text(&planned.destroys),
            source: planned.creates.iter().chain(&planned.changes).find_map(|id| self.asked_for(id)),
            transaction: planned.step.transaction,
            hazards: planned.step.hazards.clone(),
            guards: planned.step.guards.clone(),
            observed: observed.and_then(|it| it.get(number)).cloned().unwrap_or_default(),
        };
        draft.steps.iter().enumerate().map(write).collect()
    }

    /// The line of the source that asks for an object.
    fn asked_for(&self, id: &ObjectId) -> Option<String> {
        let root = id.root();
        self.request.source.locate(root.kind.keyword(), &root.names).map(|at| at.to_string())
    }

    fn write(&self, draft: &Draft, proof: Option<&Rehearsed>, equivalence: Option<&Equivalence>) -> Plan {
        let steps = self.steps(draft, proof.map(|it| it.observed.as_slice()));
        let (desired, equivalent) = self.outcome(proof, equivalence);
        let server = &self.current.server;
        let mut plan = Plan {
            format: file::FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            id: Digest(String::new()),
            revision: String::new(),
            parent: self.request.parent.as_ref().map(|(id, _)| id.clone()),
            message: self.request.message.clone(),
            target: file::Target {
                database: server.database.clone(),
                major: server.major,
                system_identifier: server.system_identifier.clone(),
            },
            source: self.request.origin.clone(),
            scope: self.scope.clone(),
            current: self.scope.fingerprint(self.current),
            desired,
            equivalent,
            proof: file::Proof {
                proved: proof.is_some() || steps.is_empty(),
                server: proof.map(|_| version(&self.request.engine.describe())),
                rows: proof.map(|it| it.rows.clone()).unwrap_or_default(),
                without_rows: proof.map(|it| it.without_rows.clone()).unwrap_or_default(),
            },
            summary: summary(&draft.changes, proof::losses(&steps), self.scope.outside(self.current)),
            changes: self.changes(draft),
            groups: self.groups(&steps),
            steps,
        };
        plan.revision = plan.digest().short().to_owned();
        plan.sealed()
    }

    fn changes(&self, draft: &Draft) -> Vec<file::Change> {
        let ids: BTreeMap<String, &ObjectId> = self.desired.iter().map(|(id, _)| (id.to_string(), id)).collect();
        let mut changes = draft.changes.clone();
        for change in &mut changes {
            change.source = ids.get(&change.object).and_then(|id| self.asked_for(id));
        }
        changes
    }

    /// The fingerprint of the target after the plan, and the other sums that its objects may have then.
    fn outcome(
        &self,
        proof: Option<&Rehearsed>,
        equivalence: Option<&Equivalence>,
    ) -> (Fingerprint, BTreeMap<String, BTreeSet<Digest>>) {
        let copy = equivalence.and_then(|it| it.current);
        let mut expected = BTreeMap::new();
        let mut equivalent: BTreeMap<String, BTreeSet<Digest>> = BTreeMap::new();
        for (id, desired) in self.desired.iter().filter(|(id, object)| self.scope.counts(id, object)) {
            let before = self.current.get(id);
            let after = proof.and_then(|it| it.after.get(id));
            // What the plan leaves alone on the copy, it leaves alone on the target, as it reads there.
            let untouched = before.filter(|before| match after {
                Some(after) => copy.and_then(|it| it.get(id)) == Some(after),
                None => equivalence.is_none_or(|it| it.same(id, before, desired)),
            });
            let likely = untouched.or(after).unwrap_or(desired);
            let also = [
                Some(desired),
                after,
                before.filter(|_| untouched.is_some()),
                equivalence.and_then(|it| it.desired).and_then(|it| it.get(id)),
            ];
            let digest = likely.digest();
            let others: BTreeSet<Digest> =
                also.into_iter().flatten().filter(|object| *object != likely).map(Object::digest).collect();
            if !others.is_empty() {
                equivalent.insert(id.to_string(), others);
            }
            expected.insert(id.to_string(), digest);
        }
        (Fingerprint::new(expected), equivalent)
    }
}

/// A server's version without where it stands: that is another place on each machine, and the plan must be the same.
fn version(description: &str) -> String {
    let version = description.split(" from ").next().and_then(|it| it.split(", ").next());
    version.unwrap_or(description).to_owned()
}

fn summary(changes: &[file::Change], losses: BTreeSet<String>, unmanaged: usize) -> file::Summary {
    let count = |wanted: &[file::Action]| changes.iter().filter(|change| wanted.contains(&change.action)).count();
    file::Summary {
        create: count(&[file::Action::Create]),
        change: count(&[file::Action::Alter, file::Action::Replace, file::Action::StepAside, file::Action::Follow]),
        drop: count(&[file::Action::Drop]),
        unmanaged,
        losses,
    }
}
