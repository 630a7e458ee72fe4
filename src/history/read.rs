//! Reads the ledger.

use std::collections::BTreeMap;

use postgres::{GenericClient, Row};

use super::{Entry, Error, Ledger, Outcome, Resumable, Revision, Step};
use crate::{
    catalog::Digest,
    plan::file::{Plan, Scope},
};

/// The columns of a revision without its plan, which may be large; times as text in UTC, whatever the session has.
const COLUMNS: &str = "r.number, r.id, r.parent, r.message, r.plan_id, r.outcome, r.error, r.fingerprint_before, \
    r.fingerprint_after, r.who, r.login, r.host, r.program_version, \
    pg_catalog.to_char(r.started AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS started, \
    pg_catalog.to_char(r.finished AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS finished, \
    r.duration_ms, r.attempts, r.groups_done, r.groups";

impl Ledger {
    /// The last revision that was applied completely.
    pub fn head(&self, client: &mut impl GenericClient) -> Result<Option<Revision>, Error> {
        let rows = self.revisions(client, "WHERE r.outcome = 'done' ORDER BY r.number DESC LIMIT 1", None)?;
        Ok(rows.first().map(revision))
    }

    /// Every revision, the last one first.
    pub fn list(&self, client: &mut impl GenericClient) -> Result<Vec<Revision>, Error> {
        let rows = self.revisions(client, "ORDER BY r.number DESC", None)?;
        Ok(rows.iter().map(revision).collect())
    }

    /// The revision whose id begins like this, with its plan and its steps; the last one where an id was used again.
    pub fn get(&self, client: &mut impl GenericClient, prefix: &str) -> Result<Entry, Error> {
        let begins = "WHERE pg_catalog.starts_with(r.id, $1) AND $1 <> '' ORDER BY r.number DESC";
        let found: Vec<Revision> = self.revisions(client, begins, Some(prefix))?.iter().map(revision).collect();
        let mut ids: Vec<String> = found.iter().map(|revision| revision.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > 1 && !ids.iter().any(|id| id == prefix) {
            return Err(Error::Ambiguous { prefix: prefix.to_owned(), ids });
        }
        let exact = found.iter().position(|revision| revision.id == prefix).unwrap_or_default();
        let revision = found.into_iter().nth(exact).ok_or_else(|| Error::Unknown(prefix.to_owned()))?;
        let plan = self.text(client, "plan::text", revision.number)?;
        let plan = Plan::from_json(&plan).map_err(|e| Error::Plan { id: revision.id.clone(), why: e.to_string() })?;
        Ok(Entry { steps: self.steps(client, revision.number)?, revision, plan })
    }

    /// What the last complete revision managed.
    pub fn scope(&self, client: &mut impl GenericClient) -> Result<Option<Scope>, Error> {
        let Some(head) = self.head(client)? else { return Ok(None) };
        let scope = self.text(client, "plan ->> 'scope'", head.number)?;
        serde_json::from_str(&scope).map(Some).map_err(|e| Error::Plan { id: head.id, why: e.to_string() })
    }

    /// How far the last attempt to apply a plan has come, where it was not completed.
    pub fn unfinished(&self, client: &mut impl GenericClient, plan: &Digest) -> Result<Option<Resumable>, Error> {
        let rows = self.revisions(client, "WHERE r.plan_id = $1 ORDER BY r.number DESC LIMIT 1", Some(&plan.0))?;
        let Some(revision) = rows.first().map(revision).filter(|revision| revision.outcome != Outcome::Done) else {
            return Ok(None);
        };
        let progress = self.text(client, "progress::text", revision.number)?;
        let progress: BTreeMap<String, Option<Digest>> =
            serde_json::from_str(&progress).map_err(|e| Error::Plan { id: revision.id.clone(), why: e.to_string() })?;
        let begun = self
            .steps(client, revision.number)?
            .pop()
            .filter(|step| step.outcome != Outcome::Done)
            .map(|step| step.number);
        Ok(Some(Resumable { revision, progress, begun }))
    }

    fn revisions(
        &self,
        client: &mut impl GenericClient,
        which: &str,
        parameter: Option<&str>,
    ) -> Result<Vec<Row>, Error> {
        if self.version(client)?.is_none() {
            return Ok(Vec::new());
        }
        let query = format!("SELECT {COLUMNS} FROM {} r {which}", self.table("revision"));
        let rows = match &parameter {
            Some(text) => client.query(&query, &[text]),
            None => client.query(&query, &[]),
        };
        rows.map_err(|source| self.failed("read", source))
    }

    fn text(&self, client: &mut impl GenericClient, expression: &str, number: i64) -> Result<String, Error> {
        let query = format!("SELECT {expression} FROM {} WHERE number = $1", self.table("revision"));
        let row = client.query_one(&query, &[&number]).map_err(|source| self.failed("read", source))?;
        Ok(row.get::<_, Option<String>>(0).unwrap_or_default())
    }

    fn steps(&self, client: &mut impl GenericClient, number: i64) -> Result<Vec<Step>, Error> {
        let query = format!(
            "SELECT attempt, number, statement, outcome, duration_ms, sqlstate, error FROM {} \
             WHERE revision = $1 ORDER BY attempt, number",
            self.table("step")
        );
        let rows = client.query(&query, &[&number]).map_err(|source| self.failed("read", source))?;
        Ok(rows.iter().map(step).collect())
    }
}

fn revision(row: &Row) -> Revision {
    Revision {
        number: row.get("number"),
        id: row.get("id"),
        parent: row.get("parent"),
        message: row.get("message"),
        plan_id: Digest(row.get("plan_id")),
        outcome: Outcome::from_name(row.get("outcome")),
        error: row.get("error"),
        fingerprint_before: Digest(row.get("fingerprint_before")),
        fingerprint_after: row.get::<_, Option<String>>("fingerprint_after").map(Digest),
        who: row.get("who"),
        login: row.get("login"),
        host: row.get("host"),
        program_version: row.get("program_version"),
        started: row.get("started"),
        finished: row.get("finished"),
        duration_ms: row.get("duration_ms"),
        attempts: row.get("attempts"),
        groups_done: row.get("groups_done"),
        groups: row.get("groups"),
    }
}

fn step(row: &Row) -> Step {
    Step {
        attempt: row.get("attempt"),
        number: row.get("number"),
        statement: row.get("statement"),
        outcome: Outcome::from_name(row.get("outcome")),
        duration_ms: row.get("duration_ms"),
        sqlstate: row.get("sqlstate"),
        error: row.get("error"),
    }
}
