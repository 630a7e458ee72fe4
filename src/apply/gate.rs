//! What must hold before a plan is applied, in this order; each gate has its own error.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use super::{
    Error,
    difference::{self, differences},
    resume::{self, Start},
};
use crate::{
    catalog::{self, Catalog, Hazard, Server},
    history::{Ledger, Outcome, Revision},
    plan::{
        file::{Group, Plan, Step},
        locks,
        secrets::Variables,
    },
};

/// The plan is what was written, and its groups are its steps.
pub(super) fn intact(plan: &Plan) -> Result<(), Error> {
    let found = plan.digest();
    if found != plan.id {
        return Err(Error::Edited { said: plan.id.clone(), found });
    }
    let mut next = 0;
    for (number, Group { first, count, transaction }) in plan.groups.iter().enumerate() {
        if *first != next || *count == 0 || !*transaction && *count != 1 {
            return Err(Error::Malformed(format!("its transaction group {} does not fit", number + 1)));
        }
        next += count;
    }
    if next != plan.steps.len() {
        return Err(Error::Malformed(format!("its groups hold {next} of {} steps", plan.steps.len())));
    }
    Ok(())
}

/// Every loss is accepted by name, or all of them are.
pub(super) fn losses(plan: &Plan, allowed: &BTreeSet<String>) -> Result<(), Error> {
    if allowed.contains("all") {
        return Ok(());
    }
    let hazards = plan.steps.iter().flat_map(|step| &step.hazards);
    let lost = hazards.filter_map(|hazard| match hazard {
        Hazard::Loss { what } => Some(what),
        Hazard::MayFail { .. } | Hazard::Behaviour { .. } => None,
    });
    let refused: BTreeSet<String> =
        lost.chain(&plan.summary.losses).filter(|what| !allowed.contains(*what)).cloned().collect();
    if refused.is_empty() { Ok(()) } else { Err(Error::Loss(refused)) }
}

/// Every variable that the steps use is set.
pub(super) fn variables(steps: &[Step], variables: &Variables) -> Result<(), Error> {
    let used = steps.iter().flat_map(|step| step.variables.keys());
    let missing: BTreeSet<String> = used.filter(|name| !variables.contains_key(*name)).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(Error::Variables(missing)) }
}

/// What the gates say about a plan that they let through.
pub(super) enum Passed {
    /// It was applied before, and nothing has been applied since.
    AlreadyApplied(Box<Revision>),
    /// It can be applied from here.
    Begin(Start),
}

/// The gates that look at the database, while others are locked out.
pub(super) fn pass(client: &mut Client, plan: &Plan, ledger: &Ledger) -> Result<Passed, Error> {
    let live = catalog::read(client, plan.scope.extent())?;
    target(plan, &live.server)?;
    let head = ledger.head(client)?;
    if let Some(head) = &head
        && head.plan_id == plan.id
    {
        return Ok(Passed::AlreadyApplied(Box::new(head.clone())));
    }
    lock_table(plan, &live)?;
    parent(client, plan, ledger, head.as_ref())?;
    let sums = plan.scope.fingerprint(&live).objects;
    let start = match ledger.unfinished(client, &plan.id)? {
        Some(earlier) => resume::after(client, plan, &earlier, sums)?,
        None => {
            let differences = differences(&plan.current.objects, &sums, &BTreeMap::new());
            if !differences.is_empty() {
                let already = difference::differences(&plan.desired.objects, &sums, &plan.equivalent).is_empty();
                return Err(Error::Stale { differences, already, resuming: false });
            }
            Start::default()
        }
    };
    Ok(Passed::Begin(Start { parent: head.map(|head| head.id), ..start }))
}

/// The database is the one that the plan was made for.
fn target(plan: &Plan, server: &Server) -> Result<(), Error> {
    let of = &plan.target;
    let compared = [
        ("database", &of.database, &server.database),
        ("PostgreSQL", &of.major.to_string(), &server.major.to_string()),
        ("system identifier", &of.system_identifier, &server.system_identifier),
    ];
    let other: Vec<String> = compared
        .into_iter()
        .filter(|(_, planned, found)| planned != found)
        .map(|(what, planned, found)| format!("{what}: planned for {planned}, found {found}"))
        .collect();
    if other.is_empty() { Ok(()) } else { Err(Error::OtherTarget(other)) }
}

/// The server can hold the locks of each transaction.
fn lock_table(plan: &Plan, live: &Catalog) -> Result<(), Error> {
    let available = locks::capacity(live, &plan.steps);
    for (number, group) in plan.groups.iter().enumerate().filter(|(_, group)| group.transaction) {
        let needed = locks::needed(steps(plan, *group));
        if needed > available {
            return Err(Error::LockTable { group: number + 1, needed, available });
        }
    }
    Ok(())
}

/// The last revision is the one that the plan was made after, where it names one; and the plan was not applied before it.
fn parent(client: &mut Client, plan: &Plan, ledger: &Ledger, head: Option<&Revision>) -> Result<(), Error> {
    let Some(head) = head else {
        return match &plan.parent {
            Some(expected) => Err(Error::Parent { expected: expected.clone(), head: None }),
            None => Ok(()),
        };
    };
    let applied = |revision: &Revision| revision.plan_id == plan.id && revision.outcome == Outcome::Done;
    if let Some(before) = ledger.list(client)?.into_iter().find(applied) {
        let when = before.finished.unwrap_or_default();
        return Err(Error::Overtaken { when, head: head.id.clone() });
    }
    match &plan.parent {
        Some(expected) if *expected != head.id => {
            Err(Error::Parent { expected: expected.clone(), head: Some(head.id.clone()) })
        }
        _ => Ok(()),
    }
}

/// The steps of a group; none where the group lies beyond the steps, which [`intact`] has refused.
pub(super) fn steps(plan: &Plan, group: Group) -> &[crate::plan::file::Step] {
    plan.steps.get(group.first..group.first + group.count).unwrap_or_default()
}
