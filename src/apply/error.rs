//! Why a plan was not applied, or not to its end.

use std::{collections::BTreeSet, time::Duration};

use super::{Committed, Difference, Failure, Holder, Standing};
use crate::{catalog::Digest, catalog::ReadError, connect, history, sql};

/// How many differences are listed.
const LISTED: usize = 60;

/// Why a plan was not applied: the gates in their order, then what happens on the way.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The plan is not what was written.
    #[error("the plan has been changed after it was made: its id is {said}, its content gives {found}")]
    Edited {
        /// The id in the plan.
        said: Digest,
        /// The id of the content.
        found: Digest,
    },
    /// The plan contradicts itself.
    #[error("the plan cannot be executed: {0}")]
    Malformed(String),
    /// The plan loses data, and that is not accepted.
    #[error("the plan loses data:\n{}", lines(_0.iter()))]
    Loss(BTreeSet<String>),
    /// The database cannot be reached.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// Another `apply` is at work.
    #[error("another apply has been at work for the {} s that this one waited{}", waited.as_secs(), by(holder.as_ref()))]
    Busy {
        /// Who it is.
        holder: Option<Holder>,
        /// How long this one waited.
        waited: Duration,
    },
    /// The database is another one than planned for.
    #[error("the plan was made for another database:\n{}", lines(_0.iter()))]
    OtherTarget(Vec<String>),
    /// A transaction is too large for the server.
    #[error("transaction group {group} needs up to {needed} locks, and the server can hold {available}")]
    LockTable {
        /// The group's number, from 1.
        group: usize,
        /// How many locks it may need.
        needed: u64,
        /// How many the server surely holds.
        available: u64,
    },
    /// The plan was applied, and others after it.
    #[error("the plan was applied at {when}, and others have been applied after it: the last one is {head}")]
    Overtaken {
        /// When it was applied.
        when: String,
        /// The last revision.
        head: String,
    },
    /// Another revision has been applied since the plan was made.
    #[error("the plan is stale: it was made after revision {expected}, and {}",
        head.as_ref().map_or_else(|| "none is recorded".to_owned(), |head| format!("the last one is {head}")))]
    Parent {
        /// The revision after which the plan was made.
        expected: String,
        /// The last revision.
        head: Option<String>,
    },
    /// The database has changed since the plan was made, or since it was interrupted.
    #[error("the plan is stale: the database has changed since {}:\n{}",
        if *resuming { "the plan was interrupted" } else { "it was made" }, lines(differences.iter()))]
    Stale {
        /// What has changed.
        differences: Vec<Difference>,
        /// Whether the database is what the plan leads to.
        already: bool,
        /// Whether part of the plan is applied.
        resuming: bool,
    },
    /// Variables that the plan uses are not set.
    #[error("the plan takes values from the environment, and these variables are not set:\n{}", lines(_0.iter()))]
    Variables(BTreeSet<String>),
    /// Rows stand in the way of a step.
    #[error("{0}")]
    Guard(Box<Standing>),
    /// A step failed.
    #[error(transparent)]
    Failed(Box<Failure>),
    /// The outcome is not the desired state.
    #[error("the database did not become what the plan says; {}:\n{}",
        if *rolled_back { "the last transaction has been rolled back" } else { "the last step is committed" },
        lines(differences.iter()))]
    Mismatch {
        /// In what it differs: `Added` is there and should not be, `Gone` should be there.
        differences: Vec<Difference>,
        /// Whether the last group could be taken back.
        rolled_back: bool,
        /// What stays.
        committed: Committed,
    },
    /// The connection does not keep its session.
    #[error("the connection changes its server session between two transactions")]
    Pooled,
    /// The catalogs cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] history::Error),
    /// PostgreSQL refused something that is not a step.
    #[error("cannot {doing}: {}", crate::plan::describe(source))]
    Postgres {
        /// What was tried.
        doing: &'static str,
        /// PostgreSQL's answer.
        source: postgres::Error,
    },
}

impl Error {
    pub(super) fn postgres(doing: &'static str) -> impl Fn(postgres::Error) -> Self {
        move |source| Self::Postgres { doing, source }
    }

    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        let one = |hint: &str| vec![hint.to_owned()];
        match self {
            Self::Edited { .. } | Self::Malformed(_) => one("plan again, and change the desired state, not the plan"),
            Self::Loss(losses) => {
                let flags = losses.iter().map(|what| format!("--allow-loss {}", shell(what)));
                vec![
                    format!("to accept exactly this: {}", sql::join(flags, " ")),
                    "to accept every loss: --allow-loss all".to_owned(),
                ]
            }
            Self::Busy { .. } => one("try again when it has ended; a session that hangs can be ended with \
                SELECT pg_terminate_backend(pid)"),
            Self::OtherTarget(_) => one("check --db, or plan again for this database"),
            Self::LockTable { .. } => {
                one("raise max_locks_per_transaction on the server (it needs a restart), or make \
                the change in several smaller plans")
            }
            Self::Overtaken { .. } | Self::Parent { .. } => {
                one("plan again; `reconcile log` shows what has been applied")
            }
            Self::Stale { already: true, .. } => {
                one("the database is already what the plan leads to: nothing is left to \
                do, and `reconcile plan` should say so")
            }
            Self::Stale { .. } => one("plan again, so that the new plan starts from what is there now"),
            Self::Variables(_) => one("nothing has been changed: set them, and apply again"),
            Self::Guard(_) => one("change or remove these rows, then apply again"),
            Self::Failed(failure) => failure.hints(),
            Self::Mismatch { committed, .. } => vec![
                "this is a bug in reconcile, unless somebody changed the database at the same time: plan again"
                    .to_owned(),
                match committed {
                    Committed::Nothing => "nothing has been changed".to_owned(),
                    Committed::Steps(steps) | Committed::Unknown(steps) => format!("steps 1 to {steps} are committed"),
                },
            ],
            Self::Pooled => one("connect to the server itself, or through a pooler in session mode"),
            Self::Connect(error) => error.hints(),
            Self::Ledger(error) => error.hints(),
            Self::Read(_) | Self::Postgres { .. } => Vec::new(),
        }
    }
}

fn lines<T: ToString>(items: impl ExactSizeIterator<Item = T>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let mut lines: Vec<String> = items.take(LISTED).map(|item| format!("  {}", item.to_string())).collect();
    if more > 0 {
        lines.push(format!("  … and {more} more"));
    }
    lines.join("\n")
}

fn by(holder: Option<&Holder>) -> String {
    holder.map(|holder| format!(": {holder}")).unwrap_or_default()
}

/// Quotes a word for a POSIX shell.
fn shell(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
