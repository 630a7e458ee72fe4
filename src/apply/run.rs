//! Executes the transaction groups, and records each of them in the transaction that it is.

use std::time::{Duration, Instant};

use postgres::{Client, GenericClient, IsolationLevel, Transaction};

use super::{
    Committed, Doing, Error, Failure, Progress,
    difference::{differences, progress},
    gate,
    guard::{self, Refused},
    resume::{Start, clean},
};
use crate::{
    catalog::{self, Fingerprint},
    history::{self, Attempt, Ledger, Opening},
    plan::{
        file::{Group, Plan, Step},
        secrets::{self, Variables},
    },
};

/// A plan that is being applied.
pub(super) struct Run<'a> {
    pub plan: &'a Plan,
    variables: &'a Variables,
    pub ledger: Ledger,
    pub start: Start,
    pub progress: &'a mut dyn Progress,
    /// The attempt, once its record is committed.
    attempt: Option<Attempt>,
    host: String,
    /// The server process that holds the lock.
    pid: i32,
    begun: Instant,
}

/// Why a group did not come to its end.
enum Broken {
    /// PostgreSQL refused a statement.
    Statement(Statement),
    /// Something else.
    Other(Error),
}

/// A statement that PostgreSQL refused.
struct Statement {
    /// The step's number, from 1.
    number: usize,
    doing: Doing,
    sql: String,
    elapsed: Duration,
    cause: postgres::Error,
}

impl<E: Into<Error>> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl<'a> Run<'a> {
    /// Prepares to continue a plan on the connection that holds the lock.
    pub fn new(
        client: &mut Client,
        plan: &'a Plan,
        variables: &'a Variables,
        ledger: Ledger,
        start: Start,
        progress: &'a mut dyn Progress,
    ) -> Result<Self, Error> {
        let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let pid = pid(client)?;
        Ok(Self { plan, variables, ledger, start, progress, attempt: None, host, pid, begun: Instant::now() })
    }

    /// Executes every group that is still to be done.
    pub fn finish(mut self, client: &mut Client) -> Result<(), Error> {
        for (index, group) in self.plan.groups.iter().copied().enumerate().skip(self.start.groups) {
            let outcome =
                if group.transaction { self.within(client, index, group) } else { self.outside(client, index, group) };
            outcome.map_err(|broken| self.failed(client, group, broken))?;
        }
        Ok(())
    }

    /// Executes a group in one transaction, which ends with the record of it.
    fn within(&mut self, client: &mut Client, index: usize, group: Group) -> Result<(), Broken> {
        let (mut transaction, attempt) = self.transaction(client)?;
        let mut records = Vec::with_capacity(group.count);
        for (number, step) in numbered(self.plan, group) {
            let elapsed = self.execute(&mut transaction, number, step)?;
            records.push(history::Step::begun(attempt, number, &step.sql).done(elapsed));
        }
        self.progress.verifying(group.first + group.count);
        let live = catalog::read_within(&mut transaction, self.plan.scope.extent())?;
        self.ledger.record(&mut transaction, attempt, &records)?;
        self.settle(&mut transaction, attempt, index, &self.plan.scope.fingerprint(&live))?;
        self.commit(transaction, attempt, group)
    }

    /// Executes a step that PostgreSQL refuses in a transaction: what is intended is recorded before, what is done after.
    fn outside(&mut self, client: &mut Client, index: usize, group: Group) -> Result<(), Broken> {
        let mut elapsed = Duration::ZERO;
        let complete = self.start.complete.take();
        for (number, step) in numbered(self.plan, group).filter(|_| complete.is_none()) {
            let (mut transaction, attempt) = self.transaction(client)?;
            self.ledger.record(&mut transaction, attempt, &[history::Step::begun(attempt, number, &step.sql)])?;
            self.commit(transaction, attempt, group)?;
            elapsed = self.execute(client, number, step)?;
        }
        self.progress.verifying(group.first + group.count);
        let live = match complete {
            Some(sums) => Fingerprint::new(sums),
            None => self.plan.scope.fingerprint(&catalog::read(client, self.plan.scope.extent())?),
        };
        let (mut transaction, attempt) = self.transaction(client)?;
        for (number, step) in numbered(self.plan, group) {
            let record = history::Step::begun(attempt, number, &step.sql).done(elapsed);
            self.ledger.record(&mut transaction, attempt, &[record])?;
        }
        self.settle(&mut transaction, attempt, index, &live)?;
        self.commit(transaction, attempt, group)
    }

