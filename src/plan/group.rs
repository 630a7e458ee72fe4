//! Transaction groups: runs of steps that are committed together.

use std::collections::BTreeMap;

use super::{
    file::{Group, Step},
    locks,
};
use crate::catalog::Transaction;

/// Groups steps: as few transactions as PostgreSQL allows, in the order of the steps.
///
/// A transaction that would need more locks than the server's `capacity` is divided where nothing is half done; where it
/// is half done throughout, it stays too large, and `apply` refuses it.
pub(super) fn groups(steps: &[Step], capacity: u64) -> Vec<Group> {
    let safe = safe(steps);
    needed(steps).into_iter().flat_map(|group| divided(group, steps, &safe, capacity)).collect()
}

/// The groups that PostgreSQL demands.
fn needed(steps: &[Step]) -> Vec<Group> {
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

/// Divides a group at the last safe place before it gets too large.
fn divided(group: Group, steps: &[Step], safe: &[bool], capacity: u64) -> Vec<Group> {
    let end = group.first + group.count;
    if !group.transaction || locks::needed(&steps[group.first..end]) <= capacity {
        return vec![group];
    }
    let (mut groups, mut first, mut cut) = (Vec::new(), group.first, None);
    let (mut held, mut since_cut) = (locks::needed(&[]), 0);
    for number in group.first..end {
        let more = locks::of_step(&steps[number]);
        if let Some(next) = cut.filter(|_| held + more > capacity) {
            groups.push(Group { first, count: next - first, transaction: true });
            (first, cut, held) = (next, None, locks::needed(&[]) + since_cut);
        }
        held += more;
        since_cut += more;
        if safe[number] {
            (cut, since_cut) = (Some(number + 1), 0);
        }
    }
    groups.push(Group { first, count: end - first, transaction: true });
    groups
}

/// After which steps nothing is half done: no object is between two steps that are about it, such as one that has stepped
/// aside and comes back later, or a new one from which a right has still to be taken.
fn safe(steps: &[Step]) -> Vec<bool> {
    let mut spans: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (number, step) in steps.iter().enumerate() {
        let mut about = |object| spans.entry(object).or_insert((number, number)).1 = number;
        for object in step.creates.iter().chain(&step.changes).chain(&step.destroys) {
            about(object.as_str());
            // `GRANT TO reader ON TABLE app.users`: until then, anybody may have what defaults give.
            if let Some((_, of)) = object.split_once(" ON ").filter(|_| step.sql.starts_with("REVOKE")) {
                about(of);
            }
        }
    }
    let mut open = vec![0_isize; steps.len() + 1];
    for (first, last) in spans.into_values() {
        open[first] += 1;
        open[last] -= 1;
    }
    let mut now = 0;
    open.into_iter()
        .take(steps.len())
        .map(|change| {
            now += change;
            now == 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::file::Observed;

    fn step(sql: &str, creates: &[&str], destroys: &[&str]) -> Step {
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Step {
            sql: sql.to_owned(),
            variables: Default::default(),
            creates: text(creates),
            changes: Vec::new(),
            destroys: text(destroys),
            source: None,
            transaction: Transaction::Inside,
            hazards: Vec::new(),
            guards: Vec::new(),
            observed: Observed::default(),
        }
    }

    fn counts(steps: &[Step], capacity: u64) -> Vec<usize> {
        let groups = groups(steps, capacity);
        let mut next = 0;
        for group in &groups {
            assert_eq!(group.first, next, "groups follow on one another");
            next += group.count;
        }
        groups.iter().map(|group| group.count).collect()
    }

    fn room_for(steps: &[Step]) -> u64 {
        locks::needed(steps)
    }

    #[test]
    fn a_transaction_is_divided_only_where_it_is_too_large() {
        let steps: Vec<Step> = (0..10).map(|n| step("CREATE", &[&format!("TABLE app.t{n}")], &[])).collect();
        assert_eq!(counts(&steps, room_for(&steps)), [10]);
        assert_eq!(counts(&steps, room_for(&steps) - 1), [9, 1]);
        assert_eq!(counts(&steps, room_for(&steps[..4])), [4, 4, 2]);
        assert_eq!(counts(&steps, 0), [1; 10]);
    }

    #[test]
    fn nothing_is_committed_while_something_has_stepped_aside() {
        let steps = [
            step("CREATE", &["TABLE app.a"], &[]),
            step("DROP", &[], &["VIEW app.v"]),
            step("CREATE", &["TABLE app.b"], &[]),
            step("CREATE", &["VIEW app.v"], &[]),
            step("CREATE", &["TABLE app.c"], &[]),
        ];
        assert_eq!(counts(&steps, 0), [1, 3, 1]);
        assert_eq!(counts(&steps, room_for(&steps[..2])), [1, 3, 1]);
    }

    #[test]
    fn nothing_is_committed_before_its_rights_are_taken_away() {
        let steps = [
            step("CREATE", &["FUNCTION app.f()"], &[]),
            step("CREATE", &["TABLE app.a"], &[]),
            step("REVOKE", &[], &["GRANT TO PUBLIC ON FUNCTION app.f()"]),
            step("GRANT", &["GRANT TO reader ON TABLE app.a"], &[]),
        ];
        assert_eq!(counts(&steps, 0), [3, 1]);
    }
}
