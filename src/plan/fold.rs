//! Folding: columns into `CREATE TABLE`, drops into their owner's drop.
//!
//! What would close a cycle when folded stays a step of its own.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::{algo::tarjan_scc, graphmap::DiGraphMap};

use super::{
    decide::Decisions,
    graph::{Graph, Part, swapped_owner},
};
use crate::catalog::{At, Catalog, Kind, ObjectId, Shape, Tie};

/// Which node each node is done together with.
#[derive(Debug)]
pub(super) struct Folding {
    /// The node into which each node is folded; itself where it is not.
    into: Vec<usize>,
    /// The nodes that are carried by the one into which they are folded.
    carried: BTreeSet<usize>,
}

/// A circle of things that each must come before the next: a bug in the ties or the kinds.
#[derive(Debug, thiserror::Error)]
#[error("the changes cannot be ordered, each of these must come before the next: {}", path.join(" → "))]
pub struct Cycle {
    /// What is done, in words, first to last; the last must come before the first.
    pub path: Vec<String>,
}

impl Folding {
    /// Folds as much as can be folded without closing a cycle.
    pub fn new(graph: &Graph, current: &Catalog, desired: &Catalog, decisions: &Decisions) -> Result<Self, Cycle> {
        let mut folding = Self { into: Vec::with_capacity(graph.nodes.len()), carried: BTreeSet::new() };
        for (index, (part, id)) in graph.nodes.iter().enumerate() {
            let at = decisions.at(id, current, desired);
            let carrier = match part {
                Part::Drop => current.get(id).and_then(|it| it.remover(&at)),
                Part::LetGo | Part::Main => desired.get(id).and_then(|it| it.carrier(&at)),
                Part::Save | Part::Gather | Part::Restore | Part::Finish => None,
            };
            let carrier = carrier.and_then(|it| graph.index(*part, &it));
            folding.carried.extend(carrier.map(|_| index));
            let parent = carrier.or_else(|| match part {
                Part::Drop => drop_parent(graph, current, decisions, id),
                Part::Main => main_parent(graph, desired, &at),
                Part::Save | Part::LetGo | Part::Gather | Part::Restore | Part::Finish => None,
            });
            folding.into.push(parent.unwrap_or(index));
        }
        while folding.unfold(graph)? {}
        Ok(folding)
    }

    /// The node that a node is done together with, followed to its end.
    pub fn root(&self, mut node: usize) -> usize {
        while self.into[node] != node {
            node = self.into[node];
        }
        node
    }

    /// Whether a node is not a part of the one into which it is folded, but comes about by it.
    pub fn is_carried(&self, node: usize) -> bool {
        self.carried.contains(&node) && self.into.get(node) != Some(&node)
    }

    /// The nodes that are folded straight into a node, for every node that has any.
    pub fn children(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut children: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (node, parent) in self.into.iter().enumerate().filter(|(node, parent)| node != *parent) {
            children.entry(*parent).or_default().push(node);
        }
        children
    }

    /// The edges between roots.
    pub fn edges<'a>(&'a self, graph: &'a Graph) -> impl Iterator<Item = (usize, usize)> + 'a {
        graph.edges.iter().map(|(a, b)| (self.root(*a), self.root(*b))).filter(|(a, b)| a != b)
    }

