//! One graph of everything that is done: an edge leads from what comes first to what comes after.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{Equivalent, IndexSet};

use super::{
    decide::{Decision, Decisions},
    held::Held,
    whole::types,
};
use crate::catalog::{At, Catalog, Object, ObjectId, Shape, Slot, Tie};

/// One thing that is done to an object. The order of the variants is the order in which a swap happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// Its rows are put aside.
    Save,
    /// It lets go of what is to be dropped.
    LetGo,
    /// It is dropped, or moved out of the way.
    Drop,
    /// Rows that are elsewhere come to where it is made.
    Gather,
    /// It is created, or changed.
    Main,
    /// The rows that were put aside are put back.
    Restore,
    /// What was moved out of the way is dropped.
    Finish,
}

/// A node: what is done to which object.
pub(super) type Node = (Part, ObjectId);

/// A node to look up; hashes as the node does.
#[derive(Hash)]
struct NodeRef<'a>(Part, &'a ObjectId);

impl Equivalent<Node> for NodeRef<'_> {
    fn equivalent(&self, node: &Node) -> bool {
        self.0 == node.0 && *self.1 == node.1
    }
}

/// Nodes, and the edges between them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub nodes: IndexSet<Node, foldhash::fast::RandomState>,
    /// From what comes first to what comes after, as indices of nodes.
    pub edges: BTreeSet<(usize, usize)>,
}

impl Graph {
    /// The graph of what was decided.
    pub fn new(current: &Catalog, desired: &Catalog, decisions: &Decisions) -> Self {
        let mut graph = Self::default();
        for (id, decision) in &decisions.of {
            for part in parts(decision) {
                graph.nodes.insert((*part, id.clone()));
            }
        }
        for (id, decision) in &decisions.of {
            // A part of something that is moved out of the way keeps nobody waiting.
            if swapped_owner(current, decisions, id).is_some() {
                continue;
            }
            for pair in parts(decision).windows(2) {
                if let [first, second] = pair {
                    graph.edge((*first, id), (*second, id));
                }
            }
        }
        graph.creation(desired, decisions);
        graph.removal(current, desired, decisions);
        graph.names(current, desired, decisions);
        graph.bindings(current, desired, decisions);
        graph.turns(current, desired, decisions);
        graph.precedences(current, desired, decisions);
        graph.links(current, desired);
        graph.holders(current, desired, decisions);
        graph.words(current, decisions);
        graph.transfers(current, desired, decisions);
        graph.gatherings(current, desired, decisions);
        graph.rows(current, desired);
        graph
    }

    /// The index of a node, where it is there.
    pub fn index(&self, part: Part, id: &ObjectId) -> Option<usize> {
        self.nodes.get_index_of(&NodeRef(part, id))
    }

    fn edge(&mut self, first: (Part, &ObjectId), second: (Part, &ObjectId)) {
        if let (Some(first), Some(second)) = (self.index(first.0, first.1), self.index(second.0, second.1)) {
            self.edges.insert((first, second));
        }
    }

    /// What is needed in the desired state is made first.
    fn creation(&mut self, desired: &Catalog, decisions: &Decisions) {
        for (dependent, _) in desired.iter().filter(|(id, _)| decisions.of.contains_key(*id)) {
            for (referenced, tie) in desired.referenced(dependent) {
                if tie != Tie::Owned {
                    self.edge((Part::Main, referenced), (Part::Main, dependent));
                }
            }
        }
    }

    /// What depends on something in the current state goes, or lets go, before that goes or changes.
    fn removal(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        // A new label disturbs nothing that depends on its type, and has to be committed first.
        let disturbed = decisions.of.iter().filter(|(_, decision)| !decision.only_adds());
        for id in disturbed.map(|(id, _)| id).filter(|id| current.contains(id)) {
            for (dependent, tie) in current.dependents(id) {
                let finishes = self.index(Part::Finish, id).is_some();
                let first = [Part::LetGo, Part::Drop].into_iter().find(|part| self.index(*part, id).is_some());
                let first = first.unwrap_or(Part::Main);
                if first == Part::Drop && self.index(Part::LetGo, dependent).is_some() {
                    self.edge((Part::LetGo, dependent), (Part::Drop, id));
                } else if self.index(Part::Finish, dependent).is_some() {
                    // The old definitions go one after the other, like any two.
                    self.edge((Part::Finish, dependent), (if finishes { Part::Finish } else { Part::Drop }, id));
                } else if finishes && (tie != Tie::Needs || swapped_owner(current, decisions, dependent).is_some()) {
                    self.edge((Part::Drop, dependent), (Part::Finish, id));
                } else if first == Part::Main && is_column(dependent) && !is_column(id) && tie != Tie::Needs {
                    // A relation changes with a column that goes as well as without it.
                } else if self.index(Part::Drop, dependent).is_some() {
                    let with = swapped_owner(current, decisions, id)
                        .filter(|_| swapped_owner(current, decisions, dependent).is_none());
                    self.edge((Part::Drop, dependent), with.map_or((first, id), |owner| (Part::Drop, owner)));
                } else if finishes {
                    self.edge((Part::Main, dependent), (Part::Finish, id));
                } else if let Some(owner) = swapped_owner(current, decisions, id) {
                    self.edge((Part::Main, dependent), (Part::Finish, owner));
                } else if !desired.referenced(dependent).any(|(referenced, _)| referenced == id) {
                    self.edge((Part::Main, dependent), (first, id));
                }
            }
        }
    }

