//! What happens to each object: the difference, widened along ties.
//!
//! What depends on something that is replaced steps aside and comes back, moves over to the new definition, or is
//! replaced as well; and so on, until nothing more is touched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    held::Held,
    whole::{types, wholes},
};
use crate::{
    catalog::{Alteration, At, Catalog, Detour, Kind, ObjectId, Step, Tie, Transaction},
    diff::Change,
};

/// What happens to one object.
#[derive(Debug)]
pub(super) enum Decision {
    /// It is created.
    Create,
    /// It is dropped.
    Drop,
    /// It changes in place.
    Alter(Vec<Step>),
    /// It is dropped and created.
    Replace,
    /// Its new definition is created beside the old one, and what depends on it moves over.
    Swap,
    /// It moves over to the new definition of something that is swapped.
    Follow(Vec<Step>),
    /// It lets go of what is made anew, by the first steps, and takes hold of it again by the second.
    Detour(Vec<Step>, Vec<Step>),
}

impl Decision {
    /// Whether the object only gains what can be used after a commit: labels of an enum.
    pub fn only_adds(&self) -> bool {
        let Self::Alter(steps) = self else { return false };
        !steps.is_empty() && steps.iter().all(|step| step.transaction == Transaction::CommitAfter)
    }
}

/// What happens to every object that is touched, and on whose account the ones do that do not differ themselves.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    pub of: BTreeMap<ObjectId, Decision>,
    pub because: BTreeMap<ObjectId, ObjectId>,
    /// What is dropped or replaced.
    pub gone: BTreeSet<ObjectId>,
}

impl Decisions {
    /// An object between two catalogs, knowing what goes.
    pub fn at<'a>(&'a self, id: &'a ObjectId, current: &'a Catalog, desired: &'a Catalog) -> At<'a> {
        At { id, current, desired, parts: &[], gone: &self.gone }
    }
}

/// Decides for every object that differs, and for all that those drag along.
///
/// How one object changes may depend on what becomes of another (a partition that is detached changes for itself), so this
/// is done over until nothing more is found to go.
pub(super) fn decide(current: &Catalog, desired: &Catalog, changes: &[Change]) -> Decisions {
    let (mut known, mut dragged) = (BTreeSet::new(), BTreeMap::new());
    let linked = current.iter().chain(desired.iter()).any(|(id, _)| id.kind.links());
    // What takes a detour is written as the outcome has it, for which it matters what is made anew.
    let takes_detours = |it: &Decisions| it.of.values().any(|it| matches!(it, Decision::Detour(..)));
    loop {
        let mut decisions = decide_knowing(&known, &dragged, current, desired, changes);
        let goes = |it: &Decision| matches!(it, Decision::Drop | Decision::Replace | Decision::Swap);
        let gone = decisions.of.iter().filter(|(_, it)| goes(it)).map(|(id, _)| id.clone()).collect();
        decisions.gone = gone;
        if !linked && !takes_detours(&decisions) {
            return decisions;
        }
        let along = go_along(&decisions, current, desired);
        if along.is_empty() && decisions.gone.is_subset(&known) {
            decisions.gone = known;
            return decisions;
        }
        known.extend(decisions.gone);
        dragged.extend(along);
    }
}

/// What stays, and would go along with something that goes; with each, what that is.
fn go_along(decisions: &Decisions, current: &Catalog, desired: &Catalog) -> BTreeMap<ObjectId, ObjectId> {
    let stays = current.iter().filter(|(id, _)| desired.contains(id) && !decisions.gone.contains(*id));
    stays.filter_map(|(id, object)| Some((id.clone(), object.remover(&decisions.at(id, current, desired))?))).collect()
}

