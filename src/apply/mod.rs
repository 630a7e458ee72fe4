//! Applies a plan: gates, transactions, resuming, verification.

mod difference;
mod error;
mod failure;
mod gate;
mod guard;
mod lock;
mod resume;
mod run;
mod session;

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

pub use difference::{Change, Difference};
pub use error::Error;
pub use failure::{Committed, Doing, Failure};
pub use guard::Standing;
pub use lock::{Holder, holder};

use postgres::Client;

use crate::{
    connect::Target,
    history::{Ledger, Revision},
    plan::{file::Plan, secrets::Variables},
};

/// What the one who applies a plan decides.
#[derive(Clone, Debug)]
pub struct Options {
    /// The losses that are accepted, as the plan names them; `all` accepts every one.
    pub allow_loss: BTreeSet<String>,
    /// How long to wait for another `apply` to end.
    pub wait: Duration,
    /// How long a statement may wait for a lock; `None`: for ever.
    pub lock_timeout: Option<Duration>,
    /// How long a statement may run; `None`: for ever.
    pub statement_timeout: Option<Duration>,
    /// The environment, from which secrets come.
    pub variables: Variables,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            allow_loss: BTreeSet::new(),
            wait: Duration::from_secs(60),
            lock_timeout: None,
            statement_timeout: None,
            variables: Variables::new(),
        }
    }
}

/// Hears how far `apply` has come.
pub trait Progress {
    /// Another `apply` is at work, and this one waits for it.
    fn waiting(&mut self, _holder: &Holder) {}
    /// All checks are passed; `done` of the steps were done by an earlier attempt.
    fn begin(&mut self, _done: usize, _of: usize) {}
    /// A step begins; numbers count from 1.
    fn step(&mut self, _number: usize, _of: usize, _sql: &str) {}
    /// A step has ended.
    fn done(&mut self, _number: usize, _elapsed: Duration) {}
    /// The database is read back, before the steps up to this one are committed.
    fn verifying(&mut self, _number: usize) {}
}

/// Hears nothing.
impl Progress for () {}

/// How applying a plan ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// There was nothing to do, and nothing was recorded.
    Nothing,
    /// The plan was applied before, and nothing has been applied since.
    AlreadyApplied(Box<Revision>),
    /// The plan has been applied.
    Applied(Applied),
}

/// A plan that has been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The revision that is recorded now.
    pub revision: String,
    /// How many steps have been executed.
    pub steps: usize,
    /// How many steps an earlier attempt had executed.
    pub resumed: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// What people should be told.
    pub notices: Vec<Notice>,
}

/// Something that people should be told about a plan that has been applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The plan had not been executed on a copy before.
    Unproved,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unproved => f.write_str("the plan was not proved: it had never been executed on a copy"),
        }
    }
}

/// Applies a plan to a database, exactly once, however often it is called and wherever it was interrupted.
///
/// # Errors
/// One variant of [`Error`] per gate, in their order; [`Error::Failed`] when a statement fails.
pub fn apply(target: &Target, plan: &Plan, options: &Options, progress: &mut dyn Progress) -> Result<Outcome, Error> {
    let begun = Instant::now();
    gate::intact(plan)?;
    gate::losses(plan, &options.allow_loss)?;
    let mut client = target.connect()?;
    session::prepare(&mut client, options)?;
    lock::take(&mut client, options.wait, progress)?;
    let outcome = alone(&mut client, plan, &options.variables, progress, begun);
    lock::release(&mut client);
    outcome
}

/// Applies a plan while others are locked out.
fn alone(
    client: &mut Client,
    plan: &Plan,
    variables: &Variables,
    progress: &mut dyn Progress,
    begun: Instant,
) -> Result<Outcome, Error> {
    let ledger = Ledger::new(&plan.scope.ledger);
    let start = match gate::pass(client, plan, &ledger)? {
        gate::Passed::Begin(start) => start,
        gate::Passed::AlreadyApplied(revision) => return Ok(Outcome::AlreadyApplied(revision)),
    };
    if plan.is_empty() {
        return Ok(Outcome::Nothing);
    }
    let resumed = start.steps_done(plan);
    gate::variables(plan.steps.get(resumed..).unwrap_or_default(), variables)?;
    guard::before(client, plan, resumed)?;
    progress.begin(resumed, plan.steps.len());
    run::Run::new(client, plan, variables, ledger, start, progress)?.finish(client)?;
    Ok(Outcome::Applied(Applied {
        revision: plan.revision.clone(),
        steps: plan.steps.len() - resumed,
        resumed,
        elapsed: begun.elapsed(),
        notices: if plan.proof.proved { Vec::new() } else { vec![Notice::Unproved] },
    }))
}
