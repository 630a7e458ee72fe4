//! Which relations are locked how, in a table.

use std::collections::BTreeMap;

use comfy_table::{Cell, Color};

use super::{Paint, Table, address::plural};
use crate::plan::file::Plan;

/// What waits for a lock of a mode, by PostgreSQL's table of conflicting lock modes
/// (<https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES>); nothing for modes that neither
/// reads nor writes wait for. The number orders the modes by strength.
fn blocks(mode: &str) -> Option<(u8, &'static str)> {
    match mode {
        "AccessExclusiveLock" => Some((3, "reads and writes")),
        "ExclusiveLock" => Some((2, "writes, SELECT FOR UPDATE")),
        "ShareRowExclusiveLock" => Some((1, "writes")),
        "ShareLock" => Some((0, "writes")),
        _ => None,
    }
}

/// A relation in one transaction.
#[derive(Default)]
struct Held<'a> {
    mode: &'a str,
    first: usize,
    rewritten: bool,
    read: bool,
}

/// The lines about what is locked, without indentation; none where nothing has to wait.
pub(super) fn lines(plan: &Plan, paint: Paint) -> Vec<String> {
    let mut table = Table::new(["relation", "lock", "has to wait", "held", "besides"], paint);
    let mut weak = 0;
    for group in &plan.groups {
        let last = group.first + group.count;
        let mut relations: BTreeMap<&str, Held> = BTreeMap::new();
        for (index, step) in plan.steps.iter().enumerate().take(last).skip(group.first) {
            for (relation, mode) in &step.observed.locks {
                let held = relations.entry(relation).or_insert_with(|| Held { first: index + 1, ..Held::default() });
                if blocks(mode) > blocks(held.mode) {
                    (held.mode, held.first) = (mode, index + 1);
                }
            }
            for relation in &step.observed.rewrites {
                relations.entry(relation).or_default().rewritten = true;
            }
            for relation in &step.observed.scans {
                relations.entry(relation).or_default().read = true;
            }
        }
        for (relation, held) in relations {
            let Some((strength, waits)) = blocks(held.mode) else {
                weak += 1;
                continue;
            };
            let besides = match (held.rewritten, held.read) {
                (true, _) => "rewritten",
                (false, true) => "read in full",
                (false, false) => "",
            };
            let mut row = [relation, held.mode, waits, &during(held.first, last), besides].map(Cell::new);
            if strength == 3 && !besides.is_empty() {
                row = row.map(|cell| cell.fg(Color::Red));
            }
            table.row(row);
        }
    }
    let mut lines = table.lines();
    if weak > 0 && !lines.is_empty() {
        let relations = plural(weak, "relation");
        lines.push(paint.dim(format!("and weaker locks, which neither reads nor writes wait for, on {relations}")));
    }
    lines
}

fn during(first: usize, last: usize) -> String {
    if first == last { format!("step {first}") } else { format!("steps {first} to {last}") }
}