fn decide_knowing(
    known: &BTreeSet<ObjectId>,
    dragged: &BTreeMap<ObjectId, ObjectId>,
    current: &Catalog,
    desired: &Catalog,
    changes: &[Change],
) -> Decisions {
    let mut deciding = Deciding::new(current, desired, known);
    for change in changes {
        let decision = match (change.before, change.after) {
            (None, _) => Decision::Create,
            (Some(_), None) => {
                deciding.gone.push_back(change.id.clone());
                Decision::Drop
            }
            (Some(_), Some(_)) => continue,
        };
        deciding.decisions.of.insert(change.id.clone(), decision);
    }
    for change in changes {
        if let (Some(before), Some(after)) = (change.before, change.after) {
            let alteration = before.alter(after, &deciding.at(change.id));
            deciding.alter(change.id, alteration, None);
        }
    }
    for change in changes.iter().filter(|change| change.after.is_none() && change.id.kind.swaps()) {
        if deciding.must_swap(change.id) {
            deciding.make_room(change.id);
        }
    }
    for change in changes {
        let whole = change.after.and_then(|after| after.rebuilds(change.before, &deciding.at(change.id)));
        if let Some(whole) = whole.filter(|it| current.contains(it)) {
            deciding.replace(&whole, Some(change.id));
        }
    }
    for (id, account) in dragged {
        deciding.replace(id, Some(account));
    }
    loop {
        while let Some(id) = deciding.gone.pop_front() {
            deciding.widen(&id);
        }
        let known = deciding.decisions.of.len();
        for (id, account) in deciding.torn() {
            deciding.replace(&id, Some(&account));
        }
        deciding.release();
        if deciding.gone.is_empty() && deciding.decisions.of.len() == known {
            return deciding.decisions;
        }
    }
}

struct Deciding<'a> {
    current: &'a Catalog,
    desired: &'a Catalog,
    decisions: Decisions,
    /// What is known to go.
    known: &'a BTreeSet<ObjectId>,
    /// Types that are dropped before they are made anew, so that rows have to let go of their values.
    let_go: BTreeSet<ObjectId>,
    /// Objects that are dropped or replaced, whose dependents have not been looked at yet.
    gone: VecDeque<ObjectId>,
}

impl<'a> Deciding<'a> {
    fn new(current: &'a Catalog, desired: &'a Catalog, known: &'a BTreeSet<ObjectId>) -> Self {
        let decisions = Decisions::default();
        Self { current, desired, decisions, known, let_go: BTreeSet::new(), gone: VecDeque::new() }
    }

