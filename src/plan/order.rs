//! The order of what is done: by dependency, and by kind and address where dependency leaves a choice.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use super::{
    decide::{Decision, Decisions},
    fold::Folding,
    graph::{Graph, Part},
};
use crate::catalog::{Catalog, Kind, ObjectId};

/// What is done earlier where dependency leaves a choice: phase, kind, relation, position, address.
type Key = (u8, Kind, Vec<String>, i16, ObjectId, Part);

/// The roots of the folding, in order.
///
/// Creations and changes come as early as they can, in the order of the list of kinds, so that what no catalog knows (a
/// table in the body of a function) is there in time; drops come as late as they can.
pub(super) fn order(graph: &Graph, folding: &Folding, desired: &Catalog, decisions: &Decisions) -> Vec<usize> {
    let mut after: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut missing = vec![0_usize; graph.nodes.len()];
    for (a, b) in folding.edges(graph) {
        after.entry(a).or_default().push(b);
        missing[b] += 1;
    }
    let key = |node: usize| {
        let (part, id) = &graph.nodes[node];
        (key(*part, id, desired, decisions), node)
    };
    let mut ready: BinaryHeap<Reverse<(Key, usize)>> = (0..graph.nodes.len())
        .filter(|node| folding.root(*node) == *node && missing[*node] == 0)
        .map(|node| Reverse(key(node)))
        .collect();
    let mut order = Vec::new();
    while let Some(Reverse((_, node))) = ready.pop() {
        order.push(node);
        for following in after.remove(&node).unwrap_or_default() {
            missing[following] -= 1;
            if missing[following] == 0 {
                ready.push(Reverse(key(following)));
            }
        }
    }
    order
}

fn key(part: Part, id: &ObjectId, desired: &Catalog, decisions: &Decisions) -> Key {
    let commits = decisions.of.get(id).is_some_and(Decision::only_adds);
    let phase = match part {
        // What needs a commit of its own comes first, so that one transaction can hold the rest.
        Part::Main if commits => 0,
        Part::Gather | Part::Main | Part::Restore => 1,
        Part::Save | Part::LetGo | Part::Drop => 2,
        Part::Finish => 3,
    };
    let position = desired.get(id).map_or(i16::MAX, crate::catalog::Object::position);
    let relation = id.root().names.iter().take(2).cloned().collect();
    (phase, id.kind, relation, position, id.clone(), part)
}
