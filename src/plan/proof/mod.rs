//! The proof: a plan is executed on a copy of the current state, with rows in it, before it is written.

mod answer;
mod beside;
mod observe;
mod rows;
mod survive;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use postgres::{Client, SimpleQueryMessage};

use super::{
    file::{Group, Observed, Step},
    rehearsal::{Ran, RehearsalError, Session, StatementError},
};
use crate::{
    catalog::{self, Catalog, Guard, Hazard},
    engine::Scratch,
};
pub(super) use beside::{Beside, Reach};
use observe::Observer;
use rows::Filled;
use survive::Snapshot;

/// Why a plan did not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// A step failed on the copy.
    #[error("step {number} of {of} failed on a copy of the current state: {why}\n  {sql}")]
    Step {
        /// The step's number, from 1.
        number: usize,
        /// How many steps there are.
        of: usize,
        /// The statement.
        sql: String,
        /// What PostgreSQL said.
        why: String,
        /// The statements of the plan.
        steps: Vec<String>,
    },
    /// The copy did not become what is desired.
    #[error("the plan does not lead to the desired state; what remains different:\n{}", remaining.join("\n"))]
    Differs {
        /// The objects that differ, with the fields in which they do.
        remaining: Vec<String>,
        /// The statements of the plan.
        steps: Vec<String>,
    },
    /// Rows were lost or changed where the plan claims that none are.
    #[error("the plan loses rows without saying so:\n{}", lost.join("\n"))]
    Rows {
        /// What became of which table.
        lost: Vec<String>,
        /// The statements of the plan.
        steps: Vec<String>,
    },
    /// The copy itself could not be worked with.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
}

impl From<postgres::Error> for ProofError {
    fn from(error: postgres::Error) -> Self {
        Self::Rehearsal(error.into())
    }
}

/// What the execution on a copy showed.
pub(super) struct Rehearsed {
    /// The copy, read back.
    pub after: Catalog,
    /// What each step did beyond its purpose.
    pub observed: Vec<Observed>,
    /// How many rows each table had.
    pub rows: BTreeMap<String, u64>,
    /// The tables for which no row could be made, with the reason.
    pub without_rows: BTreeMap<String, String>,
}

/// What a plan is executed on.
pub(super) struct Rehearsal<'a> {
    /// The current state, of which copies are made.
    pub scratch: &'a Scratch,
    /// Makes what a copy of a database is without, because all databases share the catalog in which it is.
    pub shared: &'a [String],
    /// What the steps about roles and the database are executed on.
    pub beside: Option<Beside<'a>>,
    /// The schema of the ledger.
    pub ledger: &'a str,
}

/// Executes a plan on copies of the current state, with rows wherever rows can be made and fit the change.
///
/// Where a step does not take the rows of a table (text that is to become a number), the next attempt has another one that
/// may fit, and the one after it none.
pub(super) fn rehearse(on: &Rehearsal, steps: &[Step], groups: &[Group]) -> Result<Rehearsed, ProofError> {
    let mut unfit: BTreeMap<String, String> = BTreeMap::new();
    // The steps that rows did not fit; what they say, such as the bounds of a partition, tells which rows would.
    let mut hints: BTreeMap<String, String> = BTreeMap::new();
    loop {
        if let Some(beside) = &on.beside {
            beside.begin()?;
        }
        let copy = on.scratch.copy().map_err(RehearsalError::from)?;
        let mut session = Session::open(&copy)?;
        session.run_all(on.shared, "while the current state was copied")?;
        let mut filled = rows::fill(&mut session.client, &unfit.keys().cloned().collect(), &hints)?;
        // Row security does not hide rows from the superuser of a cluster of ours.
        let mut admin = copy.admin().map_err(RehearsalError::from)?;
        let before = Snapshot::take(&mut admin, &filled)?;
        match execute(&mut session, &copy, on.beside.as_ref(), steps, groups) {
            Ok(observed) => {
                let mut after = catalog::read(&mut session.client, on.ledger).map_err(RehearsalError::from)?;
                if let Some(beside) = &on.beside {
                    after = after.beside(&beside.end()?);
                }
                let lost = before.lost(&mut admin, &losses(steps))?;
                if !lost.is_empty() {
                    return Err(ProofError::Rows { lost, steps: sql(steps) });
                }
                filled.without.extend(unfit);
                return Ok(Rehearsed { after, observed, rows: filled.rows, without_rows: filled.without });
            }
            Err(failure) => match failure.about_rows(steps, &filled, &unfit) {
                Some(tables) => {
                    for (table, why) in tables {
                        match hints.entry(table) {
                            Entry::Vacant(entry) => drop(entry.insert(failure.sql(steps).to_owned())),
                            Entry::Occupied(entry) => drop(unfit.insert(entry.key().clone(), why)),
                        }
                    }
                }
                None => return Err(failure.into_error(steps)),
            },
        }
    }
}

