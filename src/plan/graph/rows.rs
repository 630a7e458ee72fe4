//! When rows move, and what writes rows down.

use std::collections::BTreeSet;

use super::{Graph, Part, is_column};
use crate::{
    catalog::{Catalog, ObjectId, Tie},
    plan::decide::{Decision, Decisions},
};

impl Graph {
    /// Rows are put aside before anything goes that they are in, and back when all is there that they go into; what looks at
    /// them comes after that.
    pub(super) fn transfers(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        let replaced = decisions.of.iter().filter(|(_, decision)| matches!(decision, Decision::Replace));
        for (id, _) in replaced {
            let transfer = current.get(id).and_then(|it| it.transfer(&decisions.at(id, current, desired)));
            let Some(transfer) = transfer else { continue };
            self.nodes.insert((Part::Save, id.clone()));
            self.nodes.insert((Part::Restore, id.clone()));
            for source in &transfer.emptied {
                self.edge((Part::Save, id), (Part::Drop, source));
            }
            for first in &transfer.room {
                self.edge((Part::Main, first), (Part::Restore, id));
            }
            for after in &transfer.lookers {
                self.edge((Part::Restore, id), (Part::Main, after));
            }
        }
    }

    /// Rows come to where something is made when everything is ready for it, and before what they leave goes or is made again.
    pub(super) fn gatherings(&mut self, current: &Catalog, desired: &Catalog, decisions: &Decisions) {
        let created =
            decisions.of.keys().filter(|id| self.index(Part::Main, id).is_some() && self.is_created(current, id));
        let of = |id: &ObjectId| Some((id.clone(), desired.get(id)?.gather(&decisions.at(id, current, desired))?));
        for (id, gathering) in created.filter_map(of).collect::<Vec<_>>() {
            let (stay, go): (Vec<&ObjectId>, Vec<&ObjectId>) =
                gathering.sources.iter().partition(|table| desired.contains(table));
            let link = |table: &ObjectId| ObjectId::about(id.kind, table);
            let again = stay.into_iter().map(link).chain([id.clone()]).filter_map(|link| self.index(Part::Main, &link));
            let again: BTreeSet<usize> = again.collect();
            let with_what_goes: BTreeSet<ObjectId> = go.iter().map(|table| link(table)).collect();
            let is_ready = |node: usize| match &self.nodes[node] {
                (Part::Drop, link) => !with_what_goes.contains(link),
                (Part::Gather, _) => false,
                (_, it) => !it.kind.links(),
            };
            let before = self.edges.iter().filter(|(_, second)| again.contains(second)).map(|(first, _)| *first);
            let room = gathering.room.iter().filter_map(|below| self.index(Part::Main, below));
            let before: BTreeSet<usize> = before.filter(|node| is_ready(*node)).chain(room).collect();
            let after = go.into_iter().filter_map(|table| self.index(Part::Drop, table)).chain(again);
            let after: Vec<usize> = after.collect();
            let (gather, _) = self.nodes.insert_full((Part::Gather, id));
            self.edges.extend(before.into_iter().map(|node| (node, gather)));
            self.edges.extend(after.into_iter().map(|node| (gather, node)));
        }
    }

    /// What writes down a value of a row type, as a default may, does so when the parts that go are gone: no catalog tells
    /// how many of them it writes. Where it has to be there before, it does not write any.
    pub(super) fn rows(&mut self, current: &Catalog, desired: &Catalog) {
        let mut edges = Vec::new();
        for (index, (part, column)) in self.nodes.iter().enumerate().filter(|(_, (_, id))| is_column(id)) {
            if *part != Part::Drop || desired.contains(column) {
                continue;
            }
            // What it goes along with has none of them left anyway.
            let stays = |whole: &ObjectId| !is_column(whole) && self.index(Part::Drop, whole).is_none();
            let wholes = current.referenced(column).filter(|(whole, tie)| *tie != Tie::Needs && stays(whole));
            let writers = wholes.flat_map(|(whole, _)| desired.dependents(whole)).filter(|(_, tie)| *tie == Tie::Needs);
            edges.extend(writers.filter_map(|(id, _)| self.index(Part::Main, id)).map(|writer| (index, writer)));
        }
        for (gone, writer) in edges {
            if !self.leads(writer, gone) {
                self.edges.insert((gone, writer));
            }
        }
    }

    /// Whether a node comes before another.
    fn leads(&self, first: usize, last: usize) -> bool {
        let (mut next, mut seen) = (vec![first], BTreeSet::from([first]));
        while let Some(node) = next.pop().filter(|_| !seen.contains(&last)) {
            let after = self.edges.range((node, 0)..=(node, usize::MAX)).map(|(_, after)| *after);
            next.extend(after.filter(|it| seen.insert(*it)));
        }
        seen.contains(&last)
    }
}