    /// Takes out of every cycle the folded nodes of the kind that is created last; says whether there was any cycle.
    fn unfold(&mut self, graph: &Graph) -> Result<bool, Cycle> {
        let mut folded = DiGraphMap::<usize, ()>::new();
        for (a, b) in self.edges(graph) {
            folded.add_edge(a, b, ());
        }
        let cycles: Vec<BTreeSet<usize>> =
            tarjan_scc(&folded).into_iter().filter(|it| it.len() > 1).map(|it| it.into_iter().collect()).collect();
        let mut of_cycle = BTreeMap::new();
        for (number, cycle) in cycles.iter().enumerate() {
            of_cycle.extend(cycle.iter().map(|root| (*root, number)));
        }
        let mut offenders: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); cycles.len()];
        for (a, b) in &graph.edges {
            let (from, to) = (self.root(*a), self.root(*b));
            if let (Some(one), Some(other)) = (of_cycle.get(&from), of_cycle.get(&to))
                && one == other
                && from != to
            {
                offenders[*one].extend([*a, *b].into_iter().filter(|node| self.into[*node] != *node));
            }
        }
        for (cycle, offenders) in cycles.iter().zip(&offenders) {
            let kind = |node: &usize| graph.nodes[*node].1.kind;
            let Some(last) = offenders.iter().map(kind).max() else { return Err(self.cycle(graph, cycle)) };
            for node in offenders.iter().filter(|node| kind(node) == last) {
                self.into[*node] = *node;
            }
        }
        Ok(!cycles.is_empty())
    }

    /// A shortest circle among these nodes, in words.
    fn cycle(&self, graph: &Graph, nodes: &BTreeSet<usize>) -> Cycle {
        let mut next: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (a, b) in self.edges(graph).filter(|(a, b)| nodes.contains(a) && nodes.contains(b)) {
            next.entry(a).or_default().insert(b);
        }
        let start = nodes.first().copied().unwrap_or_default();
        let (mut path, mut at) = (vec![start], start);
        while let Some(following) = next.get(&at).and_then(|it| it.first().copied()) {
            if let Some(seen) = path.iter().position(|node| *node == following) {
                path.drain(..seen);
                break;
            }
            path.push(following);
            at = following;
        }
        let words = |node: usize| {
            let (part, id) = &graph.nodes[node];
            let verb = match part {
                Part::Save => "save the rows of",
                Part::LetGo => "let go",
                Part::Drop => "drop",
                Part::Gather => "move rows to",
                Part::Main => "make",
                Part::Restore => "restore the rows of",
                Part::Finish => "finish",
            };
            format!("{verb} {id}")
        };
        Cycle { path: path.into_iter().map(words).collect() }
    }
}

/// The drop in which a drop is contained.
fn drop_parent(graph: &Graph, current: &Catalog, decisions: &Decisions, id: &ObjectId) -> Option<usize> {
    if let Some(owner) = swapped_owner(current, decisions, id) {
        return graph.index(Part::Finish, owner);
    }
    let mut owners = current.referenced(id).filter(|(_, tie)| *tie != Tie::Needs);
    owners.find_map(|(owner, _)| graph.index(Part::Drop, owner))
}

/// The creation that can contain an object's creation as a clause.
fn main_parent(graph: &Graph, desired: &Catalog, at: &At) -> Option<usize> {
    let id = at.id;
    let is_created = |id: &ObjectId| {
        graph.index(Part::Main, id).filter(|_| !at.current.contains(id) || graph.index(Part::Drop, id).is_some())
    };
    is_created(id)?;
    desired.get(id).filter(|it| it.is_clause(at))?;
    let owner = owners(desired, id)
        .into_iter()
        .filter(|owner| contains(owner, id))
        .max_by_key(|owner| (owner.names.len(), owner.kind))?;
    is_created(owner)
}

/// What an object belongs to, and what that belongs to.
fn owners<'a>(desired: &'a Catalog, id: &ObjectId) -> BTreeSet<&'a ObjectId> {
    let belongs =
        |id: &ObjectId| desired.referenced(id).filter(|(_, tie)| *tie == Tie::Belongs).map(|(owner, _)| owner);
    let direct: Vec<&ObjectId> = belongs(id).collect();
    direct.iter().flat_map(|owner| belongs(owner)).chain(direct.iter().copied()).collect()
}

/// Whether an owner's name is that of the whole of which `id` names a part.
fn contains(owner: &ObjectId, id: &ObjectId) -> bool {
    let same_column = id.kind.shape() == Shape::Column && owner.kind != id.kind && owner.names == id.names;
    let said = id.of.as_deref() == Some(owner);
    said || same_column || owner.kind.shape() == Shape::Plain && id.names.get(..2) == Some(&owner.names)
}

/// The order in which the clauses of one statement stand.
pub(super) fn clause_order(desired: &Catalog, id: &ObjectId) -> (Kind, i16, ObjectId) {
    (id.kind, desired.get(id).map_or(i16::MAX, crate::catalog::Object::position), id.clone())
}
