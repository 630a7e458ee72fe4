//! Changes enums, domains, composite types and sequences.

use super::super::dice::Dice;
use super::super::grow;
use super::super::model::{Base, Schema};
use super::super::names::{FIELDS, LABELS, PARTS, unused};
use super::super::types::{BASE_LABEL, BUILTINS};

/// Adds, removes, renames or reorders labels.
pub(super) fn labels(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.enums.len())?;
    let labels = &mut schema.enums[at].labels;
    let new = unused(dice, LABELS, |label| labels.iter().any(|other| other == label));
    match dice.below(4) {
        0 | 1 => labels.insert(dice.below(labels.len() + 1), new?),
        2 => {
            let gone = dice.below(labels.len());
            if labels[gone] != BASE_LABEL {
                labels.remove(gone);
            }
        }
        _ => dice.shuffle(labels),
    }
    Some(())
}

pub(super) fn domain(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.domains.len())?;
    let domain = &mut schema.domains[at];
    match dice.below(5) {
        0 => domain.default = dice.chance(60).then(|| dice.form()),
        1 => domain.base = Base::Builtin(BUILTINS[dice.below(BUILTINS.len())].name),
        2 => {
            let gone = dice.place(domain.checks.len())?;
            domain.checks.remove(gone);
        }
        3 => {
            let changed = dice.place(domain.checks.len())?;
            domain.checks[changed].1 = dice.form();
        }
        _ => {
            let name = unused(dice, PARTS, |name| domain.checks.iter().any(|(other, _)| other == name))?;
            domain.checks.push((name, dice.form()));
        }
    }
    Some(())
}

pub(super) fn composite(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.composites.len())?;
    let ty = grow::column_type(schema, dice);
    let fields = &mut schema.composites[at].fields;
    let place = dice.place(fields.len())?;
    match dice.below(3) {
        0 => fields[place].1 = ty,
        1 => {
            fields.remove(place);
        }
        _ => {
            let name = unused(dice, FIELDS, |name| fields.iter().any(|(other, _)| other == name))?;
            fields.push((name, ty));
        }
    }
    Some(())
}

/// Changes the numbers of a sequence, or whom it belongs to.
pub(super) fn sequence(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.sequences.len())?;
    let owner = dice.pick(&schema.tables).and_then(|table| {
        let column = dice.pick(&table.columns)?;
        Some((table.name.clone(), column.name.clone()))
    });
    let sequence = &mut schema.sequences[at];
    if dice.chance(50) {
        sequence.form = dice.form();
    } else {
        sequence.owner = owner.filter(|_| dice.chance(80));
    }
    Some(())
}
