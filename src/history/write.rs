//! Writes the ledger: always within a transaction that the caller opens and commits with the work itself.

use std::{collections::BTreeMap, time::Duration};

use postgres::GenericClient;

use super::{Error, Ledger, Outcome, Step};
use crate::{catalog::Digest, plan::file::Plan, sql};

/// What is to be recorded when somebody begins to apply a plan.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The last complete revision.
    pub parent: Option<&'a str>,
    /// The [`super::Revision::number`] of the earlier, unfinished attempt to apply the same plan.
    pub earlier: Option<i64>,
    /// The machine on which the program runs.
    pub host: &'a str,
}

/// An attempt to apply a plan, as it stands in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The revision's number.
    pub revision: i64,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// The time that earlier attempts took, in milliseconds.
    before: i64,
}

impl Ledger {
    /// Records that an attempt begins, and makes the ledger where there is none.
    ///
    /// Whoever applies a plan has locked others out: what else is still `running` was killed, and is marked as failed.
    pub fn open(&self, client: &mut impl GenericClient, opening: &Opening) -> Result<Attempt, Error> {
        self.ensure(client)?;
        let failed = |source| self.failed("write", source);
        let Opening { plan, parent, earlier, host } = *opening;
        let table = self.table("revision");
        let others = format!(
            "UPDATE {table} SET outcome = 'failed', error = 'interrupted', finished = pg_catalog.clock_timestamp() \
             WHERE outcome = 'running' AND number IS DISTINCT FROM $1"
        );
        client.execute(&others, &[&earlier]).map_err(failed)?;
        let steps = format!(
            "UPDATE {} SET outcome = 'failed', error = 'interrupted' WHERE outcome = 'running'",
            self.table("step")
        );
        client.execute(&steps, &[]).map_err(failed)?;
        let program = env!("CARGO_PKG_VERSION");
        let row = if let Some(number) = earlier {
            let again = format!(
                "UPDATE {table} SET outcome = 'running', error = NULL, finished = NULL, attempts = attempts + 1, \
                 parent = $2, who = current_user, login = session_user, host = $3, program_version = $4 \
                 WHERE number = $1 RETURNING number, attempts, duration_ms"
            );
            client.query_one(&again, &[&number, &parent, &host, &program])
        } else {
            let first = format!(
                "INSERT INTO {table} (id, parent, message, plan_id, plan, outcome, fingerprint_before, groups, host, \
                 program_version) VALUES ($1, $2, $3, $4, $5::text::json, 'running', $6, $7, $8, $9) \
                 RETURNING number, attempts, duration_ms"
            );
            let groups = i32::try_from(plan.groups.len()).unwrap_or(i32::MAX);
            let (id, text, before) = (&plan.id.0, plan.to_json(), &plan.current.all.0);
            client.query_one(
                &first,
                &[&plan.revision, &parent, &plan.message, id, &text, before, &groups, &host, &program],
            )
        };
        let row = row.map_err(failed)?;
        Ok(Attempt { revision: row.get(0), attempt: row.get(1), before: row.get(2) })
    }

    /// Records steps; one that was recorded when it began is recorded again when it has ended.
    pub fn record(&self, client: &mut impl GenericClient, attempt: Attempt, steps: &[Step]) -> Result<(), Error> {
        let columns = [(3, "int4"), (4, "text"), (5, "text"), (6, "int8"), (7, "text"), (8, "text")];
        let query = format!(
            "INSERT INTO {} (revision, attempt, number, statement, outcome, duration_ms, sqlstate, error) \
             SELECT $1, $2, * FROM ROWS FROM ({}) \
             ON CONFLICT (revision, attempt, number) DO UPDATE SET outcome = EXCLUDED.outcome, \
             duration_ms = EXCLUDED.duration_ms, sqlstate = EXCLUDED.sqlstate, error = EXCLUDED.error",
            self.table("step"),
            sql::join(columns.iter().map(|(n, of)| format!("pg_catalog.unnest(${n}::{of}[])")), ", ")
        );
        let numbers: Vec<i32> = steps.iter().map(|step| step.number).collect();
        let statements: Vec<&str> = steps.iter().map(|step| step.statement.as_str()).collect();
        let outcomes: Vec<&str> = steps.iter().map(|step| step.outcome.name()).collect();
        let durations: Vec<Option<i64>> = steps.iter().map(|step| step.duration_ms).collect();
        let codes: Vec<Option<&str>> = steps.iter().map(|step| step.sqlstate.as_deref()).collect();
        let errors: Vec<Option<&str>> = steps.iter().map(|step| step.error.as_deref()).collect();
        let Attempt { revision, attempt, before: _ } = attempt;
        client
            .execute(&query, &[&revision, &attempt, &numbers, &statements, &outcomes, &durations, &codes, &errors])
            .map_err(|source| self.failed("write", source))?;
        Ok(())
    }

