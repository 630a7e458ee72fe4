//! Columns that a table has from its parents: how one that is there, or is not, becomes such a column.

use super::{
    column::{Column, change},
    column_above as above, inherited_not_null, not_null, stand_in,
};
use crate::catalog::{At, ObjectId, Step};

/// Makes a column as one that is only inherited, by way of a table that stands in for the parent.
pub(super) fn renew((before, after): (&Column, &Column), at: &At) -> Vec<Step> {
    let using = match at.desired.assignable(before.base_type(), after.base_type()) {
        _ if before.data_type() == after.data_type() => "{}".to_owned(),
        Some(_) => format!("{{}}::{}", after.data_type()),
        None => format!("{{}}::text::{}", after.data_type()),
    };
    let (from, to) = (before.spelled_type(), after.spelled_type());
    let inherits = inherited_not_null::is_only_inherited(at.desired, at.id);
    let constraint = inherits.then(|| not_null::desired_ident(at));
    let mut steps = stand_in::renew_column(at, (&from, &to), &using, constraint.as_deref());
    let verb = |part: &str| if part.starts_with("DEFAULT") { "SET" } else { "ADD" };
    steps.extend(at.parts.iter().map(|part| change(at, &format!("{} {part}", verb(part)))));
    if after.is_not_null() && !inherits {
        // What is below has been made anew as well.
        steps.push(not_null::declared(at));
    }
    steps
}

/// Makes a new column as one that is only inherited.
pub(super) fn bring(column: &Column, at: &At) -> Vec<Step> {
    let declared = inherited_not_null::is_declared(at.desired, at.id);
    let spelled = column.spelled_with(at, column.is_not_null() && !declared);
    let mut steps = stand_in::bring_column(at, &spelled);
    steps.extend(declared.then(|| not_null::declared(at)));
    steps
}

/// What a column that came with those above lacks.
pub(super) fn complete(column: &Column, ups: &[ObjectId], at: &At) -> Vec<Step> {
    let mut steps = above::own_default(ups, at);
    let not_null = ups.iter().any(|up| above::is_not_null(at.desired, up));
    match (not_null, column.is_not_null()) {
        (false, true) => steps.extend(above::not_null(at)),
        (true, false) => steps.extend(above::nullable(at)),
        (true, true) if inherited_not_null::is_declared_later(at) => steps.push(change(at, "SET NOT NULL")),
        _ => {}
    }
    steps
}

/// A column as a stand-in for a parent has it.
pub(super) fn held(column: &Column, at: &At) -> String {
    let stays = [at.current, at.desired].iter().all(|side| inherited_not_null::is_only_inherited(side, at.id));
    column.spelled_with(at, stays)
}