    /// What lets go of its values writes them in the words of all the types of which they are made.
    fn words(&mut self, current: &Catalog, decisions: &Decisions) {
        for id in decisions.of.keys().filter(|id| self.index(Part::LetGo, id).is_some()).collect::<Vec<_>>() {
            for of in types(current, id) {
                self.edge((Part::LetGo, id), (Part::Drop, of));
            }
        }
    }

    /// A name is free before it is taken.
    fn names(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        let mut taken: BTreeMap<Slot, Vec<usize>> = BTreeMap::new();
        for (index, (part, id)) in self.nodes.iter().enumerate() {
            if *part == Part::Drop
                && swapped_owner(current, decisions, id).is_none()
                && let Some(object) = current.get(id)
            {
                for slot in object.slots(id) {
                    taken.entry(slot).or_default().push(index);
                }
            }
        }
        for (index, (part, id)) in self.nodes.iter().enumerate() {
            let created = *part == Part::Main && self.is_created(current, id);
            let Some(object) = desired.get(id).filter(|_| created) else { continue };
            let before = object.comes_after(&decisions.at(id, current, desired));
            let before = before.iter().filter_map(|before| self.index(Part::Drop, before));
            let taken = object.slots(id).into_iter().flat_map(|slot| taken.get(&slot).into_iter().flatten().copied());
            let edges: Vec<_> = before.chain(taken).map(|before| (before, index)).collect();
            self.edges.extend(edges);
        }
    }

    /// What comes back with the same words may be bound to something else by them (a foreign key to another unique index),
    /// but not as long as what it was bound to is there.
    fn bindings(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        let same_words = |id: &&ObjectId| current.get(id).is_some_and(|it| desired.get(id) == Some(it));
        for id in decisions.of.keys().filter(same_words) {
            if self.index(Part::Drop, id).is_some() {
                // The words find what has moved out of the way no more.
                let is_there = |it: &ObjectId| swapped_owner(current, decisions, it).is_none();
                for (referenced, tie) in current.referenced(id) {
                    if tie == Tie::Needs && is_there(referenced) {
                        self.edge((Part::Drop, referenced), (Part::Main, id));
                    }
                }
            }
        }
    }

    /// What changes waits its turn.
    fn turns(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        let changes = |it: &Decision| matches!(it, Decision::Alter(_) | Decision::Replace);
        for (id, _) in decisions.of.iter().filter(|(_, decision)| changes(decision)) {
            if let (Some(from), Some(to)) = (current.get(id), desired.get(id)) {
                for first in from.waits_for(to, &decisions.at(id, current, desired)) {
                    let part = if desired.contains(&first) { Part::Main } else { Part::Drop };
                    self.edge((part, &first), (Part::Main, id));
                }
            }
        }
    }

    /// What is made in time to be found by what it does not depend on, and what goes after that.
    fn precedences(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        for id in decisions.of.keys() {
            let at = decisions.at(id, current, desired);
            for after in desired.get(id).map(|it| it.precedes(&at)).unwrap_or_default() {
                self.edge((Part::Main, id), (Part::Main, &after));
            }
            for before in current.get(id).map(|it| it.precedes(&at)).unwrap_or_default() {
                self.edge((Part::Drop, &before), (Part::Drop, id));
            }
        }
    }

    /// What ties two wholes together is cut before either changes, and made after both have.
    fn links(&mut self, current: &Catalog, desired: &Catalog) {
        let links: Vec<Node> = self.nodes.iter().filter(|(_, id)| id.kind.links()).cloned().collect();
        for (part, link) in &links {
            let catalog = if *part == Part::Drop { current } else { desired };
            let whole: BTreeSet<&ObjectId> = catalog.referenced(link).map(|(id, _)| id).collect();
            for (other, it) in &links {
                let shared = || current.referenced(it).any(|(id, _)| whole.contains(id));
                if *part == Part::Main && *other == Part::Drop && shared() {
                    self.edge((Part::Drop, it), (Part::Main, link));
                }
            }
            match part {
                Part::Drop => self.cut(link, current, desired),
                // What stays tied says itself what has to wait for it.
                _ if self.is_created(current, link) => self.tied(link, current, desired),
                _ => {}
            }
        }
    }

