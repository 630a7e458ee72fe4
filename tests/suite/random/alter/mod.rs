//! Changes one thing of a schema.

mod code;
mod tables;
mod types;

use super::dice::Dice;
use super::grow;
use super::kinds;
use super::model::Schema;

/// Something that can be changed: how often, and how.
type Change = (usize, fn(&mut Schema, &mut Dice) -> Option<()>);

const CHANGES: &[Change] = &[
    (5, types::labels),
    (4, types::domain),
    (3, types::composite),
    (3, types::sequence),
    (7, code::routine),
    (5, code::view),
    (3, code::view_order),
    (4, code::trigger),
    (4, code::policy),
    (4, tables::storage),
    (12, tables::column_type),
    (8, tables::column),
    (3, tables::rename_column),
    (2, tables::rename),
    (6, tables::constraint),
    (5, tables::index),
    (2, tables::shuffle),
    (4, grow::comment),
    (3, grow::grant),
    (50, kinds::change),
];

/// Changes something, if there is any of it.
pub fn step(schema: &mut Schema, dice: &mut Dice) {
    let mut at = dice.below(CHANGES.iter().map(|(weight, _)| weight).sum());
    for (weight, change) in CHANGES {
        if at < *weight {
            change(schema, dice);
            return;
        }
        at -= weight;
    }
}
