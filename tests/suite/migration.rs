//! One migration from end to end: load, plan with proof, execute, read back by both readers, plan again.

use std::collections::BTreeMap;

use postgres::Client;
use reconcile::{
    apply::{self, Options, Outcome},
    catalog::Digest,
    engine::{Engine, Scratch, Spec},
    plan::{
        self, Manage, Request, describe,
        file::{Plan, Roles, Source, Step},
    },
    source,
};

use crate::{
    dump,
    server::{server, trusting_server},
    survival::Rows,
};

/// A database, what is in it, and what it is to become.
pub struct Migration<'a> {
    /// The server for everything.
    pub engine: &'a Engine,
    /// Superuser is lent to roles, so no two workers may share one.
    pub worker: usize,
    /// The schema from which the migration starts.
    pub start: String,
    /// Statements that put rows into it.
    pub rows: String,
    /// The schema that it is to become.
    pub goal: String,
}

/// What a migration starts from, where it goes, and the rows in between.
pub struct Texts {
    pub start: String,
    pub goal: String,
    pub rows: String,
}

impl Texts {
    /// Migrates on the shared cluster of a version, for a worker that is a superuser or is not.
    pub fn migrate(self, major: u32, superuser: bool, worker: usize) -> Result<Plan, String> {
        let engine = if superuser { trusting_server(major) } else { server(major) };
        let Self { start, goal, rows } = self;
        Migration { engine, worker, start, rows, goal }.run()
    }
}

impl Migration<'_> {
    /// Migrates, and checks everything that can be checked; returns the plan.
    pub fn run(&self) -> Result<Plan, String> {
        let database = self.load(&self.start)?;
        let mut client = database.connect().map_err(|error| error.to_string())?;
        client.batch_execute(&self.rows).map_err(|error| format!("rows: {}", describe(&error)))?;
        drop(client);
        let counters = counters(&database)?;
        let rows = Rows::read(&mut admin(&database)?)?;
        let plan = self.plan(&database).map_err(|error| format!("plan: {error}"))?;
        let steps: Vec<String> = plan.steps.iter().map(|step| step.sql.clone()).collect();
        let within = |error: String| format!("{error}\n  in the plan\n    {}", steps.join("\n    "));
        // A base type and its functions can only go together, and the step names them. Rights that somebody passed on go
        // only with those that they came from, and come from the owner where they stay.
        let cascades = |step: &&Step| {
            !step.destroys.is_empty() && step.sql.ends_with(" CASCADE") && !step.sql.starts_with("REVOKE ")
        };
        let in_silence = |step: &&Step| !step.sql.starts_with("DROP TYPE ") || step.destroys.len() < 2;
        if let Some(step) = plan.steps.iter().filter(cascades).find(in_silence) {
            return Err(within(format!("{} destroys more than it says: {:?}", step.sql, step.destroys)));
        }
        execute(&database, &plan).map_err(|error| within(format!("apply: {error}")))?;
        let lost = rows.lost(&Rows::read(&mut admin(&database)?)?, &plan);
        if !lost.is_empty() {
            return Err(within(format!("rows were lost:\n    {}", lost.join("\n    "))));
        }
        let again = self.plan(&database).map_err(|error| within(format!("second plan: {error}")))?;
        if !again.is_empty() {
            let remaining: Vec<_> = again.steps.iter().map(|step| step.sql.as_str()).collect();
            return Err(within(format!("the second plan is not empty:\n    {}", remaining.join("\n    "))));
        }
        forget(&database)?;
        let counters_after = self::counters(&database)?;
        for (column, (bounds, before)) in &counters {
            // What starts anew within other bounds is allowed to.
            if let Some((_, after)) = counters_after.get(column).filter(|(after, _)| after == bounds)
                && after != before
            {
                return Err(within(format!("the counter of {column} stands at {after:?}, not at {before:?}")));
            }
        }
        self.compare_dumps(&database).map_err(within)?;
        Ok(plan)
    }

    /// Plans, with a proof, and leaves it at that.
    pub fn plan_only(&self) -> Result<Plan, String> {
        self.plan(&self.load(&self.start)?)
    }

    fn spec(&self) -> Spec {
        Spec {
            role: role(self.worker),
            roles: vec!["app_reader".to_owned(), "app_writer".to_owned()],
            tablespaces: vec!["app_fast".to_owned()],
            ..Spec::default()
        }
    }

    fn load(&self, text: &str) -> Result<Scratch, String> {
        let database = self.engine.database(&self.spec()).map_err(|error| error.to_string())?;
        let sql = source::read_text("schema.sql", text).map_err(|error| error.to_string())?;
        let mut client = database.connect().map_err(|error| error.to_string())?;
        let mut lender = database.lender().map_err(|error| error.to_string())?;
        let session = source::Session {
            client: &mut client,
            lender: lender.as_mut().map(|it| it as &mut dyn source::Lender),
            beyond: source::Beyond::Run,
        };
        source::load(&sql, session).map_err(|error| error.to_string())?;
        Ok(database)
    }

    fn plan(&self, database: &Scratch) -> Result<Plan, String> {
        let source = source::read_text("schema.sql", &self.goal).map_err(|error| error.to_string())?;
        let manage = Manage { all: true, privileges: Some(declared()), owners: Some(declared()), ..Manage::default() };
        let request = Request {
            target: &database.target(),
            source: &source,
            origin: Source { paths: vec![], sha256: Digest::of(""), commit: None },
            engine: self.engine,
            manage: &manage,
            ledger: "reconcile",
            parent: None,
            message: None,
            prove: true,
            variables: &variables(),
        };
        plan::make(&request).map(|made| made.plan).map_err(|error| error.to_string())
    }

    /// What pg_dump says of the outcome must be what it says of a fresh load.
    fn compare_dumps(&self, outcome: &Scratch) -> Result<(), String> {
        if !dump::can_dump(self.engine.major()) {
            return Ok(());
        }
        let fresh = self.load(&self.goal)?;
        let hide = |dump: String, (name, value): (&str, &str)| dump.replace(value, &format!("${{{name}}}"));
        let (outcome, fresh) = (VARIABLES.into_iter().fold(dump::dump(outcome), hide), dump::dump(&fresh));
        if dump::normalised(&outcome) == dump::normalised(&fresh) {
            return Ok(());
        }
        // PostgreSQL's deparsed text is not a fixed point: both may be equal after another load.
        let again = |text: &str| -> Result<Vec<String>, String> {
            let database = self.engine.database(&self.spec()).map_err(|error| error.to_string())?;
            // What a newer pg_dump says to servers that do not know it, and what does not matter.
            let foreign = |line: &&str| {
                let logged = self.engine.major() < 15 && ["LOGGED", "UNLOGGED"].contains(&line.trim());
                // Who granted a right makes no difference, and may not be allowed to use the schema.
                let grantor = line.contains("SET SESSION AUTHORIZATION");
                line.starts_with('\\') || line.starts_with("SET transaction_timeout") || logged || grantor
            };
            let sql: Vec<&str> = text.lines().filter(|line| !foreign(line)).collect();
            let mut sql = sql.join("\n");
            if self.engine.major() < 16 {
                sql = sql.replace(", run_as_owner = true", "");
            }
            let mut client = admin(&database)?;
            client.batch_execute(&sql).map_err(|error| format!("restore: {}", describe(&error)))?;
            Ok(dump::normalised(&dump::dump(&database)))
        };
        let (outcome, fresh) = (again(&outcome)?, again(&fresh)?);
        let difference = dump::difference(&outcome, &fresh);
        if outcome == fresh { Ok(()) } else { Err(format!("pg_dump differs from a fresh load:\n{difference}")) }
    }
}

