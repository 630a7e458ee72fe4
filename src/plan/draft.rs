//! A draft: the ordered steps from one catalog to another, before they are proved and written down.

use std::collections::BTreeMap;

use super::{
    decide::{Decision, Decisions, decide},
    file,
    fold::{Cycle, Folding, clause_order},
    graph::{Graph, Part},
    order::order,
};
use crate::{
    catalog::{At, Catalog, Object, ObjectId, Step},
    diff,
};

/// The steps that lead from one catalog to another, in order, and why.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The steps.
    pub steps: Vec<Planned>,
    /// What happens to each object that has a step of its own.
    pub changes: Vec<file::Change>,
}

impl Draft {
    /// Puts what another draft does behind this one.
    pub fn extend(&mut self, other: Draft) {
        self.steps.extend(other.steps);
        self.changes.extend(other.changes);
        self.sort();
    }

    fn sort(&mut self) {
        self.changes.sort_by(|a, b| a.object.cmp(&b.object));
        self.changes.dedup_by(|a, b| a.object == b.object);
    }
}

/// A step, and the objects that it is about.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The statement.
    pub step: Step,
    /// What it creates: the object itself first, then what is folded into it.
    pub creates: Vec<ObjectId>,
    /// What it changes.
    pub changes: Vec<ObjectId>,
    /// What it destroys.
    pub destroys: Vec<ObjectId>,
}

/// Plans the way from one catalog to another; `same` may hold two different definitions for the same.
pub fn draft(
    current: &Catalog,
    desired: &Catalog,
    same: impl Fn(&ObjectId, &Object, &Object) -> bool,
) -> Result<Draft, Cycle> {
    let changes = diff::diff(current, desired, same);
    let decisions = decide(current, desired, &changes);
    let graph = Graph::new(current, desired, &decisions);
    let folding = Folding::new(&graph, current, desired, &decisions)?;
    let children = folding.children();
    let drafting =
        Drafting { current, desired, decisions: &decisions, graph: &graph, folding: &folding, children: &children };
    let mut draft = Draft::default();
    for node in order(&graph, &folding, desired, &decisions) {
        let steps = drafting.steps(node);
        // What comes about by itself, such as the columns of a view, is not worth a word.
        if !steps.is_empty() {
            draft.changes.extend(drafting.change(node));
        }
        draft.steps.extend(steps);
    }
    draft.sort();
    Ok(draft)
}

struct Drafting<'a> {
    current: &'a Catalog,
    desired: &'a Catalog,
    decisions: &'a Decisions,
    graph: &'a Graph,
    folding: &'a Folding,
    children: &'a BTreeMap<usize, Vec<usize>>,
}

