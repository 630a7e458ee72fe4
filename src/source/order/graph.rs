//! Sorts a graph whose edges are of different strength; circles are broken at the weakest.

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

/// One unit stands before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) strength: u8,
}

/// A name is made before a word that is most likely no mention of it.
pub(super) const DOUBTFUL: u8 = 0;
/// A statement whose position may matter to every other keeps it.
pub(super) const BARRIER: u8 = 1;
/// Statements about the same object keep their order.
pub(super) const SAME_OBJECT: u8 = 2;
/// A name is made before it is mentioned.
pub(super) const NEEDS: u8 = 3;

/// An order of all nodes, by rank and then by index where edges leave a choice; and the circles of the strongest edges.
pub(super) fn arrange(ranks: &[u8], edges: &[Edge]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let nodes: Vec<_> = (0..ranks.len()).collect();
    let mut sequence = Vec::with_capacity(nodes.len());
    let mut cycles = Vec::new();
    part(&nodes, edges, DOUBTFUL, ranks, &mut sequence, &mut cycles);
    (sequence, cycles)
}

fn part(
    nodes: &[usize],
    edges: &[Edge],
    weakest: u8,
    ranks: &[u8],
    sequence: &mut Vec<usize>,
    cycles: &mut Vec<Vec<usize>>,
) {
    let edges: Vec<_> = edges.iter().copied().filter(|edge| edge.strength >= weakest).collect();
    for group in groups(nodes, &edges, ranks) {
        if let [only] = group.as_slice() {
            sequence.push(*only);
        } else if weakest < NEEDS {
            let inside: std::collections::HashSet<_> = group.iter().copied().collect();
            let within = |edge: &&Edge| inside.contains(&edge.from) && inside.contains(&edge.to);
            let inner: Vec<_> = edges.iter().filter(within).copied().collect();
            part(&group, &inner, weakest + 1, ranks, sequence, cycles);
        } else {
            sequence.extend(&group);
            cycles.push(group);
        }
    }
}

/// The strongly connected groups in topological order, each sorted; without circles every group has one node.
fn groups(nodes: &[usize], edges: &[Edge], ranks: &[u8]) -> Vec<Vec<usize>> {
    let local: HashMap<usize, usize> = nodes.iter().enumerate().map(|(at, node)| (*node, at)).collect();
    let pairs: Vec<(usize, usize)> =
        edges.iter().filter_map(|edge| Some((*local.get(&edge.from)?, *local.get(&edge.to)?))).collect();
    let singles: Vec<_> = (0..nodes.len()).collect();
    let mut member: Vec<Vec<usize>> = nodes.iter().map(|node| vec![*node]).collect();
    let key = |group: &[usize]| group.iter().map(|node| (ranks[*node], *node)).min().unwrap_or_default();
    if let Some(order) = sorted(&singles, &pairs, |at| (ranks[nodes[at]], nodes[at])) {
        return order.into_iter().map(|at| vec![nodes[at]]).collect();
    }
    let mut graph: DiGraph<(), ()> = DiGraph::with_capacity(nodes.len(), pairs.len());
    for _ in nodes {
        graph.add_node(());
    }
    for (from, to) in &pairs {
        graph.add_edge(NodeIndex::new(*from), NodeIndex::new(*to), ());
    }
    let components = kosaraju_scc(&graph);
    let mut of = vec![0; nodes.len()];
    member.clear();
    for (component, indices) in components.iter().enumerate() {
        let mut group: Vec<_> = indices.iter().map(|index| nodes[index.index()]).collect();
        group.sort_unstable_by_key(|node| (ranks[*node], *node));
        indices.iter().for_each(|index| of[index.index()] = component);
        member.push(group);
    }
    let between: Vec<_> = pairs.iter().map(|(from, to)| (of[*from], of[*to])).filter(|(from, to)| from != to).collect();
    let all: Vec<_> = (0..member.len()).collect();
    let keys: Vec<_> = member.iter().map(|group| key(group)).collect();
    let order = sorted(&all, &between, |component| keys[component]).unwrap_or(all);
    order.into_iter().map(|component| std::mem::take(&mut member[component])).collect()
}

/// A topological order, the smallest key first; none when there is a circle.
fn sorted<K: Ord>(nodes: &[usize], pairs: &[(usize, usize)], key: impl Fn(usize) -> K) -> Option<Vec<usize>> {
    let mut waits = vec![0_usize; nodes.len()];
    let mut after = vec![Vec::new(); nodes.len()];
    for (from, to) in pairs {
        waits[*to] += 1;
        after[*from].push(*to);
    }
    let free = nodes.iter().filter(|node| waits[**node] == 0);
    let mut ready: BinaryHeap<_> = free.map(|node| Reverse((key(*node), *node))).collect();
    let mut out = Vec::with_capacity(nodes.len());
    while let Some(Reverse((_, node))) = ready.pop() {
        out.push(node);
        for next in &after[node] {
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.push(Reverse((key(*next), *next)));
            }
        }
    }
    (out.len() == nodes.len()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(edges: &[(usize, usize, u8)]) -> Vec<Edge> {
        edges.iter().map(|(from, to, strength)| Edge { from: *from, to: *to, strength: *strength }).collect()
    }

    #[test]
    fn what_is_free_to_choose_keeps_its_order() {
        let (order, cycles) = arrange(&[1, 1, 1, 0, 2, 1], &edges(&[(2, 0, NEEDS)]));
        assert_eq!(order, [3, 1, 2, 0, 5, 4]);
        assert!(cycles.is_empty());
    }

    #[test]
    fn circles_break_at_their_weakest_edges() {
        let weak = edges(&[(0, 1, NEEDS), (1, 2, SAME_OBJECT), (2, 0, BARRIER), (3, 2, NEEDS)]);
        assert_eq!(arrange(&[1; 4], &weak), (vec![3, 0, 1, 2], vec![]));
        let strong = edges(&[(0, 1, NEEDS), (1, 0, NEEDS), (2, 0, NEEDS)]);
        assert_eq!(arrange(&[1; 3], &strong), (vec![2, 0, 1], vec![vec![0, 1]]));
    }

    #[test]
    fn long_chains_do_not_exhaust_the_stack() {
        let count = 100_000;
        let back: Vec<_> = (1..count).map(|at| Edge { from: at, to: at - 1, strength: NEEDS }).collect();
        let (order, _) = arrange(&vec![1; count], &back);
        assert_eq!(order.first(), Some(&(count - 1)));
        let mut circle = back;
        circle.push(Edge { from: 0, to: count - 1, strength: NEEDS });
        assert_eq!(arrange(&vec![1; count], &circle).1.len(), 1);
    }
}
