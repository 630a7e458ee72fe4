//! Adds one thing to a schema.

mod code;
mod tables;
mod types;
mod views;

use super::dice::Dice;
use super::kinds;
use super::model::{Namespace, Notes, Schema};
use super::names::{NAMESPACES, unused};

pub use code::{condition, routine_form};
pub use tables::{column_type, key, source};
pub use views::view_column;

/// Something that can be added: how often, and how.
type Addition = (usize, fn(&mut Schema, &mut Dice) -> Option<()>);

const ADDITIONS: &[Addition] = &[
    (2, add_namespace),
    (3, types::add_enum),
    (3, types::add_domain),
    (2, types::add_composite),
    (2, types::add_sequence),
    (5, code::add_function),
    (3, code::add_rows_function),
    (2, code::add_procedure),
    (2, code::add_trigger_function),
    (4, code::add_trigger),
    (4, code::add_policy),
    (9, tables::add_table),
    (6, tables::add_column),
    (3, tables::add_unique),
    (4, tables::add_check),
    (2, tables::add_exclusion),
    (6, tables::add_foreign_key),
    (7, tables::add_index),
    (8, views::add_view),
    (3, views::add_view_index),
    (6, comment),
    (4, grant),
    (25, kinds::add),
];

/// Adds something, if there is room for it.
pub fn step(schema: &mut Schema, dice: &mut Dice) {
    let mut at = dice.below(ADDITIONS.iter().map(|(weight, _)| weight).sum());
    for (weight, add) in ADDITIONS {
        if at < *weight {
            add(schema, dice);
            return;
        }
        at -= weight;
    }
}

/// A schema without anything in it.
pub fn namespace(name: &str) -> Namespace {
    Namespace { name: name.to_owned(), notes: Notes::default() }
}

fn add_namespace(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = unused(dice, NAMESPACES, |name| schema.namespaces.iter().any(|item| item.name == name))?;
    schema.namespaces.push(namespace(&name));
    Some(())
}

/// Sets, changes or removes a comment on something.
pub fn comment(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let text = dice.chance(80).then(|| format!("It's comment {}", dice.form()));
    let mut places: Vec<&mut Option<String>> = Vec::new();
    for table in &mut schema.tables {
        places.extend(table.columns.iter_mut().map(|item| &mut item.comment));
        places.extend(table.constraints.iter_mut().map(|item| &mut item.comment));
        places.extend(table.indexes.iter_mut().map(|item| &mut item.comment));
        places.extend(table.policies.iter_mut().map(|item| &mut item.comment));
        places.push(&mut table.notes.comment);
    }
    for view in &mut schema.views {
        places.extend(view.indexes.iter_mut().map(|item| &mut item.comment));
        places.push(&mut view.notes.comment);
    }
    places.extend(schema.triggers.iter_mut().map(|item| &mut item.comment));
    places.extend(schema.enums.iter_mut().map(|item| &mut item.notes.comment));
    places.extend(schema.domains.iter_mut().map(|item| &mut item.notes.comment));
    places.extend(schema.composites.iter_mut().map(|item| &mut item.notes.comment));
    places.extend(schema.sequences.iter_mut().map(|item| &mut item.notes.comment));
    places.extend(schema.routines.iter_mut().map(|item| &mut item.notes.comment));
    places.extend(schema.namespaces.iter_mut().map(|item| &mut item.notes.comment));
    let place = dice.place(places.len())?;
    *places.swap_remove(place) = text;
    Some(())
}

/// Grants something to `app_reader`, or takes the grant back.
pub fn grant(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let mut places: Vec<&mut Notes> = Vec::new();
    places.extend(schema.tables.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.views.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.enums.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.domains.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.composites.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.sequences.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.routines.iter_mut().map(|item| &mut item.notes));
    places.extend(schema.namespaces.iter_mut().map(|item| &mut item.notes));
    let place = dice.place(places.len())?;
    let notes = places.swap_remove(place);
    notes.granted = !notes.granted;
    Some(())
}
