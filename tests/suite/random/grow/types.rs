//! Adds enums, domains, composite types and sequences.

use super::super::dice::Dice;
use super::super::model::{Base, Composite, Domain, Enum, Notes, Schema, Sequence};
use super::super::names::{COMPOSITES, DOMAINS, ENUMS, FIELDS, LABELS, PARTS, SEQUENCES};
use super::super::types::{BASE_LABEL, BUILTINS};
use super::tables::column_type;

pub(super) fn add_enum(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, ENUMS)?;
    let mut labels: Vec<String> = LABELS.iter().filter(|_| dice.chance(50)).map(|label| (*label).to_owned()).collect();
    labels.push(BASE_LABEL.to_owned());
    dice.shuffle(&mut labels);
    schema.enums.push(Enum { name, labels, notes: Notes::default() });
    Some(())
}

pub(super) fn add_domain(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, DOMAINS)?;
    let base = match dice.pick(&schema.enums) {
        Some(item) if dice.chance(25) => Base::Named(item.name.clone()),
        _ => Base::Builtin(BUILTINS[dice.below(BUILTINS.len())].name),
    };
    let default = dice.chance(30).then(|| dice.form());
    let mut checks = Vec::new();
    for name in PARTS {
        if dice.chance(40) {
            checks.push(((*name).to_owned(), dice.form()));
        }
    }
    schema.domains.push(Domain { name, base, default, checks, notes: Notes::default() });
    Some(())
}

pub(super) fn add_composite(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, COMPOSITES)?;
    let count = 1 + dice.below(3);
    let fields = FIELDS[..count].iter().map(|field| ((*field).to_owned(), column_type(schema, dice))).collect();
    schema.composites.push(Composite { name, fields, notes: Notes::default() });
    Some(())
}

pub(super) fn add_sequence(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let name = schema.unused(dice, SEQUENCES)?;
    schema.sequences.push(Sequence { name, form: dice.form(), owner: None, notes: Notes::default() });
    Some(())
}
