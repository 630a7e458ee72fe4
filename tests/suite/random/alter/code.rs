//! Changes routines, views, triggers and policies.

use super::super::dice::Dice;
use super::super::grow;
use super::super::model::{Condition, Does, Schema, Shape};
use super::super::names::{ARGUMENTS, unused};

/// Changes the body, the language, the signature or the result of a routine.
pub(super) fn routine(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.routines.len())?;
    let ty = grow::column_type(schema, dice);
    let routine = &mut schema.routines[at];
    match dice.below(8) {
        0..=2 => (routine.language, routine.form) = grow::routine_form(dice),
        3 => {
            let name = unused(dice, ARGUMENTS, |name| routine.arguments.iter().any(|(other, _)| other == name))?;
            routine.arguments.push((name, ty));
        }
        4 => {
            routine.arguments.pop();
        }
        5 => {
            let place = dice.place(routine.arguments.len())?;
            let taken = |name: &str| routine.arguments.iter().any(|(other, _)| other == name);
            routine.arguments[place].0 = unused(dice, ARGUMENTS, taken)?;
        }
        6 => routine.defaults = dice.below(3),
        _ => {
            if let Does::Value(returns, _) = &mut routine.does {
                *returns = ty;
            }
        }
    }
    Some(())
}

/// Changes the columns, the query or the options of a view.
pub(super) fn view(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.views.len())?;
    let (from, join) = (schema.views[at].from.clone(), schema.views[at].join.clone());
    let new = grow::view_column(schema, dice, &from, join.as_ref());
    let read = schema.columns_of(&from);
    let of = dice.pick(&read)?.0.clone();
    let filter = grow::condition(schema, dice, of);
    let view = &mut schema.views[at];
    match dice.below(9) {
        0 | 1 => view.columns.push(new?),
        2 => {
            let gone = dice.place(view.columns.len())?;
            view.columns.remove(gone);
        }
        3 => view.filter = dice.chance(60).then_some(filter),
        4 => view.security_barrier = !view.security_barrier,
        5 => view.check_option = !view.check_option,
        6 => view.shape = [Shape::Plain, Shape::Distinct, Shape::Grouped, Shape::Union, Shape::Nested][dice.below(5)],
        7 => view.materialized = !view.materialized,
        _ => {
            let place = dice.place(view.columns.len())?;
            let column = &mut view.columns[place];
            if dice.chance(50) {
                column.derived = dice.chance(60).then(|| dice.form());
            } else {
                column.default = dice.chance(60).then(|| dice.form());
            }
        }
    }
    Some(())
}

/// Puts the columns of a view into another order, which makes another view of it.
pub(super) fn view_order(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.views.len())?;
    dice.shuffle(&mut schema.views[at].columns);
    Some(())
}

pub(super) fn trigger(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.triggers.len())?;
    let columns = schema.columns_of(&schema.triggers[at].on);
    let column = dice.pick(&columns)?.0.clone();
    let trigger = &mut schema.triggers[at];
    match dice.below(6) {
        0 => trigger.form = dice.form(),
        1 => trigger.events = dice.form(),
        2 => trigger.each_row = !trigger.each_row,
        3 => trigger.of = dice.chance(70).then_some(column),
        4 => trigger.when = dice.chance(70).then(|| Condition { column, form: dice.form(), call: None }),
        _ => trigger.disabled = !trigger.disabled,
    }
    Some(())
}

pub(super) fn policy(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let places: Vec<(usize, usize)> = (schema.tables.iter().enumerate())
        .flat_map(|(at, table)| (0..table.policies.len()).map(move |place| (at, place)))
        .collect();
    let (at, place) = *dice.pick(&places)?;
    let column = dice.pick(&schema.tables[at].columns)?.name.clone();
    let condition = grow::condition(schema, dice, column);
    let other = dice.pick(&schema.tables).map(|table| table.name.clone());
    let policy = &mut schema.tables[at].policies[place];
    match dice.below(5) {
        0 => policy.command = dice.form(),
        1 => policy.restrictive = !policy.restrictive,
        2 => policy.for_reader = !policy.for_reader,
        3 => policy.exists = other.filter(|_| dice.chance(60)),
        _ => policy.condition = condition,
    }
    Some(())
}
