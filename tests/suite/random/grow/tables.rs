//! Adds tables, columns, constraints and indexes.

use super::super::dice::Dice;
use super::super::model::{
    Base, Column, Constraint, Does, Foreign, Index, Key, Notes, Rule, Schema, Source, Table, Type,
};
use super::super::names::{COLUMNS, RELATIONS, unused};
use super::super::types::{BUILTINS, Family};
use super::code::condition;

/// Any type that a column may have.
pub fn column_type(schema: &Schema, dice: &mut Dice) -> Type {
    let named: Vec<_> = (schema.enums.iter().map(|item| &item.name))
        .chain(schema.domains.iter().map(|item| &item.name))
        .chain(schema.composites.iter().map(|item| &item.name))
        .collect();
    let base = match dice.pick(&named) {
        Some(name) if dice.chance(35) => Base::Named((*name).clone()),
        _ => Base::Builtin(BUILTINS[dice.below(BUILTINS.len())].name),
    };
    let array = dice.chance(12);
    Type { base, array }
}

/// Any source of values that suits the type, as far as one can tell here.
pub fn source(schema: &Schema, dice: &mut Dice, ty: &Type, columns: &[Column]) -> Source {
    match dice.below(10) {
        0..=2 => Source::Default(dice.form()),
        3 => dice.pick(&schema.sequences).map_or(Source::Nothing, |item| Source::Sequence(item.name.clone())),
        4 => Source::Identity { always: dice.chance(50), form: dice.form() },
        5 => {
            let fits = schema.routines.iter().filter(|item| matches!(&item.does, Does::Value(gives, _) if gives == ty));
            let fits: Vec<_> = fits.collect();
            dice.pick(&fits).map_or(Source::Nothing, |item| Source::Call(item.signature()))
        }
        6 => {
            let from = dice.pick(columns).map(|column| column.name.clone());
            from.map_or(Source::Nothing, |from| Source::Generated { from, form: dice.form() })
        }
        _ => Source::Nothing,
    }
}

fn column(schema: &Schema, dice: &mut Dice, columns: &[Column]) -> Option<Column> {
    let name = unused(dice, COLUMNS, |name| columns.iter().any(|column| column.name == name))?;
    let ty = column_type(schema, dice);
    let source = source(schema, dice, &ty, columns);
    let not_null = dice.chance(35);
    let (collate_c, statistics) = (dice.chance(20), dice.chance(8).then(|| dice.form()));
    Some(Column { name, ty, not_null, source, collate_c, statistics, comment: None })
}

pub(super) fn add_table(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, RELATIONS)?;
    let key = Type::builtin(["integer", "bigint", "uuid", "text"][dice.below(4)]);
    let id = match dice.below(3) {
        0 => Source::Identity { always: dice.chance(50), form: dice.form() },
        1 => Source::Default(0),
        _ => Source::Nothing,
    };
    let mut columns = vec![Column {
        name: "id".to_owned(),
        ty: key,
        not_null: dice.chance(50),
        source: id,
        collate_c: false,
        statistics: None,
        comment: None,
    }];
    for _ in 0..1 + dice.below(5) {
        columns.extend(column(schema, dice, &columns));
    }
    let mut constraints = Vec::new();
    if dice.chance(85) {
        let name = format!("{}_key", name.name);
        constraints.push(Constraint { name, rule: Rule::Primary(vec!["id".to_owned()]), comment: None });
    }
    schema.tables.push(Table {
        name,
        unlogged: dice.chance(10),
        fillfactor: dice.chance(10).then(|| dice.form()),
        replica_identity_full: dice.chance(5),
        columns,
        constraints,
        indexes: Vec::new(),
        row_security: dice.chance(10),
        forced: false,
        policies: Vec::new(),
        notes: Notes::default(),
    });
    Some(())
}

pub(super) fn add_column(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let new = column(schema, dice, &schema.tables[at].columns)?;
    let columns = &mut schema.tables[at].columns;
    // Where in the table a column stands is no difference, so an old table may well get one in its middle.
    columns.insert(dice.below(columns.len() + 1), new);
    Some(())
}

/// Any column of a table.
fn any_column(table: &Table, dice: &mut Dice) -> Option<String> {
    dice.pick(&table.columns).map(|column| column.name.clone())
}

/// Names a part of a table, which is unique in the schema because the name of the table is.
fn part_name(table: &Table, dice: &mut Dice, kind: &str) -> String {
    format!("{}_{kind}{}", table.name.name, dice.below(4))
}

