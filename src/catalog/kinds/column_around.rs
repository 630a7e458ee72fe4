//! What steps aside while a column changes, and comes back.

use super::Kind;

/// What PostgreSQL refuses to keep while the type of a column changes under it.
pub(super) const TYPE: &[Kind] = &[
    Kind::Column,
    Kind::Default,
    Kind::ForeignKey,
    Kind::Function,
    Kind::Procedure,
    Kind::View,
    Kind::MaterializedView,
    Kind::Rule,
    Kind::Trigger,
    Kind::Policy,
    Kind::PublicationTable,
    Kind::Statistics,
];

/// The same while a column holds text instead of its values.
pub(super) const TEXT: &[Kind] = &[
    Kind::Column,
    Kind::Constraint,
    Kind::Default,
    Kind::ForeignKey,
    Kind::Function,
    Kind::Index,
    Kind::MaterializedView,
    Kind::Policy,
    Kind::Procedure,
    Kind::PublicationTable,
    Kind::Rule,
    Kind::Statistics,
    Kind::Trigger,
    Kind::View,
];

/// The same while only a modifier changes: nothing has to be checked again.
pub(super) const MODIFIER: &[Kind] = &[
    Kind::Column,
    Kind::Default,
    Kind::Function,
    Kind::Procedure,
    Kind::View,
    Kind::MaterializedView,
    Kind::Rule,
    Kind::Trigger,
    Kind::Policy,
    Kind::PublicationTable,
    Kind::Statistics,
];

/// The same while its values come about in another way.
pub(super) const EXPRESSION: &[Kind] = &[Kind::Statistics];
