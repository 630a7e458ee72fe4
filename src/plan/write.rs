//! Writes a plan down: its steps, its changes, and the state in which it ends.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    draft::Draft,
    equivalence::Equivalence,
    file::{self, Plan},
    group::groups,
    locks,
    make::{Making, PlanError},
    proof::{self, Rehearsed},
    secrets,
};
use crate::catalog::{Digest, Fingerprint, ObjectId};

impl Making<'_> {
    pub(super) fn groups(&self, steps: &[file::Step]) -> Vec<file::Group> {
        groups(steps, locks::capacity(self.current, steps))
    }

    pub(super) fn steps(
        &self,
        draft: &Draft,
        observed: Option<&[file::Observed]>,
    ) -> Result<Vec<file::Step>, PlanError> {
        let text = |ids: &[ObjectId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let named = |planned: &super::Planned| {
            let objects =
                planned.creates.iter().chain(&planned.changes).filter_map(|id| self.desired.get_key_value(id));
            secrets::used(&planned.step.sql, objects)
        };
        let write = |(number, planned): (usize, &super::Planned)| -> Result<file::Step, PlanError> {
            Ok(file::Step {
                sql: planned.step.sql.clone(),
                variables: named(planned)?,
                creates: text(&planned.creates),
                changes: text(&planned.changes),
                destroys: text(&planned.destroys),
                source: planned.creates.iter().chain(&planned.changes).find_map(|id| self.asked_for(id)),
                transaction: planned.step.transaction,
                hazards: planned.step.hazards.clone(),
                guards: planned.step.guards.clone(),
                observed: observed.and_then(|it| it.get(number)).cloned().unwrap_or_default(),
            })
        };
        draft.steps.iter().enumerate().map(write).collect()
    }

    /// The line of the source that asks for an object.
    fn asked_for(&self, id: &ObjectId) -> Option<String> {
        let root = id.root();
        self.request.source.locate(root.kind.keyword(), &root.names).map(|at| at.to_string())
    }

    pub(super) fn write(
        &self,
        draft: &Draft,
        proof: Option<&Rehearsed>,
        equivalence: Option<&Equivalence>,
    ) -> Result<Plan, PlanError> {
        let steps = self.steps(draft, proof.map(|it| it.observed.as_slice()))?;
        let current = self.scope.fingerprint(self.current);
        let (desired, equivalent) = self.outcome(&current, proof, equivalence);
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
            current,
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
        Ok(plan.sealed())
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
        current: &Fingerprint,
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
                Some(after) => copy.is_some_and(|it| it.get(id, before) == after),
                None => equivalence.is_none_or(|it| it.same(id, before, desired)),
            });
            let likely = untouched.or(after).unwrap_or(desired);
            let also = [
                Some(desired),
                after,
                before.filter(|_| untouched.is_some()),
                equivalence.and_then(|it| it.desired).map(|it| it.get(id, desired)),
            ];
            let address = id.to_string();
            let known = untouched.and_then(|_| current.objects.get(&address));
            let digest = known.cloned().unwrap_or_else(|| self.scope.digest(id, likely));
            let others: BTreeSet<Digest> = also
                .into_iter()
                .flatten()
                .filter(|object| *object != likely)
                .map(|it| self.scope.digest(id, it))
                .collect();
            if !others.is_empty() {
                equivalent.insert(address.clone(), others);
            }
            expected.insert(address, digest);
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
