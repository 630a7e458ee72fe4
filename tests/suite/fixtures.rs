//! Every fixture, migrated in both directions on every major version, with rows in the tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reconcile::plan::file::Plan;

use crate::{
    coverage::Seen,
    migration::{self, Migration},
    plan_snap::PlanSnap,
    rebuilds::{self, Listed, Rebuilds},
    server::{majors, server, trusting_server},
};

/// One fixture, in one direction.
struct Case {
    name: String,
    /// The fixture, and in how many directions it can be migrated.
    fixture: String,
    directions: usize,
    snapshot: PlanSnap,
    rebuilds: Vec<Listed>,
    /// The tables that this direction rewrites, where the fixture says so.
    rewrites: Option<BTreeSet<String>>,
    start: PathBuf,
    goal: PathBuf,
    rows: Option<PathBuf>,
    majors: RangeInclusive<u32>,
    /// Whether the owner of the databases is a superuser.
    superuser: bool,
    /// Whether roles and the database itself are managed, on servers of their own.
    beside: bool,
    /// What the refusal must say, where the direction is to be refused.
    refusal: Option<String>,
}

fn cases() -> Vec<Case> {
    let filter = std::env::var("FIXTURES").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases = Vec::new();
    for kind in folders(&root) {
        for case in folders(&kind) {
            let name = case.strip_prefix(&root).unwrap().display().to_string();
            let before = std::fs::read_to_string(case.join("before.sql")).unwrap();
            let directives: Vec<&str> = before.lines().filter_map(|line| line.strip_prefix("-- ")).collect();
            let one_way = directives.iter().any(|line| line.starts_with("one-way"));
            let refusal = std::fs::read_to_string(case.join("refuse.txt")).ok().map(|text| text.trim().to_owned());
            let rows = |side: &str| {
                let of_side = case.join(format!("rows.{side}.sql"));
                [of_side, case.join("rows.sql")].into_iter().find(|path| path.exists())
            };
            let back = !one_way && refusal.is_none();
            let majors = directives.iter().find_map(|line| line.strip_prefix("majors: "));
            let majors = majors.and_then(|text| text.split_whitespace().next()).map_or(0..=u32::MAX, limits);
            let mut add = |arrow: &str, start: &str, goal: &str, refusal: Option<String>| {
                cases.push(Case {
                    name: format!("{name} {arrow}"),
                    fixture: name.clone(),
                    directions: 1 + usize::from(back),
                    snapshot: PlanSnap::of(&case, start == "after"),
                    rebuilds: rebuilds::listed(&directives),
                    rewrites: rewrites(&directives).filter(|_| start == "before"),
                    start: case.join(format!("{start}.sql")),
                    goal: case.join(format!("{goal}.sql")),
                    rows: rows(start),
                    majors: majors.clone(),
                    superuser: directives.iter().any(|line| line.starts_with("superuser")),
                    beside: directives.iter().any(|line| line.starts_with("beside")),
                    refusal,
                });
            };
            add("→", "before", "after", refusal);
            if back {
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

/// The tables of `-- rewrites app.a, app.b: why`, or of `-- rewrites nothing: why`.
fn rewrites(directives: &[&str]) -> Option<BTreeSet<String>> {
    let text = directives.iter().find_map(|line| line.strip_prefix("rewrites "))?.split(": ").next().unwrap();
    Some(text.split(", ").filter(|table| *table != "nothing").map(str::to_owned).collect())
}

/// The first and the last major version of `15+`, `<18` or `17`.
pub fn limits(text: &str) -> RangeInclusive<u32> {
    match (text.strip_suffix('+'), text.strip_prefix('<')) {
        (Some(first), _) => first.parse().unwrap()..=u32::MAX,
        (_, Some(limit)) => 0..=limit.parse::<u32>().unwrap() - 1,
        _ => text.parse().map(|only| only..=only).unwrap(),
    }
}

/// What is told of all fixtures together.
#[derive(Default)]
struct Told {
    seen: Seen,
    rebuilds: Rebuilds,
}

fn run(case: &Case, major: u32, worker: usize, told: &Told) -> Result<(), String> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let outcome = if case.beside {
        crate::beside::migrate(major, &read(&case.start), &read(&case.goal))
    } else {
        let migration = Migration {
            engine: if case.superuser { trusting_server(major) } else { server(major) },
            worker,
            start: read(&case.start),
            rows: case.rows.as_deref().map(read).unwrap_or_default(),
            goal: read(&case.goal),
        };
        migration.run()
    };
    match (&case.refusal, outcome) {
        (None, Ok(plan)) if plan.is_empty() => Err("nothing was planned".to_owned()),
        (None, Ok(plan)) => check(case, major, worker, &plan, told),
        (None, Err(error)) => Err(error),
        (Some(expected), Err(error)) if error.contains(expected) => Ok(()),
        (Some(expected), Err(error)) => Err(format!("it was to be refused with {expected:?}, but: {error}")),
        (Some(expected), Ok(_)) => Err(format!("it was to be refused with {expected:?}")),
    }
}

/// Looks at a plan that worked.
fn check(case: &Case, major: u32, worker: usize, plan: &Plan, told: &Told) -> Result<(), String> {
    // Names that differ from run to run.
    let (role, database) = (migration::role(worker), &plan.target.database);
    let named = |sql: &str| sql.replace(&role, "owner").replace(database, "shop");
    let steps: Vec<String> = plan.steps.iter().map(|step| named(&step.sql)).collect();
    if std::env::var_os("SHOW").is_some() {
        println!("{} on {major}\n    {}", case.name, steps.join("\n    "));
    }
    if major == PlanSnap::major(&case.majors) {
        case.snapshot.compare(&steps)?;
    }
    let rewritten: BTreeSet<String> = plan.steps.iter().flat_map(|step| &step.observed.rewrites).cloned().collect();
    if case.rewrites.as_ref().is_some_and(|expected| *expected != rewritten) {
        return Err(format!("it rewrites {rewritten:?}"));
    }
    told.rebuilds.check(&case.fixture, major, plan, &case.rebuilds)?;
    told.seen.add(major, plan);
    Ok(())
}

/// The versions on which a direction runs: those of `MAJORS`; without it the newest, and for every fifth direction one of the
/// others in turn, so that all of them see every kind; what has a snapshot also runs on the version that is compared with it.
fn chosen_majors(number: usize, case: &Case) -> Vec<u32> {
    if std::env::var_os("MAJORS").is_some() {
        return majors();
    }
    let others = [14, 15, 16, 17];
    let mut chosen = vec![18];
    if number.is_multiple_of(5) {
        chosen.push(others[(number / 5) % others.len()]);
    }
    let compared = PlanSnap::major(&case.majors);
    if case.snapshot.exists() && !chosen.contains(&compared) {
        chosen.push(compared);
    }
    chosen
}

/// The directions that are known not to work yet, one a line in `fixtures/pending.txt`.
fn pending() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/pending.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_fixture_migrates_in_both_directions() {
    let (cases, pending) = (cases(), pending());
    let mut work: Vec<(u32, &Case)> = cases
        .iter()
        .enumerate()
        .flat_map(|(number, case)| chosen_majors(number, case).into_iter().map(move |major| (major, case)))
        .filter(|(major, case)| case.majors.contains(major))
        .collect();
    work.sort_by_key(|(major, _)| *major);
    assert!(!work.is_empty(), "no fixture was chosen");
    let next = AtomicUsize::new(0);
    let failures: Mutex<BTreeMap<String, String>> = Mutex::default();
    let passed: Mutex<BTreeSet<String>> = Mutex::default();
    let told = Told::default();
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let (work, next, failures, passed, told) = (&work, &next, &failures, &passed, &told);
            scope.spawn(move || {
                while let Some((major, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Err(error) = run(case, *major, worker, told) else {
                        println!("{} on {major}: ok", case.name);
                        passed.lock().unwrap().insert(case.name.clone());
                        continue;
                    };
                    println!("{} on {major}\n  {error}", case.name);
                    failures.lock().unwrap().insert(case.name.clone(), error);
                }
            });
        }
    });
    let (failures, passed) = (failures.into_inner().unwrap(), passed.into_inner().unwrap());
    let mut report: Vec<String> = failures
        .iter()
        .filter(|(name, _)| !pending.contains(*name))
        .map(|(name, error)| format!("{name}\n  {error}"))
        .collect();
    let stale = |case: &Case| told.rebuilds.stale(&case.fixture, case.directions, &case.rebuilds);
    report.extend(cases.iter().filter(|case| case.name.ends_with('→')).flat_map(stale));
    for name in pending.iter().filter(|name| passed.contains(*name) && !failures.contains_key(*name)) {
        println!("{name} works by now: it can be taken out of fixtures/pending.txt");
    }
    assert!(report.is_empty(), "{} of {} failed:\n{}", report.len(), work.len(), report.join("\n"));
    if std::env::var_os("FIXTURES").is_none() {
        // Where versions take turns, not everything is seen.
        let whole = if std::env::var_os("MAJORS").is_some() { majors() } else { vec![18] };
        told.seen.check(&whole);
    }
}
