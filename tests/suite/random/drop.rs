//! Takes one thing out of a schema.

use super::dice::Dice;
use super::model::Schema;

/// Something that can be dropped: how often, and how.
type Removal = (usize, fn(&mut Schema, &mut Dice) -> Option<()>);

const REMOVALS: &[Removal] = &[
    (1, |s, d| take(&mut s.namespaces, d, 1)),
    (2, |s, d| take(&mut s.enums, d, 0)),
    (2, |s, d| take(&mut s.domains, d, 0)),
    (2, |s, d| take(&mut s.composites, d, 0)),
    (2, |s, d| take(&mut s.sequences, d, 0)),
    (4, |s, d| take(&mut s.routines, d, 0)),
    (3, |s, d| take(&mut s.tables, d, 1)),
    (4, |s, d| take(&mut s.views, d, 0)),
    (3, |s, d| take(&mut s.triggers, d, 0)),
    (6, column),
    (6, constraint),
    (4, index),
    (3, policy),
    (12, |s, d| take(&mut s.others, d, 0)),
];

/// Drops something, if there is any of it.
pub fn step(schema: &mut Schema, dice: &mut Dice) {
    let mut at = dice.below(REMOVALS.iter().map(|(weight, _)| weight).sum());
    for (weight, remove) in REMOVALS {
        if at < *weight {
            remove(schema, dice);
            return;
        }
        at -= weight;
    }
}

/// Takes one of the items away, but none of the first `keep`.
fn take<T>(items: &mut Vec<T>, dice: &mut Dice, keep: usize) -> Option<()> {
    let at = dice.place(items.len().saturating_sub(keep))?;
    items.remove(at + keep);
    Some(())
}

fn column(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    take(&mut schema.tables[at].columns, dice, 1)
}

fn constraint(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let at = dice.place(schema.tables.len())?;
    take(&mut schema.tables[at].constraints, dice, 0)
}

fn index(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let tables = schema.tables.iter_mut().map(|table| &mut table.indexes);
    let views = schema.views.iter_mut().map(|view| &mut view.indexes);
    let mut lists: Vec<_> = tables.chain(views).filter(|indexes| !indexes.is_empty()).collect();
    let at = dice.place(lists.len())?;
    take(lists.swap_remove(at), dice, 0)
}

fn policy(schema: &mut Schema, dice: &mut Dice) -> Option<()> {
    let mut lists: Vec<_> =
        schema.tables.iter_mut().map(|table| &mut table.policies).filter(|policies| !policies.is_empty()).collect();
    let at = dice.place(lists.len())?;
    take(lists.swap_remove(at), dice, 0)
}
