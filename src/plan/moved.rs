//! What moves first and carries along what others say of it, so that nothing else has to change for that.

use super::{
    draft::{Draft, draft},
    file::Scope,
    make::PlanError,
    rehearsal::{self, Session},
};
use crate::{
    catalog::{self, Catalog, ObjectId},
    engine::{Engine, Spec},
};

/// The first part of a plan, and the state that it leads to.
pub(super) struct Moved {
    pub draft: Draft,
    pub catalog: Catalog,
}

impl Moved {
    /// Moves what can, on a copy, which tells what everything else reads like then: PostgreSQL keeps what definitions refer to,
    /// and only spells it otherwise. `None` where nothing moves, or cannot as long as something else is in its way.
    pub fn new(
        engine: &Engine,
        spec: &Spec,
        scope: &Scope,
        (empty, current, loaded): (&Catalog, &Catalog, &Catalog),
    ) -> Result<Option<Self>, PlanError> {
        let moves = |(id, after): &(&ObjectId, &catalog::Object)| {
            scope.manages(id, after) && current.get(id).is_some_and(|before| before.carries_along(after))
        };
        let moving: Vec<&ObjectId> = loaded.iter().filter(moves).map(|(id, _)| id).collect();
        if moving.is_empty() {
            return Ok(None);
        }
        let needed = |id: &ObjectId| loaded.referenced(id).map(|(it, _)| it).filter(|it| !current.contains(it));
        let first: Vec<&ObjectId> = moving.iter().flat_map(|id| needed(id)).chain(moving.iter().copied()).collect();
        let goal = loaded.merged(|id| first.contains(&id), current, |_| true);
        let draft = draft(current, &goal, |_, _, _| false)?;
        let what = "while the current state was copied";
        let (scratch, before) = rehearsal::copy(engine, spec, empty, current, &scope.ledger, what)?;
        let mut session = Session::open(&scratch)?;
        for planned in &draft.steps {
            if session.run(&planned.step.sql, false).is_err() {
                return Ok(None);
            }
        }
        let after = catalog::read(&mut session.client, &*scope.ledger)?;
        Ok(Some(Self { catalog: current.changed_like(&before, &after), draft }))
    }
}