    fn at<'b>(&self, id: &'b ObjectId) -> At<'b>
    where
        'a: 'b,
    {
        At { id, current: self.current, desired: self.desired, parts: &[], gone: self.known }
    }

    fn alter(&mut self, id: &ObjectId, alteration: Alteration, follows: Option<&ObjectId>) {
        let (steps, around): (_, &[Kind]) = match alteration {
            Alteration::InPlace(steps) => (steps, &[]),
            Alteration::Around(steps, kinds) => (steps, kinds),
            Alteration::Replace => return self.replace(id, follows),
        };
        let decision = match (self.decisions.of.remove(id), follows) {
            // It is replaced on another account already: nothing is left to change in place.
            (Some(Decision::Replace), _) => Decision::Replace,
            (Some(Decision::Swap), _) => Decision::Swap,
            (Some(detour @ Decision::Detour(..)), _) => detour,
            (Some(Decision::Follow(mut before)), None) => {
                before.extend(steps);
                Decision::Follow(before)
            }
            (Some(Decision::Alter(after)), Some(_)) => Decision::Follow([steps, after].concat()),
            (_, Some(_)) => Decision::Follow(steps),
            _ => Decision::Alter(steps),
        };
        self.decisions.of.insert(id.clone(), decision);
        if let Some(account) = follows {
            self.decisions.because.entry(id.clone()).or_insert_with(|| account.clone());
        }
        self.step_aside(id, around);
    }

    /// Replaces the dependents of these kinds.
    fn step_aside(&mut self, id: &ObjectId, around: &[Kind]) {
        let dependents: Vec<ObjectId> = self
            .current
            .dependents(id)
            .filter(|(dependent, _)| around.contains(&dependent.kind))
            .map(|(dependent, _)| dependent.clone())
            .collect();
        for dependent in dependents {
            self.replace(&dependent, Some(id));
        }
    }

    /// Makes room for a new definition of a type whose values rows hold: beside the old one, or where it was.
    fn make_room(&mut self, id: &ObjectId) {
        if id.kind.in_the_way() {
            return self.let_go(id);
        }
        self.decisions.of.insert(id.clone(), Decision::Swap);
        self.gone.push_back(id.clone());
    }

    /// Drops a type although rows hold values of it, which have to let go of it before.
    fn let_go(&mut self, id: &ObjectId) {
        if self.let_go.insert(id.clone()) {
            let decision = if self.desired.contains(id) { Decision::Replace } else { Decision::Drop };
            self.decisions.of.insert(id.clone(), decision);
            self.gone.push_back(id.clone());
        }
    }

    /// Lets an object let go of a type that is dropped, and take hold of the new one.
    fn detour(&mut self, id: &ObjectId, detour: Detour, account: &ObjectId) {
        let Detour { before, after, around } = detour;
        match self.decisions.of.get(id) {
            None | Some(Decision::Alter(_) | Decision::Follow(_)) => {}
            Some(_) => return,
        }
        self.decisions.of.insert(id.clone(), Decision::Detour(before, after));
        self.decisions.because.entry(id.clone()).or_insert_with(|| account.clone());
        self.step_aside(id, around);
    }

    /// Replaces an object, or drops it where it is not desired.
    fn replace(&mut self, id: &ObjectId, account: Option<&ObjectId>) {
        let decided = self.decisions.of.get(id);
        if matches!(decided, Some(Decision::Create | Decision::Drop | Decision::Replace | Decision::Swap)) {
            return;
        }
        if let Some(account) = account
            && decided.is_none()
        {
            self.decisions.because.insert(id.clone(), account.clone());
        }
        let stays = self.desired.contains(id);
        if stays && id.kind.swaps() && self.must_swap(id) {
            return self.make_room(id);
        }
        let decision = if stays { Decision::Replace } else { Decision::Drop };
        self.decisions.of.insert(id.clone(), decision);
        let whole = self.desired.get(id).and_then(|it| it.rebuilds(self.current.get(id), &self.at(id)));
        if let Some(whole) = whole.filter(|it| self.current.contains(it)) {
            self.replace(&whole, Some(id));
        }
        self.gone.push_back(id.clone());
    }

    /// Whether rows hold values of what is replaced, so that the new definition must stand beside the old one.
    fn must_swap(&self, id: &ObjectId) -> bool {
        self.current.dependents(id).any(|(dependent, tie)| {
            let stays = tie == Tie::Needs
                && !matches!(self.decisions.of.get(dependent), Some(Decision::Drop))
                && self.still_needs(dependent, id);
            stays && (dependent.kind.holds_data() || dependent.kind.swaps() && self.must_swap(dependent))
                || tie == Tie::Belongs && dependent.kind.completes() && self.must_swap(dependent)
        })
    }

    /// Whether the dependent needs the object in the desired state, or another kind of type that takes its name.
    fn still_needs(&self, dependent: &ObjectId, id: &ObjectId) -> bool {
        let slots =
            |catalog: &Catalog, it: &ObjectId| catalog.get(it).map(|object| object.slots(it)).unwrap_or_default();
        let takes_its_name = |it: &ObjectId| {
            let taken = slots(self.desired, it);
            it.kind.swaps()
                && id.kind.swaps()
                && !self.desired.contains(id)
                && slots(self.current, id).iter().any(|slot| taken.contains(slot))
        };
        self.desired.referenced(dependent).any(|(referenced, _)| referenced == id || takes_its_name(referenced))
    }

    /// Moves everything that depends on an object that is dropped or replaced.
    fn widen(&mut self, id: &ObjectId) {
        let is_swapped = |it: &ObjectId| matches!(self.decisions.of.get(it), Some(Decision::Swap));
        let swapped = wholes(self.current, id).into_iter().any(is_swapped);
        // What is owned is let go by the object that says whose it is, which depends on the owner as well.
        let dependents: Vec<(ObjectId, Tie)> = self
            .current
            .dependents(id)
            .filter(|(_, tie)| *tie != Tie::Owned)
            .map(|(dependent, tie)| (dependent.clone(), tie))
            .collect();
        for (dependent, tie) in dependents {
            if self.let_go.contains(id) && dependent.kind.swaps() && self.is_held(&dependent) {
                self.decisions.because.entry(dependent.clone()).or_insert_with(|| id.clone());
                self.let_go(&dependent);
                continue;
            }
            if tie == Tie::Needs && self.desired.contains(&dependent) {
                let object = self.desired.get(&dependent);
                if self.let_go.contains(id)
                    && (!self.lets_go(&dependent, id) || self.comes_back(&dependent))
                    && let Some(detour) = object.and_then(|it| it.detour(&self.at(&dependent)))
                {
                    self.detour(&dependent, detour, id);
                    continue;
                }
                if self.lets_go(&dependent, id) {
                    continue;
                }
                let whole = object.and_then(|it| it.rebuilds(self.current.get(&dependent), &self.at(&dependent)));
                if let Some(whole) = whole.filter(|whole| swapped && self.current.contains(whole)) {
                    self.replace(&whole, Some(id));
                }
                let follows = object.and_then(|it| it.follow(id, &self.at(&dependent)));
                if let Some(alteration) = follows.filter(|_| swapped) {
                    self.alter(&dependent, alteration, Some(id));
                    continue;
                }
            }
            self.replace(&dependent, Some(id));
        }
    }

    /// What would have to let go of one part of something before that is replaced, and take hold of another part after: no
    /// change in place can do that. With each, what is replaced.
    fn torn(&self) -> Vec<(ObjectId, ObjectId)> {
        let altered =
            self.decisions.of.iter().filter(|(id, it)| matches!(it, Decision::Alter(_)) && !id.kind.holds_data());
        altered
            .filter_map(|(id, _)| {
                let let_go = self.current.referenced(id).map(|(it, _)| it).filter(|it| !self.still_needs(id, it));
                let replaced: BTreeSet<&ObjectId> = let_go
                    .flat_map(|it| wholes(self.current, it))
                    .filter(|it| matches!(self.decisions.of.get(*it), Some(Decision::Replace)))
                    .collect();
                let mut held = self.desired.referenced(id).flat_map(|(it, _)| wholes(self.desired, it));
                let account = held.find(|it| replaced.contains(*it))?;
                Some((id.clone(), account.clone()))
            })
            .collect()
    }

    /// Lets everything let go of values of row types that PostgreSQL refuses to change meanwhile.
    fn release(&mut self) {
        let all = self.decisions.of.iter().map(|(id, decision)| (id.clone(), Held::new(decision, &self.at(id))));
        let refused: Vec<(ObjectId, Held)> = all.filter(|(_, held)| held.refused).collect();
        for (account, held) in &refused {
            for holder in &held.before {
                let detour = self.desired.get(holder).and_then(|it| it.detour(&self.at(holder)));
                match (self.decisions.of.get(holder), detour) {
                    (Some(Decision::Detour(..)), _) => {}
                    // By itself, it lets go of them for good.
                    (Some(Decision::Alter(_)), _) if !held.after.contains(holder) => {}
                    (_, Some(detour)) => self.detour(holder, detour, account),
                    (_, None) => self.replace(holder, Some(account)),
                }
            }
        }
    }

    /// Whether rows that stay hold values of a type.
    fn is_held(&self, id: &ObjectId) -> bool {
        self.current.dependents(id).filter(|(_, tie)| *tie == Tie::Needs).any(|(dependent, _)| {
            let stays = !matches!(self.decisions.of.get(dependent), Some(Decision::Drop));
            stays && dependent.kind.holds_data() || dependent.kind.swaps() && self.is_held(dependent)
        })
    }

    /// Whether the object is made of a type on both sides, if by way of other types, that is dropped in between.
    fn comes_back(&self, id: &ObjectId) -> bool {
        let (before, after) = (types(self.current, id), types(self.desired, id));
        self.let_go.iter().any(|it| before.contains(&it) && after.contains(&it))
    }

    /// Whether a change in place ends the dependence, so that it only has to come first.
    fn lets_go(&self, dependent: &ObjectId, id: &ObjectId) -> bool {
        matches!(self.decisions.of.get(dependent), Some(Decision::Alter(_))) && !self.still_needs(dependent, id)
    }
}