    fn cut(&mut self, link: &ObjectId, current: &Catalog, desired: &Catalog) {
        let upon: BTreeSet<&ObjectId> = current.dependents(link).map(|(id, _)| id).collect();
        let wholes: Vec<&ObjectId> = current.referenced(link).map(|(id, _)| id).collect();
        let mut parts = current.with_parts(wholes.iter().copied());
        let outside: BTreeSet<&ObjectId> =
            parts.iter().flat_map(|id| current.dependents(id)).map(|(id, _)| id).collect();
        // What a sibling has from the one above goes when the sibling goes.
        let goes = |(whole, tie): (&ObjectId, Tie)| tie != Tie::Needs && self.index(Part::Drop, whole).is_some();
        let goes_along =
            |id: &ObjectId| current.get(id).is_some_and(Object::incidental) && current.referenced(id).any(goes);
        let outside: Vec<&ObjectId> =
            outside.into_iter().filter(|id| !parts.contains(*id) && !id.kind.links() && !goes_along(id)).collect();
        for dependent in outside {
            self.edge((Part::Drop, dependent), (Part::Drop, link));
        }
        // What goes altogether takes the link with it.
        if link.of.as_ref().is_some_and(|of| self.index(Part::Drop, of).is_some()) {
            return;
        }
        parts.extend(desired.with_parts(wholes.into_iter().filter(|id| desired.contains(id))));
        for id in parts.into_iter().filter(|id| *id != link && !upon.contains(id)) {
            self.edge((Part::Drop, link), (Part::Drop, id));
            self.edge((Part::Drop, link), (Part::Main, id));
        }
    }

    fn tied(&mut self, link: &ObjectId, current: &Catalog, desired: &Catalog) {
        let upon: BTreeSet<&ObjectId> = desired.dependents(link).map(|(id, _)| id).collect();
        let new = link.of.as_deref().filter(|of| self.is_created(current, of));
        let wholes = || desired.referenced(link).map(|(id, _)| id);
        for id in current.with_parts(wholes().filter(|id| current.contains(id))) {
            self.edge((Part::Drop, id), (Part::Main, link));
        }
        // A link that can stand in the statement that makes its own object has nothing to wait for there.
        let foldable = new.is_some_and(|_| clause(desired, current, link));
        for id in desired.with_parts(wholes().filter(|id| !foldable || Some(*id) != new)) {
            if id != link && id.kind < link.kind && !upon.contains(id) {
                self.edge((Part::Main, id), (Part::Main, link));
            }
        }
    }

    /// What holds values of a row type lets go of them before that changes, and takes hold of them after.
    fn holders(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        for (id, decision) in &decisions.of {
            let held = Held::new(decision, &decisions.at(id, current, desired));
            for holder in &held.before {
                let ends = [Part::LetGo, Part::Drop].into_iter().find(|part| self.index(*part, holder).is_some());
                let first = match ends {
                    Some(Part::LetGo) => Part::LetGo,
                    _ if !held.refused => continue,
                    Some(part) => part,
                    None if held.after.contains(holder) => continue,
                    None => Part::Main,
                };
                for part in parts(decision) {
                    self.edge((first, holder), (*part, id));
                }
            }
            for holder in &held.after {
                // A default may be such a value as well.
                let parts_of_it = desired.dependents(holder).filter(|(_, tie)| *tie == Tie::Belongs).map(|(it, _)| it);
                let itself = held.refused || self.index(Part::LetGo, holder).is_some();
                for after in parts_of_it.chain(Some(holder).filter(|_| itself)) {
                    for part in parts(decision) {
                        self.edge((*part, id), (Part::Main, after));
                    }
                }
            }
        }
    }

    fn is_created(&self, current: &Catalog, id: &ObjectId) -> bool {
        !current.contains(id) || self.index(Part::Drop, id).is_some()
    }
}

fn is_column(id: &ObjectId) -> bool {
    id.kind.shape() == Shape::Column
}

/// The swapped object to which an object belongs: it is moved out of the way with it, and goes when it goes.
pub(super) fn swapped_owner<'a>(current: &'a Catalog, decisions: &Decisions, id: &ObjectId) -> Option<&'a ObjectId> {
    current
        .referenced(id)
        .filter(|(owner, tie)| *tie != Tie::Needs && matches!(decisions.of.get(*owner), Some(Decision::Swap)))
        .map(|(owner, _)| owner)
        .next()
}

fn parts(decision: &Decision) -> &'static [Part] {
    match decision {
        Decision::Create | Decision::Alter(_) | Decision::Follow(_) => &[Part::Main],
        Decision::Detour(..) => &[Part::LetGo, Part::Main],
        Decision::Drop => &[Part::Drop],
        Decision::Replace => &[Part::Drop, Part::Main],
        Decision::Swap => &[Part::Drop, Part::Main, Part::Finish],
    }
}

/// Whether an object can be made within the statement that makes another.
fn clause(desired: &Catalog, current: &Catalog, id: &ObjectId) -> bool {
    let at = At { id, current, desired, parts: &[], gone: &BTreeSet::new() };
    desired.get(id).is_some_and(|it| it.is_clause(&at))
}