fn sql(steps: &[Step]) -> Vec<String> {
    steps.iter().map(|step| step.sql.clone()).collect()
}

/// What the steps say is lost.
pub(super) fn losses(steps: &[Step]) -> BTreeSet<String> {
    let hazards = steps.iter().flat_map(|step| &step.hazards);
    hazards
        .filter_map(|hazard| match hazard {
            Hazard::Loss { what } => Some(what.clone()),
            _ => None,
        })
        .collect()
}

/// A step that failed, by index.
struct Failure {
    step: usize,
    cause: Cause,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum Cause {
    /// Its statement did.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Rows stand in its way.
    #[error("{}", _0.requires)]
    Guard(Guard),
}

impl From<postgres::Error> for Cause {
    fn from(error: postgres::Error) -> Self {
        Self::Statement(error.into())
    }
}

impl Failure {
    /// What failed: a statement, or the query of a guard.
    fn sql<'a>(&'a self, steps: &'a [Step]) -> &'a str {
        match &self.cause {
            Cause::Statement(_) => steps.get(self.step).map(|step| step.sql.as_str()).unwrap_or_default(),
            Cause::Guard(guard) => &guard.query,
        }
    }

    /// The tables whose rows are to be left out, where the step says that it may fail on rows and failed on them.
    fn about_rows(
        &self,
        steps: &[Step],
        filled: &Filled,
        unfit: &BTreeMap<String, String>,
    ) -> Option<BTreeMap<String, String>> {
        let mut named = None;
        if let Cause::Statement(error) = &self.cause {
            // Classes 22 (data exception), 23 (integrity constraint violation), and the mistakes that routines raise.
            let db = error.db()?;
            let code = db.code().code();
            // XX000 is what an index says of a function that returns null.
            if !(code.starts_with("22") || code.starts_with("23") || ["P0001", "21000", "XX000"].contains(&code)) {
                return None;
            }
            named = db.schema().zip(db.table()).map(|(schema, table)| crate::sql::qualified([schema, table]));
        }
        let why = format!("its rows do not fit the change: {}", self.cause);
        let with_rows = || filled.rows.keys().filter(|table| !unfit.contains_key(*table));
        if let Some(table) = with_rows().find(|table| named.as_ref() == Some(table)) {
            return Some([(table.clone(), why)].into());
        }
        let mentioned = |table: &&String| self.sql(steps).contains(table.as_str());
        let mut tables: BTreeMap<String, String> =
            with_rows().filter(mentioned).map(|table| (table.clone(), why.clone())).collect();
        if tables.is_empty() {
            // Rows that are read by way of a view or a function: none are left next time.
            tables = with_rows().map(|table| (table.clone(), why.clone())).collect();
        }
        (!tables.is_empty()).then_some(tables)
    }

    fn into_error(self, steps: &[Step]) -> ProofError {
        let sql = self.sql(steps).to_owned();
        let steps = self::sql(steps);
        ProofError::Step { number: self.step + 1, of: steps.len(), sql, why: self.cause.to_string(), steps }
    }
}

/// Whether a guard finds rows.
fn stands_in_the_way(client: &mut Client, guard: &Guard) -> Result<bool, postgres::Error> {
    let found = client.simple_query(&guard.query)?;
    Ok(found.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))))
}

fn execute(
    session: &mut Session,
    copy: &Scratch,
    beside: Option<&Beside>,
    steps: &[Step],
    groups: &[Group],
) -> Result<Vec<Observed>, Failure> {
    fn failed<E: Into<Cause>>(step: usize) -> impl Fn(E) -> Failure {
        move |error| Failure { step, cause: error.into() }
    }
    let mut observer = Observer::new(&mut session.client).map_err(failed(0))?;
    let mut observed = Vec::with_capacity(steps.len());
    for group in groups {
        if group.transaction {
            session.client.batch_execute("BEGIN").map_err(failed(group.first))?;
            observer.begin(&mut session.client).map_err(failed(group.first))?;
        }
        for number in group.first..group.first + group.count {
            let Some(step) = steps.get(number) else { continue };
            if let Some((beside, reach)) = beside.and_then(|it| Some((it, it.reach(number)?))) {
                beside.run(&step.sql, reach, session, copy).map_err(failed(number))?;
                observed.push(Observed::default());
                continue;
            }
            for guard in &step.guards {
                if stands_in_the_way(&mut session.client, guard).map_err(failed(number))? {
                    return Err(Failure { step: number, cause: Cause::Guard(guard.clone()) });
                }
            }
            let ran = session.run(&step.sql, group.transaction).map_err(failed(number))?;
            if ran == Ran::Lent && group.transaction {
                observer.begin(&mut session.client).map_err(failed(number))?;
            }
            observed.push(observer.step(&mut session.client).map_err(failed(number))?);
        }
        if group.transaction {
            // Deferred constraints are checked here.
            session.client.batch_execute("COMMIT").map_err(failed(group.first + group.count - 1))?;
        }
    }
    Ok(observed)
}
