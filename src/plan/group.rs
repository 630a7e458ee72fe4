//! Transaction groups: runs of steps that are committed together.

use super::file::{Group, Step};
use crate::catalog::Transaction;

/// Groups steps: as few transactions as PostgreSQL allows, in the order of the steps.
pub(super) fn groups(steps: &[Step]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut before = None;
    for (number, step) in steps.iter().enumerate() {
        let joins = match (before, step.transaction) {
            (Some(Transaction::Inside), Transaction::Inside | Transaction::CommitAfter) => true,
            // A new enum value can be used only after the commit; another value can be added before it.
            (Some(Transaction::CommitAfter), Transaction::CommitAfter) => true,
            _ => false,
        };
        if let Some(group) = groups.last_mut().filter(|_| joins) {
            group.count += 1;
        } else {
            let transaction = step.transaction != Transaction::Outside;
            groups.push(Group { first: number, count: 1, transaction });
        }
        before = Some(step.transaction);
    }
    groups
}
