//! Loads in rounds: units in their order, in batches that grow while all goes well, and what failed again until nothing
//! moves.

use super::connection::{Refused, Trouble};
use super::{Loader, TOGETHER};
use crate::source::class::Class;
use crate::source::order::{Order, order};
use crate::source::unit::Unit;
use std::collections::HashSet;

const FIRST: usize = 64;

/// What came of one unit.
#[derive(Debug, Default)]
pub(in crate::source) enum Outcome {
    #[default]
    Waiting,
    Done,
    Failed(Box<Refused>),
}

/// Units in their order, and what has come of each.
pub(super) struct Rounds {
    pub(super) order: Order,
    pub(super) outcomes: Vec<Outcome>,
    size: usize,
    /// Whether to keep from running what comes after a failed unit about the same object, or needs a failed unit.
    careful: bool,
    /// The objects and units of this round's failures.
    held: HashSet<String>,
    failed: HashSet<usize>,
    moved: bool,
}

impl Rounds {
    pub(super) fn new(loader: &Loader<'_>, units: Vec<Unit>) -> Self {
        let order = order(loader.source, units);
        let outcomes = order.units.iter().map(|_| Outcome::default()).collect();
        Self { order, outcomes, size: FIRST, careful: true, held: HashSet::new(), failed: HashSet::new(), moved: false }
    }

    /// Runs everything that can run.
    pub(super) fn run(&mut self, loader: &mut Loader<'_>) -> Result<(), Trouble> {
        loop {
            self.careful = true;
            self.round(loader)?;
            if self.all_done() {
                return Ok(());
            }
            if self.moved {
                continue;
            }
            // A guess about what needs what may be wrong, and so may the order of the file.
            self.careful = false;
            self.round(loader)?;
            if !self.moved && !self.take_apart(loader) {
                return Ok(());
            }
        }
    }

    fn all_done(&self) -> bool {
        self.outcomes.iter().all(|outcome| matches!(outcome, Outcome::Done))
    }

    fn round(&mut self, loader: &mut Loader<'_>) -> Result<(), Trouble> {
        self.moved = false;
        self.held.clear();
        self.failed.clear();
        let mut batch = Vec::new();
        for unit in 0..self.order.units.len() {
            if matches!(self.outcomes[unit], Outcome::Done) {
                continue;
            }
            let alone = self.runs_alone(loader, unit);
            if alone {
                self.send(loader, &std::mem::take(&mut batch))?;
            }
            batch.push(unit);
            if alone || batch.len() >= self.size {
                self.send(loader, &std::mem::take(&mut batch))?;
            }
            // What was done out of order may be what the units before it wait for.
            if !self.careful && self.moved {
                return Ok(());
            }
        }
        self.send(loader, &batch)
    }

    /// A new value of an enum cannot be used before its transaction ends; a procedure may end the transaction itself.
    fn runs_alone(&self, loader: &Loader<'_>, unit: usize) -> bool {
        let statement = &loader.source.statements[self.order.units[unit].statement];
        let head = &statement.head;
        statement.class == Class::Call && head.verb == "CALL"
            || head.is("ALTER", &["TYPE"]) && statement.cursor().from(head.after).is_all(&["ADD", "VALUE"])
    }

    /// Sends units in one message; when one fails, those before it, that one by itself, and those after it.
    fn send(&mut self, loader: &mut Loader<'_>, batch: &[usize]) -> Result<(), Trouble> {
        let batch: Vec<usize> = batch.iter().copied().filter(|unit| !self.waits(*unit)).collect();
        match batch.as_slice() {
            [] => return Ok(()),
            [only] => return self.send_one(loader, *only),
            _ => {}
        }
        let units: Vec<&Unit> = batch.iter().map(|unit| &self.order.units[*unit]).collect();
        match loader.connection.run(&units) {
            Ok(()) => {
                loader.clean = false;
                self.size = (self.size * 2).min(TOGETHER);
                batch.iter().for_each(|unit| self.done(*unit));
                Ok(())
            }
            Err(Trouble::Refused(refused)) => {
                self.size = (self.size / 4).max(1);
                if let Some(at) = refused.unit {
                    self.send(loader, &batch[..at])?;
                    self.send_one(loader, batch[at])?;
                    self.send(loader, &batch[at + 1..])
                } else {
                    let (first, second) = batch.split_at(batch.len() / 2);
                    self.send(loader, first)?;
                    self.send(loader, second)
                }
            }
            Err(lost @ Trouble::Lost(_)) => Err(lost),
        }
    }

    fn send_one(&mut self, loader: &mut Loader<'_>, unit: usize) -> Result<(), Trouble> {
        match loader.run_alone(&self.order.units[unit]) {
            Ok(()) => {
                self.size = (self.size * 2).min(TOGETHER);
                self.done(unit);
            }
            Err(Trouble::Refused(refused)) => {
                self.size = (self.size / 2).max(1);
                self.held.extend(self.order.subjects[unit].iter().cloned());
                self.failed.insert(unit);
                self.outcomes[unit] = Outcome::Failed(refused);
            }
            Err(lost @ Trouble::Lost(_)) => return Err(lost),
        }
        Ok(())
    }

    fn done(&mut self, unit: usize) {
        self.outcomes[unit] = Outcome::Done;
        self.moved = true;
    }

    /// Whether a unit has to wait for one that failed in this round.
    fn waits(&mut self, unit: usize) -> bool {
        if !self.careful {
            return false;
        }
        let waits = self.order.subjects[unit].iter().any(|subject| self.held.contains(subject))
            || self.order.needs[unit].iter().any(|needed| self.failed.contains(needed));
        if waits {
            // What comes after this one waits as well.
            self.held.extend(self.order.subjects[unit].iter().cloned());
            self.failed.insert(unit);
        }
        waits
    }

    /// Takes apart what failed and can be; whether there is any.
    fn take_apart(&mut self, loader: &Loader<'_>) -> bool {
        let mut units = Vec::new();
        let mut apart = false;
        for (unit, outcome) in self.order.units.iter().zip(&self.outcomes) {
            if !matches!(outcome, Outcome::Done) {
                let parts = unit.apart(&loader.source.statements[unit.statement]);
                apart |= parts.is_some();
                units.extend(parts.unwrap_or_else(|| vec![unit.clone()]));
            }
        }
        if apart {
            let size = self.size;
            *self = Self { size, ..Self::new(loader, units) };
        }
        apart
    }
}