/// The role that owns a worker's databases.
pub fn role(worker: usize) -> String {
    format!("owner_{worker}")
}

/// Where the sequences of columns stand, serial or identity, with their bounds and increments.
type Counters = BTreeMap<String, ((i64, i64, i64), Option<i64>)>;

fn counters(database: &Scratch) -> Result<Counters, String> {
    let mut client = admin(database)?;
    let sql = "SELECT d.refobjid::regclass || '.' || a.attname, s.seqmin, s.seqmax, s.seqincrement,
            pg_catalog.pg_sequence_last_value(s.seqrelid)
        FROM pg_sequence s JOIN pg_depend d ON d.objid = s.seqrelid AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
            JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid";
    let rows = client.query(sql, &[]).map_err(|error| describe(&error))?;
    Ok(rows.iter().map(|row| (row.get(0), ((row.get(1), row.get(2), row.get(3)), row.get(4)))).collect())
}

fn admin(database: &Scratch) -> Result<Client, String> {
    database.admin().map_err(|error| error.to_string())
}

fn declared() -> Roles {
    Roles::Declared(["", "app_reader", "app_writer", "app_admin"].into_iter().map(str::to_owned).collect())
}

/// The environment of every migration; where what it holds can be seen, the variable stands in its place.
const VARIABLES: [(&str, &str); 2] = [("ONE", "first secret"), ("TWO", "second secret")];

fn variables() -> BTreeMap<String, String> {
    VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn execute(database: &Scratch, plan: &Plan) -> Result<(), String> {
    let options = Options { allow_loss: ["all".to_owned()].into(), variables: variables(), ..Options::default() };
    let outcome = apply::apply(&database.target(), plan, &options, &mut ()).map_err(|error| error.to_string())?;
    if plan.is_empty() == (outcome == Outcome::Nothing) { Ok(()) } else { Err(format!("{outcome:?}")) }
}

/// Takes the ledger away, which a fresh load does not have.
fn forget(database: &Scratch) -> Result<(), String> {
    let mut client = database.connect().map_err(|error| error.to_string())?;
    client.batch_execute("DROP SCHEMA IF EXISTS reconcile CASCADE").map_err(|error| describe(&error))
}
