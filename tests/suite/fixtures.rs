//! Every fixture, migrated in both directions on every major version, with rows in the tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reconcile::{
    catalog::Digest,
    engine::{Engine, Scratch, Spec},
    plan::{
        self, Made, Manage, Request, describe,
        file::{Plan, Roles, Source},
    },
    source,
};

use crate::{
    dump,
    server::{majors, server},
};

/// One fixture, in one direction.
struct Case {
    name: String,
    start: PathBuf,
    goal: PathBuf,
    rows: Option<PathBuf>,
    majors: (u32, u32),
    superuser: bool,
    /// What the refusal must say, where the direction is to be refused.
    refusal: Option<String>,
}

fn cases() -> Vec<Case> {
    let filter = std::env::var("FIXTURES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases = Vec::new();
    for kind in folders(&root) {
        for case in folders(&kind).into_iter().filter(|case| case.join("after.sql").exists()) {
            let name = case.strip_prefix(&root).unwrap().display().to_string();
            let before = std::fs::read_to_string(case.join("before.sql")).unwrap();
            let directives: Vec<&str> = before.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
            let one_way = directives.iter().any(|line| line.starts_with("one-way"));
            let refusal = std::fs::read_to_string(case.join("refuse.txt")).ok().map(|text| text.trim().to_owned());
            let rows = |side: &str| {
                let of_side = case.join(format!("rows.{side}.sql"));
                [of_side, case.join("rows.sql")].into_iter().find(|path| path.exists())
            };
            let mut add = |arrow: &str, start: &str, goal: &str, refusal: Option<String>| {
                cases.push(Case {
                    name: format!("{name} {arrow}"),
                    start: case.join(format!("{start}.sql")),
                    goal: case.join(format!("{goal}.sql")),
                    rows: rows(start),
                    majors: limits(&directives),
                    superuser: directives.iter().any(|line| line.starts_with("superuser")),
                    refusal,
                });
            };
            let refused = refusal.is_some();
            add("→", "before", "after", refusal);
            if !one_way && !refused {
                add("←", "after", "before", None);
            }
        }
    }
    cases.retain(|case| filter.split(',').any(|part| case.name.contains(part)));
    cases
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The first and the last major version of `-- majors: 15+` or `-- majors: <18`.
fn limits(directives: &[&str]) -> (u32, u32) {
    let Some(text) = directives.iter().find_map(|line| line.strip_prefix("majors: ")) else { return (0, u32::MAX) };
    let text = text.split_whitespace().next().unwrap();
    match (text.strip_suffix('+'), text.strip_prefix('<')) {
        (Some(first), _) => (first.parse().unwrap(), u32::MAX),
        (_, Some(limit)) => (0, limit.parse::<u32>().unwrap() - 1),
        _ => text.parse().map(|only| (only, only)).unwrap(),
    }
}

/// The owner of a worker's databases: superuser is lent to roles, so no two workers may share one.
fn spec(worker: usize) -> Spec {
    Spec {
        role: format!("owner_{worker}"),
        roles: vec!["app_reader".to_owned(), "app_writer".to_owned()],
        ..Spec::default()
    }
}

fn load(engine: &Engine, worker: usize, path: &Path, rows: Option<&Path>, superuser: bool) -> Result<Scratch, String> {
    let database = engine.database(&spec(worker)).map_err(|error| error.to_string())?;
    let sql = source::read(&[path.to_owned()]).map_err(|error| error.to_string())?;
    let mut client = database.connect().map_err(|error| error.to_string())?;
    let mut lender = database.lender().map_err(|error| error.to_string())?;
    let session = source::Session {
        client: &mut client,
        lender: lender.as_mut().map(|it| it as &mut dyn source::Lender),
        beyond: source::Beyond::Run,
    };
    source::load(&sql, session).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(rows) = rows {
        let text = std::fs::read_to_string(rows).unwrap();
        client.batch_execute(&text).map_err(|error| format!("{}: {}", rows.display(), describe(&error)))?;
    }
    let _ = superuser;
    Ok(database)
}

fn plan(engine: &Engine, database: &Scratch, goal: &Path) -> Result<Made, String> {
    let source = source::read(&[goal.to_owned()]).map_err(|error| error.to_string())?;
    let manage = Manage { all: true, privileges: Some(declared()), owners: Some(declared()), ..Manage::default() };
    let request = Request {
        target: &database.target(),
        source: &source,
        origin: Source { paths: vec![], sha256: Digest::of(""), commit: None },
        engine,
        manage: &manage,
        ledger: "reconcile",
        parent: None,
        message: None,
        prove: true,
    };
    plan::make(&request).map_err(|error| error.to_string())
}

fn declared() -> Roles {
    Roles::Declared(["", "app_reader", "app_writer"].into_iter().map(str::to_owned).collect())
}

fn execute(database: &Scratch, plan: &Plan) -> Result<(), String> {
    let mut client = database.connect().map_err(|error| error.to_string())?;
    client.batch_execute(plan::SETTINGS).map_err(|error| describe(&error))?;
    for group in &plan.groups {
        let mut sql: Vec<&str> =
            plan.steps[group.first..group.first + group.count].iter().map(|step| step.sql.as_str()).collect();
        if group.transaction {
            sql.insert(0, "BEGIN");
            sql.push("COMMIT");
        }
        for statement in sql {
            client.batch_execute(statement).map_err(|error| format!("{statement}: {}", describe(&error)))?;
        }
    }
    Ok(())
}

fn run(case: &Case, major: u32, worker: usize) -> Result<(), String> {
    let engine = server(major);
    let database = load(engine, worker, &case.start, case.rows.as_deref(), case.superuser)?;
    let made = plan(engine, &database, &case.goal).map_err(|error| format!("plan: {error}"))?;
    let steps = || made.plan.steps.iter().map(|step| format!("    {}", step.sql)).collect::<Vec<_>>().join("\n");
    if made.plan.steps.is_empty() {
        return Err("nothing was planned".to_owned());
    }
    if std::env::var_os("SHOW").is_some() {
        let proof = &made.plan.proof;
        println!("{} on {major}\n{}\n    rows {:?}, without {:?}", case.name, steps(), proof.rows, proof.without_rows);
    }
    if let Err(error) = execute(&database, &made.plan) {
        return match &case.refusal {
            Some(expected) if error.contains(expected) => Ok(()),
            _ => Err(format!("apply: {error}\n{}", steps())),
        };
    }
    if let Some(expected) = &case.refusal {
        return Err(format!("it was to be refused with: {expected}\n{}", steps()));
    }
    let again = plan(engine, &database, &case.goal).map_err(|error| format!("second plan: {error}"))?;
    if !again.plan.steps.is_empty() {
        let remaining: Vec<_> = again.plan.steps.iter().map(|step| step.sql.as_str()).collect();
        return Err(format!("the second plan is not empty: {remaining:#?}\nafter\n{}", steps()));
    }
    compare_dumps(case, engine, worker, &database).map_err(|error| format!("{error}\nafter\n{}", steps()))
}

/// What pg_dump says of the outcome must be what it says of a fresh load.
fn compare_dumps(case: &Case, engine: &Engine, worker: usize, outcome: &Scratch) -> Result<(), String> {
    if !dump::can_dump(engine.major()) {
        return Ok(());
    }
    let fresh = load(engine, worker, &case.goal, None, case.superuser)?;
    let (outcome, fresh) = (dump::dump(outcome), dump::dump(&fresh));
    if dump::normalised(&outcome) == dump::normalised(&fresh) {
        return Ok(());
    }
    // PostgreSQL's deparsed text is not a fixed point: both may be equal after another load.
    let again = |text: &str| -> Result<Vec<String>, String> {
        let database = engine.database(&spec(worker)).map_err(|error| error.to_string())?;
        let foreign = |line: &&str| line.starts_with('\\') || line.starts_with("SET transaction_timeout");
        let sql: Vec<&str> = text.lines().filter(|line| !foreign(line)).collect();
        let mut client = database.admin().map_err(|error| error.to_string())?;
        client.batch_execute(&sql.join("\n")).map_err(|error| format!("restore: {}", describe(&error)))?;
        Ok(dump::normalised(&dump::dump(&database)))
    };
    let (outcome, fresh) = (again(&outcome)?, again(&fresh)?);
    let difference = dump::difference(&outcome, &fresh);
    if outcome == fresh { Ok(()) } else { Err(format!("pg_dump differs from a fresh load:\n{difference}")) }
}

#[test]
fn every_fixture_migrates_in_both_directions() {
    let cases = cases();
    let work: Vec<(u32, &Case)> = majors()
        .into_iter()
        .flat_map(|major| cases.iter().map(move |case| (major, case)))
        .filter(|(major, case)| (case.majors.0..=case.majors.1).contains(major))
        .collect();
    assert!(!work.is_empty(), "no fixture was chosen");
    let next = AtomicUsize::new(0);
    let failures: Mutex<BTreeMap<String, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (work, next, failures) = (&work, &next, &failures);
            scope.spawn(move || {
                while let Some((major, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = run(case, *major, worker) {
                        failures.lock().unwrap().insert(format!("{} on {major}", case.name), error);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let report: Vec<String> = failures.iter().map(|(name, error)| format!("{name}\n  {error}")).collect();
    assert!(report.is_empty(), "{} of {} failed:\n{}", report.len(), work.len(), report.join("\n"));
}