impl Drafting<'_> {
    fn at<'b>(&'b self, id: &'b ObjectId, parts: &'b [String]) -> At<'b> {
        At { parts, ..self.decisions.at(id, self.current, self.desired) }
    }

    /// The steps of one node with everything that is folded into it, and what is left to do for what it carries.
    fn steps(&self, node: usize) -> Vec<Planned> {
        let mut steps = self.own_steps(node);
        for carried in self.carried(node) {
            let theirs = self.steps(carried);
            if self.graph.nodes[carried].0 != Part::Drop {
                steps.extend(theirs);
            } else if let Some(last) = steps.last_mut() {
                // It is gone by now, and what is lost with it as well.
                last.step.hazards.extend(theirs.into_iter().flat_map(|planned| planned.step.hazards));
            }
        }
        steps
    }

    /// What comes about by a node without being a part of it, directly or by way of a part.
    fn carried(&self, node: usize) -> Vec<usize> {
        let children = self.children.get(&node).into_iter().flatten().copied();
        let (carried, parts): (Vec<usize>, Vec<usize>) = children.partition(|child| self.folding.is_carried(*child));
        carried.into_iter().chain(parts.into_iter().flat_map(|part| self.carried(part))).collect()
    }

    fn own_steps(&self, node: usize) -> Vec<Planned> {
        let (part, id) = &self.graph.nodes[node];
        let mut ids = vec![id.clone()];
        self.folded(node, &mut ids);
        let about = |step: Step, creates: &[ObjectId], changes: &[ObjectId], destroys: &[ObjectId]| Planned {
            step,
            creates: creates.to_vec(),
            changes: changes.to_vec(),
            destroys: destroys.to_vec(),
        };
        let before = self.current.get(id);
        match (part, self.decisions.of.get(id)) {
            (Part::Main, Some(Decision::Alter(steps) | Decision::Follow(steps))) => {
                steps.iter().cloned().map(|step| about(step, &[], &ids, &[])).collect()
            }
            (Part::LetGo, Some(Decision::Detour(steps, _))) | (Part::Main, Some(Decision::Detour(_, steps))) => {
                steps.iter().cloned().map(|step| about(step, &[], &ids, &[])).collect()
            }
            (Part::Save | Part::Restore, _) => {
                let transfer = before.and_then(|it| it.transfer(&self.at(id, &[])));
                let steps = transfer.map(|it| if *part == Part::Save { it.save } else { it.restore });
                steps.into_iter().flatten().map(|step| about(step, &[], &ids, &[])).collect()
            }
            (Part::Gather, _) => {
                let gathering = self.desired.get(id).and_then(|it| it.gather(&self.at(id, &[])));
                gathering.into_iter().map(|it| about(it.step, &[], &ids, &[])).collect()
            }
            (Part::LetGo, _) => Vec::new(),
            (Part::Main, _) => self.create(node).into_iter().map(|step| about(step, &ids, &[], &[])).collect(),
            (Part::Drop, Some(Decision::Swap)) => {
                let steps = before.map(|it| it.aside(&self.at(id, &[]))).unwrap_or_default();
                steps.into_iter().map(|step| about(step, &[], &ids, &[])).collect()
            }
            (Part::Drop, _) => {
                let steps = before.map(|it| it.drop(&self.at(id, &[]))).unwrap_or_default();
                steps.into_iter().map(|step| about(step, &[], &[], &ids)).collect()
            }
            (Part::Finish, _) => {
                let steps = before.map(|it| it.finish(&self.at(id, &[]))).unwrap_or_default();
                steps.into_iter().map(|step| about(step, &[], &[], &ids)).collect()
            }
        }
    }

    fn create(&self, node: usize) -> Vec<Step> {
        let (_, id) = &self.graph.nodes[node];
        let parts = self.clauses(node);
        self.desired.get(id).map(|object| object.create(&self.at(id, &parts))).unwrap_or_default()
    }

    /// The clauses of what is folded into a node, in the order in which they stand in its statement.
    fn clauses(&self, node: usize) -> Vec<String> {
        let children = self.children.get(&node).into_iter().flatten().copied();
        let mut children: Vec<usize> = children.filter(|child| !self.folding.is_carried(*child)).collect();
        children.sort_by_cached_key(|child| clause_order(self.desired, &self.graph.nodes[*child].1));
        let clause = |child: usize| {
            let (part, id) = &self.graph.nodes[child];
            let object = self.desired.get(id).filter(|_| *part == Part::Main)?;
            object.clause(&self.at(id, &self.clauses(child)))
        };
        children.into_iter().filter_map(clause).collect()
    }

    fn folded(&self, node: usize, ids: &mut Vec<ObjectId>) {
        for child in self.children.get(&node).into_iter().flatten() {
            ids.push(self.graph.nodes[*child].1.clone());
            self.folded(*child, ids);
        }
    }

    fn change(&self, node: usize) -> Option<file::Change> {
        let (_, id) = &self.graph.nodes[node];
        let (before, after) = (self.current.get(id), self.desired.get(id));
        let differs = before != after;
        let action = match self.decisions.of.get(id)? {
            Decision::Create => file::Action::Create,
            Decision::Drop => file::Action::Drop,
            Decision::Alter(_) => file::Action::Alter,
            Decision::Swap if after.is_none() => file::Action::Drop,
            Decision::Replace | Decision::Swap if differs => file::Action::Replace,
            Decision::Replace | Decision::Swap => file::Action::StepAside,
            Decision::Follow(_) | Decision::Detour(..) => file::Action::Follow,
        };
        let mut reasons = Vec::new();
        if let (Some(before), Some(after)) = (before, after) {
            reasons.extend(fields(before, after));
        }
        reasons.extend(self.decisions.because.get(id).map(|it| file::Reason::Because(it.to_string())));
        Some(file::Change { object: id.to_string(), action, reasons, source: None })
    }
}

/// The fields in which two definitions differ.
fn fields(before: &Object, after: &Object) -> Vec<file::Reason> {
    let (before, after) = (before.to_json(), after.to_json());
    let names = after.as_object().into_iter().flat_map(|fields| fields.keys());
    names
        .filter(|name| before.get(name.as_str()) != after.get(name.as_str()))
        .map(|name| file::Reason::Field {
            name: name.clone(),
            before: before.get(name).cloned().unwrap_or_default(),
            after: after.get(name).cloned().unwrap_or_default(),
        })
        .collect()
}
