//! What the ledger says: revisions, their steps, and how far an unfinished one has come.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{catalog::Digest, plan::file::Plan};

/// One plan that was applied, or that somebody tried to apply.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Revision {
    /// Its place in the ledger; a later revision has a greater number.
    #[serde(skip)]
    pub number: i64,
    /// The revision's id, as the plan names it.
    pub id: String,
    /// The revision that was the last one before.
    pub parent: Option<String>,
    /// What the author said about the change.
    pub message: Option<String>,
    /// The plan's id.
    pub plan_id: Digest,
    /// How it ended, if it did.
    pub outcome: Outcome,
    /// Why it failed.
    pub error: Option<String>,
    /// The sum over the managed state from which it started.
    pub fingerprint_before: Digest,
    /// The sum over the managed state in which it ended.
    pub fingerprint_after: Option<Digest>,
    /// The role that applied it.
    pub who: String,
    /// The role that logged in.
    pub login: String,
    /// The machine from which it was applied.
    pub host: String,
    /// The version of the program that applied it.
    pub program_version: String,
    /// When it was begun, in UTC: `2024-05-01T12:00:00.000000Z`.
    pub started: String,
    /// When it ended, in UTC.
    pub finished: Option<String>,
    /// How long it took, in milliseconds, without the time between two attempts.
    pub duration_ms: i64,
    /// How often it was begun.
    pub attempts: i32,
    /// How many of its transaction groups are committed.
    pub groups_done: i32,
    /// How many transaction groups it has.
    pub groups: i32,
}

/// How an attempt to apply a plan, or one of its steps, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not ended: it is being applied, or whoever applied it was killed.
    Running,
    /// It is complete.
    Done,
    /// It failed.
    Failed,
}

impl Outcome {
    /// The word in the ledger: `done`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "done" => Self::Done,
            "failed" => Self::Failed,
            _ => Self::Running,
        }
    }
}

/// One statement, as it was executed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Which attempt executed it, from 1.
    pub attempt: i32,
    /// Its number in the plan, from 1.
    pub number: i32,
    /// The statement.
    pub statement: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// PostgreSQL's code of the error.
    pub sqlstate: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// A revision with its steps and its plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The revision.
    #[serde(flatten)]
    pub revision: Revision,
    /// What was executed, in the order of attempts and numbers.
    pub steps: Vec<Step>,
    /// The plan.
    pub plan: Plan,
}

/// How far an unfinished revision has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Resumable {
    /// The revision.
    pub revision: Revision,
    /// In what the managed state differs, after the groups done, from the one that the plan starts from.
    ///
    /// An object that is not there any more has no sum.
    pub progress: BTreeMap<String, Option<Digest>>,
    /// The number, from 1, of the step that was begun last, where it is not known to have succeeded.
    pub begun: Option<i32>,
}