fn add_rule(schema: &mut Schema, at: usize, name: String, rule: Rule) {
    schema.tables[at].constraints.push(Constraint { name, rule, comment: None });
}

pub(super) fn add_unique(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &schema.tables[at];
    let mut columns = vec![any_column(table, dice)?];
    columns.extend(dice.chance(40).then(|| any_column(table, dice)).flatten());
    let name = part_name(table, dice, "u");
    let has_key = table.constraints.iter().any(|constraint| matches!(constraint.rule, Rule::Primary(_)));
    let rule = if has_key { Rule::Unique { columns, deferrable: dice.chance(20) } } else { Rule::Primary(columns) };
    add_rule(schema, at, name, rule);
    Some(())
}

pub(super) fn add_check(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &schema.tables[at];
    let column = any_column(table, dice)?;
    let name = part_name(table, dice, "c");
    let rule = Rule::Check { condition: condition(schema, dice, column), valid: dice.chance(85) };
    add_rule(schema, at, name, rule);
    Some(())
}

pub(super) fn add_exclusion(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &schema.tables[at];
    let ranges = table.columns.iter().filter(|column| schema.family(&column.ty) == Family::Range);
    let ranges: Vec<_> = ranges.map(|column| column.name.clone()).collect();
    let column = dice.pick(&ranges).cloned().or_else(|| any_column(table, dice))?;
    let name = part_name(table, dice, "x");
    add_rule(schema, at, name, Rule::Exclude { column, form: dice.form() });
    Some(())
}

/// Half of the new foreign keys stand on a column of their own, so that there are many of them.
pub(super) fn add_foreign_key(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let target = dice.pick(&schema.tables)?;
    let keys = target.constraints.iter().filter(|constraint| target.key(&constraint.name).is_some());
    let keys: Vec<_> = keys.map(|constraint| constraint.name.clone()).collect();
    let key = dice.pick(&keys)?.clone();
    let count = target.key(&key).map_or(1, <[String]>::len);
    let foreign_table = target.name.clone();
    let mut columns = Vec::new();
    for _ in 0..count {
        if dice.chance(50) {
            let new = unused(dice, COLUMNS, |name| schema.tables[at].column(name).is_some());
            if let Some(name) = new {
                columns.push(name.clone());
                let ty = Type::builtin("integer");
                let (source, not_null) = (Source::Nothing, false);
                let new = Column { name, ty, not_null, source, collate_c: false, statistics: None, comment: None };
                schema.tables[at].columns.push(new);
                continue;
            }
        }
        columns.push(any_column(&schema.tables[at], dice)?);
    }
    let name = part_name(&schema.tables[at], dice, "f");
    let (on_delete, deferrable, valid) = (dice.form(), dice.chance(30), dice.chance(90));
    add_rule(
        schema,
        at,
        name,
        Rule::Foreign(Foreign { columns, table: foreign_table, key, on_delete, deferrable, valid }),
    );
    Some(())
}

/// Any key of an index on one of these columns.
pub fn key(dice: &mut Dice, columns: &[String]) -> Option<Key> {
    let column = dice.pick(columns)?.clone();
    Some(Key { column, derived: dice.chance(20).then(|| dice.form()), order: dice.form() })
}

/// Any index on these columns.
pub(super) fn index(schema: &Schema, dice: &mut Dice, name: String, columns: &[(String, Type)]) -> Option<Index> {
    let (first, ty) = dice.pick(columns)?;
    let method = dice.pick(schema.methods(ty))?;
    let mut keys = vec![Key { column: first.clone(), derived: None, order: dice.form() }];
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    if dice.chance(40) {
        keys.extend(key(dice, &names));
    }
    if *method == "btree" && dice.chance(20) {
        keys[0].derived = Some(dice.form());
    }
    let include = if dice.chance(20) { vec![dice.pick(&names)?.clone()] } else { Vec::new() };
    let of = dice.pick(&names)?.clone();
    let predicate = dice.chance(25).then(|| condition(schema, dice, of));
    Some(Index { name, method, unique: dice.chance(25), keys, include, predicate, comment: None })
}

pub(super) fn add_index(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let name = part_name(&schema.tables[at], dice, "i");
    let columns = schema.columns_of(&schema.tables[at].name);
    let new = index(schema, dice, name, &columns)?;
    schema.tables[at].indexes.push(new);
    Some(())
}
