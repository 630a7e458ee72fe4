//! A catalog as a script: the statements that make it from an empty database.

use super::{
    draft::{Draft, draft},
    fold::Cycle,
};
use crate::catalog::Catalog;

/// The statements that make `catalog` from `empty`, in dependency order.
pub fn script(empty: &Catalog, catalog: &Catalog) -> Result<Draft, Cycle> {
    draft(empty, catalog, |_, _, _| false)
}

/// The same as mere statements.
pub(super) fn statements(empty: &Catalog, catalog: &Catalog) -> Result<Vec<String>, Cycle> {
    Ok(script(empty, catalog)?.steps.into_iter().map(|planned| planned.step.sql).collect())
}
