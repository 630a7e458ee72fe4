//! Every fixture, migrated in both directions on every major version, with rows in the tables.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    coverage::Seen,
    migration::Migration,
    server::{majors, server, trusting_server},
};

/// One fixture, in one direction.
struct Case {
    name: String,
    start: PathBuf,
    goal: PathBuf,
    rows: Option<PathBuf>,
    majors: (u32, u32),
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
            let mut add = |arrow: &str, start: &str, goal: &str, refusal: Option<String>| {
                cases.push(Case {
                    name: format!("{name} {arrow}"),
                    start: case.join(format!("{start}.sql")),
                    goal: case.join(format!("{goal}.sql")),
                    rows: rows(start),
                    majors: limits(&directives),
                    superuser: directives.iter().any(|line| line.starts_with("superuser")),
                    beside: directives.iter().any(|line| line.starts_with("beside")),
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

fn run(case: &Case, major: u32, worker: usize, seen: &Seen) -> Result<(), String> {
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
        (None, Ok(plan)) => {
            let steps: Vec<&str> = plan.steps.iter().map(|step| step.sql.as_str()).collect();
            let snapshot = case.start.with_file_name("plan.snap");
            // Other versions deparse views in other words.
            let snapped = major == 15 && case.start.ends_with("before.sql");
            let found = format!("{}\n", steps.join(";\n"));
            if snapped && std::env::var_os("SNAPSHOT").is_some() {
                std::fs::write(&snapshot, &found).unwrap();
            }
            if snapped && snapshot.exists() {
                let expected = read(&snapshot);
                if found != expected {
                    return Err(format!("the plan is not that of plan.snap:\n{found}"));
                }
            }
            if std::env::var_os("SHOW").is_some() {
                println!("{} on {major}\n    {}", case.name, steps.join("\n    "));
            }
            seen.add(major, &plan);
            Ok(())
        }
        (None, Err(error)) => Err(error),
        (Some(expected), Err(error)) if error.contains(expected) => Ok(()),
        (Some(expected), Err(error)) => Err(format!("it was to be refused with {expected:?}, but: {error}")),
        (Some(expected), Ok(_)) => Err(format!("it was to be refused with {expected:?}")),
    }
}

/// The versions on which a direction runs: those of `MAJORS`; without it the newest, and for every other direction one of the
/// others in turn, so that all of them see every kind; what has a snapshot also runs on the version that is compared with it.
fn chosen_majors(number: usize, case: &Case) -> Vec<u32> {
    if std::env::var_os("MAJORS").is_some() {
        return majors();
    }
    let others = [14, 15, 16, 17];
    let (pair, backward) = (number / 2, number % 2);
    let mut chosen = vec![18];
    if (pair / others.len()) % 2 == backward {
        chosen.push(others[pair % others.len()]);
    }
    if case.start.ends_with("before.sql") && case.start.with_file_name("plan.snap").exists() && !chosen.contains(&15) {
        chosen.push(15);
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
        .filter(|(major, case)| (case.majors.0..=case.majors.1).contains(major))
        .collect();
    work.sort_by_key(|(major, _)| *major);
    assert!(!work.is_empty(), "no fixture was chosen");
    let next = AtomicUsize::new(0);
    let failures: Mutex<BTreeMap<String, String>> = Mutex::default();
    let passed: Mutex<BTreeSet<String>> = Mutex::default();
    let seen = Seen::default();
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let (work, next, failures, passed, seen) = (&work, &next, &failures, &passed, &seen);
            scope.spawn(move || {
                while let Some((major, case)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Err(error) = run(case, *major, worker, seen) else {
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
    let report: Vec<String> = failures
        .iter()
        .filter(|(name, _)| !pending.contains(*name))
        .map(|(name, error)| format!("{name}\n  {error}"))
        .collect();
    for name in pending.iter().filter(|name| passed.contains(*name) && !failures.contains_key(*name)) {
        println!("{name} works by now: it can be taken out of fixtures/pending.txt");
    }
    assert!(report.is_empty(), "{} of {} failed:\n{}", report.len(), work.len(), report.join("\n"));
    if std::env::var_os("FIXTURES").is_none() {
        // Where versions take turns, not everything is seen.
        let whole = if std::env::var_os("MAJORS").is_some() { majors() } else { vec![18] };
        seen.check(&whole);
    }
}
