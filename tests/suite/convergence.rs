//! The property behind everything: whatever a schema becomes, the plan leads there, keeps the rows, and leaves nothing over.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use proptest::{
    num::u64,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use crate::{
    migration::Migration,
    random,
    server::{majors, server, trusting_server},
};

/// How many workers migrate at once; each has a role, and so databases, of its own.
const WORKERS: usize = 3;

/// The number of migrations where nothing else is said: 34 for each worker and version.
const CASES: u32 = 510;

/// The number of migrations, over all versions: `CASES=20000` for a long run.
fn cases() -> u32 {
    std::env::var("CASES").map_or(CASES, |text| text.parse().expect("CASES is a number"))
}

/// The seed, so that a run can be had again, or another one: `SEED=7`.
fn seed() -> u64 {
    std::env::var("SEED").map_or(1, |text| text.parse().expect("SEED is a number"))
}

fn migrate(before: &random::Schema, after: &random::Schema, worker: usize) -> Result<(), String> {
    let random::Server { major, superuser } = before.server;
    let migration = Migration {
        engine: if superuser { trusting_server(major) } else { server(major) },
        // Apart from the workers of the fixtures, which may run at the same time.
        worker: 10 + worker,
        start: before.to_string(),
        rows: random::rows(before),
        goal: after.to_string(),
    };
    migration.run().map(drop)
}

/// Migrations from and to random schemas; those of the last worker belong to superusers, who may have more.
fn converge(major: u32, worker: usize, cases: u32) -> Result<(), String> {
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(seed() * 100_000 + u64::from(major) * 1000 + worker as u64),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let on = random::Server { major, superuser: worker + 1 == WORKERS };
    let outcome = TestRunner::new(config).run(&(random::schema(on), u64::ANY), |(before, seed)| {
        let after = random::mutate(&before, seed);
        migrate(&before, &after, worker).map_err(|error| {
            // A mutation may give a function an overload by which a call is no longer clear.
            let unclear = error.contains("error[42725]");
            // Or make another domain of a name, for which the rows are not meant: the plan says that they may not convert.
            let unfit = error.starts_with("apply: ") && error.contains("(SQLSTATE 22");
            let error = format!("mutation {seed} on {major}: {error}\nto\n{after}");
            if unclear || unfit { TestCaseError::reject(error) } else { TestCaseError::fail(error) }
        })
    });
    outcome.map_err(|error| error.to_string()).inspect_err(|error| println!("{error}"))
}

#[test]
fn every_random_migration_converges() {
    let majors = majors();
    let each = cases().div_ceil((WORKERS * majors.len()) as u32);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let run = |worker| majors.iter().filter_map(|major| converge(*major, worker, each).err()).collect::<Vec<_>>();
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || run(worker))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Each attribute of each kind by itself; the versions take turns, so that all see every kind.
#[test]
fn every_attribute_of_every_kind_changes() {
    let filter = std::env::var("KINDS").unwrap_or_default();
    let majors = majors();
    let cases: Vec<_> = majors
        .iter()
        .flat_map(|major| random::changes(random::Server { major: *major, superuser: true }, seed()))
        .filter(|(name, ..)| filter.split(',').any(|part| name.contains(part)))
        .enumerate()
        .filter(|(number, (.., before, _))| !filter.is_empty() || majors[number % majors.len()] == before.server.major)
        .map(|(_, case)| case)
        .collect();
    let next = AtomicUsize::new(0);
    let failures: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (cases, next, failures) = (&cases, &next, &failures);
            scope.spawn(move || {
                while let Some((name, before, after)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = migrate(before, after, 20 + worker) {
                        let error = format!("{name} on {}: {error}\nfrom\n{before}to\n{after}", before.server.major);
                        println!("{error}");
                        failures.lock().unwrap().push(error);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} failed:\n{}", failures.len(), cases.len(), failures.join("\n\n"));
}
