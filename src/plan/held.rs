//! What holds values of the row type of a relation while that changes in a way that PostgreSQL refuses on their account.

use super::decide::Decision;
use crate::catalog::{At, Manner, ObjectId};

/// Who holds values of the row type of which an object is a part.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// In the current state.
    pub before: Vec<ObjectId>,
    /// In the desired state.
    pub after: Vec<ObjectId>,
    /// Whether what happens to the object is refused meanwhile.
    pub refused: bool,
}

impl Held {
    /// Who holds values of the row type of which the object at `at` is a part, given what happens to it.
    pub fn new(decision: &Decision, at: &At) -> Self {
        let (before, after) = (at.current.get(at.id), at.desired.get(at.id));
        let Some(object) = after.or(before) else { return Self::default() };
        let manner = match decision {
            Decision::Alter(_) => Manner::Altered,
            Decision::Follow(_) | Decision::Detour(..) => Manner::Moved,
            Decision::Create | Decision::Drop | Decision::Replace | Decision::Swap => Manner::Made,
        };
        let [held, holds] = [at.current, at.desired].map(|side| object.held_by(at, side));
        let refused = !(held.is_empty() && holds.is_empty()) && after.is_some_and(|it| it.rewrites(manner, at));
        Self { before: held, after: holds, refused }
    }
}
