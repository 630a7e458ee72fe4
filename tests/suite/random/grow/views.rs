//! Adds views, materialized views and their indexes.

use super::super::dice::Dice;
use super::super::model::{Name, Notes, Schema, Shape, View, ViewColumn};
use super::super::names::RELATIONS;
use super::code::condition;
use super::tables::index;

/// Any relation that a view can read.
fn relation(schema: &Schema, dice: &mut Dice) -> Option<Name> {
    let tables = schema.tables.iter().map(|table| &table.name);
    let names: Vec<&Name> = tables.chain(schema.views.iter().map(|view| &view.name)).collect();
    dice.pick(&names).map(|name| (*name).clone())
}

/// Any column of a view on these relations.
pub fn view_column(schema: &Schema, dice: &mut Dice, from: &Name, join: Option<&Name>) -> Option<ViewColumn> {
    let joined = join.is_some() && dice.chance(40);
    let columns = schema.columns_of(if joined { join? } else { from });
    let column = dice.pick(&columns)?.0.clone();
    let name = if dice.chance(60) { column.clone() } else { format!("x{}", dice.below(6)) };
    let derived = dice.chance(30).then(|| dice.form());
    let default = dice.chance(8).then(|| dice.form());
    Some(ViewColumn { name, joined, column, derived, default })
}

pub(super) fn add_view(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, RELATIONS)?;
    let from = relation(schema, dice)?;
    let join = dice.chance(25).then(|| relation(schema, dice)).flatten();
    let count = 1 + dice.below(4);
    let columns = (0..count).filter_map(|_| view_column(schema, dice, &from, join.as_ref())).collect();
    let shape = match dice.below(10) {
        0 => Shape::Distinct,
        1 => Shape::Grouped,
        2 => Shape::Union,
        3 => Shape::Nested,
        _ => Shape::Plain,
    };
    let read = schema.columns_of(&from);
    let of = dice.pick(&read)?.0.clone();
    let filter = dice.chance(40).then(|| condition(schema, dice, of));
    schema.views.push(View {
        name,
        materialized: dice.chance(30),
        from,
        join,
        columns,
        shape,
        filter,
        security_barrier: dice.chance(20),
        check_option: dice.chance(30),
        indexes: Vec::new(),
        notes: Notes::default(),
    });
    Some(())
}

pub(super) fn add_view_index(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let materialized: Vec<usize> = (0..schema.views.len()).filter(|at| schema.views[*at].materialized).collect();
    let at = *dice.pick(&materialized)?;
    let name = format!("{}_i{}", schema.views[at].name.name, dice.below(4));
    let columns = schema.columns_of(&schema.views[at].name);
    let new = index(schema, dice, name, &columns)?;
    schema.views[at].indexes.push(new);
    Some(())
}