    /// Records that the first `groups` transaction groups are done, and in what the state differs from the first one.
    pub fn advance(
        &self,
        client: &mut impl GenericClient,
        attempt: Attempt,
        groups: usize,
        progress: &BTreeMap<String, Option<Digest>>,
        elapsed: Duration,
    ) -> Result<(), Error> {
        let set = "groups_done = $3, progress = $4::text::jsonb";
        let groups = i32::try_from(groups).unwrap_or(i32::MAX);
        let progress = serde_json::to_string(progress).unwrap_or_default();
        self.update(client, attempt, elapsed, set, &[&groups, &progress])
    }

    /// Records that the revision is complete, and the sum over the managed state that it ended in.
    pub fn finish(
        &self,
        client: &mut impl GenericClient,
        attempt: Attempt,
        after: &Digest,
        elapsed: Duration,
    ) -> Result<(), Error> {
        let set = "outcome = 'done', fingerprint_after = $3, groups_done = groups, progress = '{}', \
            finished = pg_catalog.clock_timestamp()";
        self.update(client, attempt, elapsed, set, &[&after.0])
    }

    /// Records that the attempt failed, and why.
    pub fn fail(
        &self,
        client: &mut impl GenericClient,
        attempt: Attempt,
        error: &str,
        elapsed: Duration,
    ) -> Result<(), Error> {
        let set = "outcome = 'failed', error = $3, finished = pg_catalog.clock_timestamp()";
        self.update(client, attempt, elapsed, set, &[&error])
    }

    fn update(
        &self,
        client: &mut impl GenericClient,
        attempt: Attempt,
        elapsed: Duration,
        set: &str,
        more: &[&(dyn postgres::types::ToSql + Sync)],
    ) -> Result<(), Error> {
        let query = format!("UPDATE {} SET duration_ms = $2, {set} WHERE number = $1", self.table("revision"));
        let duration = attempt.before + milliseconds(elapsed);
        let mut parameters: Vec<&(dyn postgres::types::ToSql + Sync)> = vec![&attempt.revision, &duration];
        parameters.extend_from_slice(more);
        client.execute(&query, &parameters).map_err(|source| self.failed("write", source))?;
        Ok(())
    }
}

impl Step {
    /// A step that is about to run outside of a transaction.
    pub fn begun(attempt: Attempt, number: usize, statement: &str) -> Self {
        Self {
            attempt: attempt.attempt,
            number: i32::try_from(number).unwrap_or(i32::MAX),
            statement: statement.to_owned(),
            outcome: Outcome::Running,
            duration_ms: None,
            sqlstate: None,
            error: None,
        }
    }

    /// The step, once it has succeeded.
    #[must_use]
    pub fn done(self, elapsed: Duration) -> Self {
        Self { outcome: Outcome::Done, duration_ms: Some(milliseconds(elapsed)), ..self }
    }

    /// The step, once it has failed.
    #[must_use]
    pub fn failed(self, elapsed: Duration, sqlstate: Option<&str>, error: &str) -> Self {
        let (sqlstate, error) = (sqlstate.map(str::to_owned), Some(error.to_owned()));
        Self { outcome: Outcome::Failed, duration_ms: Some(milliseconds(elapsed)), sqlstate, error, ..self }
    }
}

fn milliseconds(elapsed: Duration) -> i64 {
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}
