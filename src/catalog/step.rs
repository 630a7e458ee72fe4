//! One statement that changes a database, with what it needs and what it risks.

use serde::{Deserialize, Serialize};

/// One statement, as an object kind spells it; the plan adds who asked for it and what was observed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The statement, without a final semicolon.
    pub sql: String,
    /// How the statement stands to transactions.
    pub transaction: Transaction,
    /// What people should know before they run it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
    /// What must hold for the rows in the database before the statement runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
}

impl Step {
    /// A statement that runs inside a transaction and risks nothing known.
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), ..Self::default() }
    }

    /// Marks the statement's effect as usable only after its transaction has committed.
    #[must_use]
    pub fn commit_after(mut self) -> Self {
        self.transaction = Transaction::CommitAfter;
        self
    }

    /// Adds a hazard.
    #[must_use]
    pub fn hazard(mut self, hazard: Hazard) -> Self {
        self.hazards.push(hazard);
        self
    }

    /// Adds a condition on rows.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guards.push(guard);
        self
    }
}

/// How a statement stands to transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transaction {
    /// Runs in one, with others.
    #[default]
    Inside,
    /// Runs in one, and what it does can be used only after the commit (`ALTER TYPE … ADD VALUE`).
    CommitAfter,
    /// PostgreSQL refuses it in a transaction block (`CREATE INDEX CONCURRENTLY`).
    Outside,
}

/// Something that people should know before they run a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hazard {
    /// Rows, values or counters are lost; `what` is what `--allow-loss` names: `TABLE app.old`.
    Loss {
        /// The object whose data is lost, as its address displays.
        what: String,
    },
    /// The statement may fail on the rows that are there.
    MayFail {
        /// Why, in one sentence.
        why: String,
    },
    /// The statement succeeds, but applications may notice.
    Behaviour {
        /// What they notice, in one sentence.
        why: String,
    },
}

/// A query that must return no row; each row that it returns says what stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// What must hold, in one sentence.
    pub requires: String,
    /// A SELECT whose rows are the counterexamples, limited in number.
    pub query: String,
}