    /// Begins a transaction in the session that holds the lock; in the first one, the attempt is recorded.
    fn transaction<'c>(&self, client: &'c mut Client) -> Result<(Transaction<'c>, Attempt), Broken> {
        let builder = client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).read_only(false);
        let mut transaction = builder.start().map_err(Error::postgres("begin a transaction"))?;
        if pid(&mut transaction)? != self.pid {
            return Err(Error::Pooled.into());
        }
        let attempt = match self.attempt {
            Some(attempt) => attempt,
            None => self.ledger.open(
                &mut transaction,
                &Opening {
                    plan: self.plan,
                    parent: self.start.parent.as_deref(),
                    earlier: self.start.earlier,
                    host: &self.host,
                },
            )?,
        };
        Ok((transaction, attempt))
    }

    fn commit(&mut self, transaction: Transaction, attempt: Attempt, group: Group) -> Result<(), Broken> {
        let begun = Instant::now();
        transaction.commit().map_err(|cause| {
            let (number, sql) = (group.first + group.count, "COMMIT".to_owned());
            Broken::Statement(Statement { number, doing: Doing::Commit, sql, elapsed: begun.elapsed(), cause })
        })?;
        self.attempt = Some(attempt);
        Ok(())
    }

    /// Checks what a step requires, and executes it.
    fn execute(&mut self, client: &mut impl GenericClient, number: usize, step: &Step) -> Result<Duration, Broken> {
        let begun = Instant::now();
        let broken = |doing, sql: &str, cause| {
            let (sql, elapsed) = (sql.to_owned(), begun.elapsed());
            Broken::Statement(Statement { number, doing, sql, elapsed, cause })
        };
        guard::of(client, number, step).map_err(|refused| match refused {
            Refused::Rows(error) => Broken::Other(error),
            Refused::Query(sql, cause) => broken(Doing::Guard, &sql, cause),
        })?;
        self.progress.step(number, self.plan.steps.len(), &step.sql);
        // What is shown and recorded is the statement without the values of its variables.
        let sql = secrets::resolve(&step.sql, &step.variables, self.variables).map_err(Error::Variables)?;
        client.batch_execute(&sql).map_err(|cause| broken(Doing::Step, &step.sql, cause))?;
        self.progress.done(number, begun.elapsed());
        Ok(begun.elapsed())
    }

    /// Records that a group is done; the last one only when the database has become what the plan says.
    fn settle(
        &self,
        transaction: &mut Transaction,
        attempt: Attempt,
        index: usize,
        live: &Fingerprint,
    ) -> Result<(), Broken> {
        let Plan { groups, current, desired, equivalent, .. } = self.plan;
        let elapsed = self.begun.elapsed();
        if index + 1 < groups.len() {
            let progress = progress(&current.objects, &live.objects);
            return Ok(self.ledger.advance(transaction, attempt, index + 1, &progress, elapsed)?);
        }
        let differences = differences(&desired.objects, &live.objects, equivalent);
        if !differences.is_empty() {
            let group = groups.get(index).copied().unwrap_or(Group { first: 0, count: 0, transaction: true });
            let stays = if group.transaction { group.first } else { group.first + group.count };
            let committed = committed(stays);
            return Err(Error::Mismatch { differences, rolled_back: group.transaction, committed }.into());
        }
        Ok(self.ledger.finish(transaction, attempt, &live.all, elapsed)?)
    }

    /// Says what failed, once it is recorded in a transaction of its own.
    fn failed(&mut self, client: &mut Client, group: Group, broken: Broken) -> Error {
        match broken {
            // Nothing can be recorded: the session, or the ledger, is not to be used.
            Broken::Other(error @ (Error::Pooled | Error::Ledger(_))) => error,
            Broken::Other(error) => {
                let _ = self.record(client, group, &error.to_string(), None);
                error
            }
            Broken::Statement(statement) => {
                let step = self.plan.steps.get(statement.number.saturating_sub(1));
                let mut failure = Failure {
                    doing: statement.doing,
                    number: statement.number,
                    of: self.plan.steps.len(),
                    sql: statement.sql,
                    secrets: step.map(|step| secrets::values(&step.variables, self.variables)).unwrap_or_default(),
                    asked_by: step.and_then(|step| step.source.clone()),
                    cause: statement.cause,
                    committed: committed(group.first),
                    unrecorded: None,
                };
                if failure.cause.is_closed() || client.is_closed() {
                    failure.committed = Committed::Unknown(group.first);
                    failure.unrecorded = Some("the connection is closed".to_owned());
                    return Error::Failed(Box::new(failure));
                }
                let recorded = self.record(client, group, &failure.message(), Some((&failure, statement.elapsed)));
                failure.unrecorded = recorded.err().map(|error| error.to_string());
                Error::Failed(Box::new(failure))
            }
        }
    }

    fn record(
        &mut self,
        client: &mut Client,
        group: Group,
        error: &str,
        failure: Option<(&Failure, Duration)>,
    ) -> Result<(), Error> {
        if !group.transaction {
            for step in gate::steps(self.plan, group) {
                // What stays now is dropped when the plan is resumed.
                let _ = clean(client, step);
            }
        }
        let unwrap = |broken| match broken {
            Broken::Other(error) => error,
            Broken::Statement(statement) => Error::postgres("record the failure")(statement.cause),
        };
        let (mut transaction, attempt) = self.transaction(client).map_err(unwrap)?;
        let mut message = error.to_owned();
        if let Some((failure, elapsed)) = failure {
            message = format!("step {}: {error}", failure.number);
            let sql = self.plan.steps.get(failure.number.saturating_sub(1)).map_or("", |step| &step.sql);
            let step = history::Step::begun(attempt, failure.number, sql);
            self.ledger.record(&mut transaction, attempt, &[step.failed(elapsed, failure.sqlstate(), error)])?;
        }
        self.ledger.fail(&mut transaction, attempt, &message, self.begun.elapsed())?;
        self.commit(transaction, attempt, group).map_err(unwrap)
    }
}

fn committed(steps: usize) -> Committed {
    if steps == 0 { Committed::Nothing } else { Committed::Steps(steps) }
}

/// The steps of a group with their numbers in the plan, from 1.
fn numbered<'a>(plan: &'a Plan, group: Group) -> impl Iterator<Item = (usize, &'a Step)> + use<'a> {
    gate::steps(plan, group).iter().enumerate().map(move |(at, step)| (group.first + at + 1, step))
}

fn pid(client: &mut impl GenericClient) -> Result<i32, Error> {
    let row = client.query_one("SELECT pg_catalog.pg_backend_pid()", &[]);
    Ok(row.map_err(Error::postgres("ask for the server process"))?.get(0))
}
