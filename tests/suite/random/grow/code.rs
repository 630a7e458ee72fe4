//! Adds functions, procedures, triggers and policies.

use super::super::dice::Dice;
use super::super::model::{Condition, Does, Language, Name, Notes, Policy, Routine, Schema, Trigger, Type};
use super::super::names::{ARGUMENTS, PARTS, ROUTINES, TRIGGER_FUNCTIONS, unused};
use super::tables::column_type;

/// Any condition on a column.
pub fn condition(schema: &Schema, dice: &mut Dice, column: String) -> Condition {
    let judges = schema.routines.iter().filter(|routine| {
        let boolean = matches!(&routine.does, Does::Value(ty, _) if *ty == Type::builtin("boolean"));
        boolean && routine.arguments.len() == 1
    });
    let judges: Vec<_> = judges.map(Routine::signature).collect();
    let call = dice.pick(&judges).filter(|_| dice.chance(70)).cloned();
    Condition { column, form: dice.form(), call }
}

/// Any way to write a routine.
pub fn routine_form(dice: &mut Dice) -> (Language, u8) {
    let language = [Language::Sql, Language::Plpgsql, Language::Atomic][dice.below(3)];
    (language, dice.form())
}

fn routine(schema: &Schema, dice: &mut Dice, does: Does) -> Option<Routine> {
    let schema_name = dice.pick(&schema.namespaces)?.name.clone();
    let name = dice.pick(ROUTINES).map(|name| (*name).to_owned())?;
    let count = dice.below(3);
    let arguments: Vec<(String, Type)> =
        ARGUMENTS[..count].iter().map(|argument| ((*argument).to_owned(), column_type(schema, dice))).collect();
    let (language, form) = routine_form(dice);
    let name = Name { schema: schema_name, name };
    Some(Routine { name, arguments, defaults: dice.below(2), language, does, form, notes: Notes::default() })
}

/// Every third function judges the values of one type, for checks and policies to call.
pub(super) fn add_function(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let mut new = if dice.chance(35) {
        let mut judge = routine(schema, dice, Does::Value(Type::builtin("boolean"), None))?;
        let columns: Vec<Type> =
            schema.tables.iter().flat_map(|table| &table.columns).map(|column| column.ty.clone()).collect();
        let ty = dice.pick(&columns).cloned().unwrap_or_else(|| Type::builtin("integer"));
        judge.arguments = vec![("a0".to_owned(), ty)];
        judge
    } else {
        let returns = column_type(schema, dice);
        routine(schema, dice, Does::Value(returns, None))?
    };
    if let Does::Value(returns, call) = &mut new.does {
        let same = schema.routines.iter().filter(|item| matches!(&item.does, Does::Value(ty, _) if ty == returns));
        let same: Vec<_> = same.map(Routine::signature).collect();
        *call = dice.pick(&same).filter(|_| dice.chance(50)).cloned();
    }
    schema.routines.push(new);
    Some(())
}

pub(super) fn add_rows_function(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let tables = schema.tables.iter().map(|table| &table.name);
    let names: Vec<&Name> = tables.chain(schema.views.iter().map(|view| &view.name)).collect();
    let from = (*dice.pick(&names)?).clone();
    let new = routine(schema, dice, Does::Rows(from))?;
    schema.routines.push(new);
    Some(())
}

pub(super) fn add_procedure(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let reads = dice.pick(&schema.tables).map(|table| table.name.clone());
    let new = routine(schema, dice, Does::Procedure(reads))?;
    schema.routines.push(new);
    Some(())
}

pub(super) fn add_trigger_function(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let schema_name = dice.pick(&schema.namespaces)?.name.clone();
    let name = dice.pick(TRIGGER_FUNCTIONS).map(|name| (*name).to_owned())?;
    schema.routines.push(Routine {
        name: Name { schema: schema_name, name },
        arguments: Vec::new(),
        defaults: 0,
        language: Language::Plpgsql,
        does: Does::Trigger,
        form: dice.form(),
        notes: Notes::default(),
    });
    Some(())
}

pub(super) fn add_trigger(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    if !schema.routines.iter().any(|routine| routine.does == Does::Trigger) {
        add_trigger_function(schema, dice)?;
    }
    let functions: Vec<_> = schema.routines.iter().filter(|routine| routine.does == Does::Trigger).collect();
    let function = dice.pick(&functions)?.name.clone();
    let views = schema.views.iter().filter(|view| !view.materialized).map(|view| &view.name);
    let names: Vec<&Name> = schema.tables.iter().map(|table| &table.name).chain(views).collect();
    let on = (*dice.pick(&names)?).clone();
    let columns = schema.columns_of(&on);
    let of = dice.pick(&columns).filter(|_| dice.chance(30)).map(|(name, _)| name.clone());
    let judged = dice.pick(&columns).filter(|_| dice.chance(40)).map(|(name, _)| name.clone());
    schema.triggers.push(Trigger {
        name: dice.pick(PARTS).map(|name| (*name).to_owned())?,
        on,
        function,
        form: dice.form(),
        events: dice.form(),
        each_row: dice.chance(70),
        of,
        when: judged.map(|column| condition(schema, dice, column)),
        disabled: dice.chance(10),
        comment: None,
    });
    Some(())
}

pub(super) fn add_policy(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    let table = &schema.tables[at];
    let name = unused(dice, PARTS, |name| table.policies.iter().any(|policy| policy.name == name))?;
    let column = dice.pick(&table.columns)?.name.clone();
    let policy = Policy {
        name,
        command: dice.form(),
        restrictive: dice.chance(25),
        for_reader: dice.chance(40),
        condition: condition(schema, dice, column),
        exists: dice.pick(&schema.tables).filter(|_| dice.chance(25)).map(|table| table.name.clone()),
        comment: None,
    };
    schema.tables[at].policies.push(policy);
    schema.tables[at].row_security |= dice.chance(70);
    Some(())
}
