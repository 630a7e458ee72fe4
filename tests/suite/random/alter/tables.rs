//! Changes tables, columns, constraints and indexes.

use super::super::dice::Dice;
use super::super::grow;
use super::super::model::{Base, Index, Rule, Schema, Type};
use super::super::names::{COLUMNS, RELATIONS, unused};
use super::super::types::BUILTINS;

/// Changes what a table has besides its columns.
pub(super) fn storage(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &mut schema.tables[at];
    match dice.below(5) {
        0 => table.unlogged = !table.unlogged,
        1 => table.fillfactor = dice.chance(60).then(|| dice.form()),
        2 => table.replica_identity_full = !table.replica_identity_full,
        3 => table.row_security = !table.row_security,
        _ => table.forced = !table.forced,
    }
    Some(())
}

/// Gives a column another type, if possible one that its values can be cast to.
pub(super) fn column_type(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let place = dice.place(schema.tables[at].columns.len())?;
    let old = schema.tables[at].columns[place].ty.clone();
    let domains = schema.domains.iter().map(|domain| Base::Named(domain.name.clone()));
    let bases = BUILTINS.iter().map(|builtin| Base::Builtin(builtin.name)).chain(domains);
    let fits = bases.map(|base| Type { base, array: old.array });
    let fits: Vec<Type> = fits.filter(|ty| *ty != old && schema.casts(schema, &old, ty)).collect();
    schema.tables[at].columns[place].ty = dice.pick(&fits)?.clone();
    Some(())
}

/// Changes what a column has besides its type.
pub(super) fn column(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &schema.tables[at];
    let place = dice.place(table.columns.len())?;
    let source = grow::source(schema, dice, &table.columns[place].ty, &table.columns);
    let column = &mut schema.tables[at].columns[place];
    match dice.below(6) {
        0 | 1 => column.not_null = !column.not_null,
        2 => column.collate_c = !column.collate_c,
        3 => column.statistics = dice.chance(60).then(|| dice.form()),
        _ => column.source = source,
    }
    Some(())
}

/// Drops a column and adds one that differs in name only; whatever stood on the old one goes.
pub(super) fn rename_column(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &mut schema.tables[at];
    let name = unused(dice, COLUMNS, |name| table.column(name).is_some())?;
    let place = dice.place(table.columns.len())?;
    table.columns[place].name = name;
    Some(())
}

/// Drops a table and adds one that differs in name only.
pub(super) fn rename(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, RELATIONS)?;
    let at = dice.place(schema.tables.len())?;
    let table = &mut schema.tables[at];
    let old = std::mem::replace(&mut table.name, name);
    // The names of its parts begin with its own, and would otherwise be taken when the old name comes back.
    let renamed = |part: &str| format!("{}{}", table.name.name, part.strip_prefix(&old.name).unwrap_or(part));
    table.constraints.iter_mut().for_each(|constraint| constraint.name = renamed(&constraint.name));
    table.indexes.iter_mut().for_each(|index| index.name = renamed(&index.name));
    Some(())
}

/// Changes a constraint in place.
pub(super) fn constraint(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &mut schema.tables[at];
    let place = dice.place(table.constraints.len())?;
    let other = dice.pick(&table.columns)?.name.clone();
    match &mut table.constraints[place].rule {
        Rule::Primary(columns) => columns.push(other),
        Rule::Unique { columns, deferrable } => {
            if dice.chance(50) {
                columns.push(other);
            } else {
                *deferrable = !*deferrable;
            }
        }
        Rule::Check { condition, valid } => match dice.below(4) {
            0 => *valid = !*valid,
            1 => condition.column = other,
            _ => condition.form = dice.form(),
        },
        Rule::Exclude { form, .. } => *form = dice.form(),
        Rule::Foreign(foreign) => match dice.below(4) {
            0 => foreign.deferrable = !foreign.deferrable,
            1 => foreign.valid = !foreign.valid,
            _ => foreign.on_delete = dice.form(),
        },
    }
    Some(())
}

/// Changes an index of a table or a materialized view.
pub(super) fn index(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let mut all: Vec<(&mut Index, Vec<String>)> = Vec::new();
    for table in &mut schema.tables {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        all.extend(table.indexes.iter_mut().map(|index| (index, columns.clone())));
    }
    for view in &mut schema.views {
        let columns: Vec<String> = view.columns.iter().map(|column| column.name.clone()).collect();
        all.extend(view.indexes.iter_mut().map(|index| (index, columns.clone())));
    }
    let place = dice.place(all.len())?;
    let (index, columns) = all.swap_remove(place);
    match dice.below(6) {
        0 => index.unique = !index.unique,
        1 => index.method = dice.pick(&["btree", "hash", "brin"])?,
        2 => index.keys.extend(grow::key(dice, &columns)),
        3 => index.include = vec![dice.pick(&columns)?.clone()],
        4 => index.predicate = None,
        _ => {
            let at = dice.place(index.keys.len())?;
            index.keys[at].order = dice.form();
            index.keys[at].derived = dice.chance(30).then(|| dice.form());
        }
    }
    Some(())
}

/// Puts the columns of a table into another order, which is no difference.
pub(super) fn shuffle(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    dice.shuffle(&mut schema.tables[at].columns);
    Some(())
}
