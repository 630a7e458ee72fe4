//! Roles and the database itself, where they are managed: on servers of their own, since all databases of one share them.

mod attempts;
mod database;
mod roles;

use std::collections::BTreeMap;

use postgres::Client;
use reconcile::{
    apply::{self, Options},
    catalog::Digest,
    engine::{Engine, Scratch, Spec, Trust},
    history::Ledger,
    plan::{
        self, Manage, Request,
        file::{Plan, Source},
    },
    source,
};

use crate::{project::Project, server::settings};

/// A server with one database, to whose owner the program connects.
struct Place {
    database: Scratch,
    admin: Client,
    /// Ends last.
    _engine: Engine,
}

impl Place {
    /// The owner of the database is a superuser.
    fn new(major: u32) -> Self {
        Self::with(major, Trust::Full)
    }

    fn with(major: u32, trust: Trust) -> Self {
        let engine = Engine::start(&settings(major, trust), major, None).expect("a scratch server");
        let database = engine.database(&Spec { role: "keeper".to_owned(), ..Spec::default() }).unwrap();
        let admin = database.admin().unwrap();
        Self { database, admin, _engine: engine }
    }

    /// A project on the database that manages what stands beside its objects.
    fn project(&self) -> Project {
        Project::new().on(&self.database).config("manage: {roles: true, database: true}\n")
    }

    fn execute(&mut self, sql: &str) {
        self.admin.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// One value, as text.
    fn value(&mut self, sql: &str) -> String {
        self.admin.query_one(&format!("SELECT (SELECT {sql})::text"), &[]).unwrap().get(0)
    }

    /// Plans the way to a schema after the last revision, with a proof.
    fn plan(&self, scratch: &Engine, goal: &str) -> Result<Plan, String> {
        let source = source::read_text("schema.sql", goal).map_err(|error| error.to_string())?;
        let ledger = Ledger::new("reconcile");
        let mut client = self.database.connect().map_err(|error| error.to_string())?;
        let head = ledger.head(&mut client).map_err(|error| error.to_string())?.map(|revision| revision.id);
        let parent = head.zip(ledger.scope(&mut client).map_err(|error| error.to_string())?);
        let request = Request {
            target: &self.database.target(),
            source: &source,
            origin: Source { paths: vec![], sha256: Digest::of(""), commit: None },
            engine: scratch,
            manage: &Manage { all: true, roles: true, database: true, ..Manage::default() },
            ledger: "reconcile",
            parent,
            message: None,
            prove: true,
            variables: &BTreeMap::new(),
        };
        plan::make(&request).map(|made| made.plan).map_err(|error| format!("plan: {error}"))
    }

    /// Plans the way to a schema, and goes it.
    fn apply(&self, scratch: &Engine, goal: &str) -> Result<Plan, String> {
        let plan = self.plan(scratch, goal)?;
        let options = Options { allow_loss: ["all".to_owned()].into(), ..Options::default() };
        apply::apply(&self.database.target(), &plan, &options, &mut ()).map_err(|error| format!("apply: {error}"))?;
        Ok(plan)
    }

    /// The state of another server on which a file was executed as it stands, once its words are names.
    fn by_hand(&mut self, major: u32, schema: &str) -> BTreeMap<&'static str, Vec<String>> {
        let mut other = Self::new(major);
        other.execute(AROUND);
        let schema = schema.replace("CURRENT_DATABASE", other.database.name()).replace(" GRANTED BY CURRENT_USER", "");
        let mut client = other.database.connect().unwrap();
        // What is named before it is there comes later.
        let mut left: Vec<&str> = schema.split_inclusive(";\n").collect();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|sql| client.batch_execute(sql).is_err());
            assert!(left.len() < before, "{left:?}");
        }
        other.state()
    }

    /// Everything that PostgreSQL's catalogs say about roles and the database, with names in the place of numbers.
    fn state(&mut self) -> BTreeMap<&'static str, Vec<String>> {
        let major: i32 = self.value("current_setting('server_version_num')::int / 10000").parse().unwrap();
        let options = if major >= 16 { "inherit_option, set_option" } else { "true, true" };
        let memberships = format!(
            "SELECT concat_ws(' ', roleid::regrole, member::regrole, admin_option, {options}) FROM pg_auth_members
            WHERE roleid >= 16384 OR member >= 16384"
        );
        let queries = [
            (
                "roles",
                "SELECT concat_ws(' ', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
                    rolbypassrls, rolconnlimit, nullif(rolvaliduntil, 'infinity')) FROM pg_roles WHERE rolname !~ '^pg_'",
            ),
            ("memberships", memberships.as_str()),
            (
                "settings",
                "SELECT concat_ws(' ', setdatabase <> 0, setrole::regrole, (SELECT array_agg(c ORDER BY c) FROM unnest(setconfig) c))
                FROM pg_db_role_setting",
            ),
            (
                "database",
                "SELECT concat_ws(' ', datdba::regrole, datconnlimit, datistemplate, (SELECT array_agg(a::text ORDER BY a::text)
                    FROM unnest(coalesce(datacl, acldefault('d', datdba))) a))
                FROM pg_database WHERE datname = current_database()",
            ),
            (
                "comments",
                "SELECT concat_ws(' ', classoid::regclass, CASE classoid WHEN 'pg_authid'::regclass THEN objoid::regrole::text END,
                    description) FROM pg_shdescription WHERE objoid >= 16384",
            ),
        ];
        let rows = queries.map(|(name, query)| {
            let mut rows: Vec<String> = self.admin.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect();
            rows.sort_unstable();
            (name, rows)
        });
        rows.into()
    }
}

/// What is there before any file is: a role of somebody's, which is a member of another.
const AROUND: &str = "CREATE ROLE outsider; CREATE ROLE unsaid SUPERUSER; GRANT unsaid TO outsider";

/// Migrates a server from one schema to another, and checks everything that can be checked; returns the second plan.
///
/// The first schema is applied as well, so that the second plan knows which roles are its to drop.
pub fn migrate(major: u32, start: &str, goal: &str) -> Result<Plan, String> {
    let mut place = Place::new(major);
    place.execute(AROUND);
    let scratch = Engine::start(&settings(major, Trust::Restricted), major, None).map_err(|error| error.to_string())?;
    place.apply(&scratch, start)?;
    let plan = place.apply(&scratch, goal)?;
    let steps: Vec<&str> = plan.steps.iter().map(|step| step.sql.as_str()).collect();
    let again = place.plan(&scratch, goal)?;
    if !again.is_empty() {
        return Err(format!(
            "the second plan is not empty:\n    {:?}\n  after\n    {}",
            again.steps,
            steps.join("\n    ")
        ));
    }
    let (outcome, by_hand) = (place.state(), place.by_hand(major, goal));
    if outcome == by_hand {
        Ok(plan)
    } else {
        Err(format!("{outcome:#?}\n  instead of\n{by_hand:#?}\n  after\n    {}", steps.join("\n    ")))
    }
}

/// Applies a schema, and sees to it that it holds: another plan is empty, and what `inspect` prints is the same state.
fn becomes(project: &Project, schema: &str) -> String {
    project.write("schema.sql", schema);
    let run = project.run(["apply", "--yes", "--allow-loss", "all"]).code(0);
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    let inspected = project.run(["inspect"]).code(0).stdout();
    project.write("inspected.sql", &inspected);
    project.run(["plan", "--schema", "inspected.sql"]).code(0).stdout_has("Nothing to do");
    run.stdout()
}
