//! The property behind everything: whatever a schema becomes, the plan leads there, keeps the rows, and leaves nothing over.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use proptest::{
    num::u64,
    strategy::{Strategy as _, ValueTree as _},
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use crate::{migration::Texts, random, server::majors};

/// How many workers migrate at once; each has a role, and so databases, of its own.
const WORKERS: usize = 3;

/// The number of migrations where nothing else is said: 34 for each worker and version.
const CASES: u32 = 510;

/// The number of migrations, over all versions: `CASES=20000` for a long run.
fn cases() -> u32 {
    std::env::var("CASES").map_or(CASES, |text| text.parse().expect("CASES is a number"))
}

/// How many random schemas migrate together in one database: `TOGETHER=10` or `TOGETHER=1` for the one or the other; of
/// those where nothing is said, every third migrates alone, with what only one schema of a database may have.
fn together() -> Vec<(usize, u32)> {
    match std::env::var("TOGETHER") {
        Ok(text) => vec![(text.parse().expect("TOGETHER is a number"), cases())],
        Err(_) => vec![(1, cases().div_ceil(3)), (10, cases())],
    }
}

/// The seed, so that a run can be had again, or another one: `SEED=7`.
fn seed() -> u64 {
    std::env::var("SEED").map_or(1, |text| text.parse().expect("SEED is a number"))
}

fn migrate(before: &random::Schema, after: &random::Schema, worker: usize) -> Result<(), String> {
    let texts = Texts { start: before.to_string(), goal: after.to_string(), rows: random::rows(before) };
    migrate_texts(texts, before.server, worker)
}

fn migrate_texts(texts: Texts, on: random::Server, worker: usize) -> Result<(), String> {
    // Apart from the workers of the fixtures, which may run at the same time.
    texts.migrate(on.major, on.superuser, 10 + worker).map(drop)
}

/// Migrations of several random schemas at once, each with schemas of its own; where that fails, of each alone.
fn converge_together(runner: &mut TestRunner, on: random::Server, worker: usize, size: usize) -> Result<(), String> {
    let strategy = (random::schema(on), u64::ANY);
    let mut left = runner.config().cases as usize;
    while left > 0 {
        let some = left.min(size);
        left -= some;
        let trees = (0..some).map(|_| strategy.new_tree(runner).map_err(|reason| reason.to_string()));
        let trees = trees.collect::<Result<Vec<_>, String>>()?;
        let pairs = trees.iter().map(|tree| {
            let (before, seed) = tree.current();
            let after = random::mutate(&before, seed);
            (random::beside_others(&before), random::beside_others(&after))
        });
        let (befores, afters): (Vec<random::Schema>, Vec<random::Schema>) = pairs.unzip();
        let all = |schemas: &[random::Schema], text: fn(&random::Schema) -> String| -> String {
            schemas.iter().enumerate().map(|(number, schema)| random::apart(&text(schema), number)).collect()
        };
        let sql = random::Schema::to_string;
        let texts = Texts { start: all(&befores, sql), goal: all(&afters, sql), rows: all(&befores, random::rows) };
        let Err(error) = migrate_texts(texts, on, worker) else { continue };
        for tree in trees {
            runner.run_one(tree, alone(on, worker)).map_err(|error| error.to_string())?;
        }
        if !is_meant(&error) {
            return Err(format!("{some} together on {}, while each of them alone works: {error}", on.major));
        }
    }
    Ok(())
}

/// Migrations from and to random schemas; those of the last worker belong to superusers, who may have more.
fn converge(major: u32, worker: usize, (together, cases): (usize, u32)) -> Result<(), String> {
    let config = Config {
        cases: cases.div_ceil((WORKERS * majors().len()) as u32),
        rng_seed: RngSeed::Fixed(seed() * 100_000 + u64::from(major) * 1000 + worker as u64),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let on = random::Server { major, superuser: worker + 1 == WORKERS };
    let mut runner = TestRunner::new(config);
    let outcome = if together > 1 {
        converge_together(&mut runner, on, worker, together)
    } else {
        let strategy = (random::schema(on), u64::ANY);
        runner.run(&strategy, alone(on, worker)).map_err(|error| error.to_string())
    };
    outcome.inspect_err(|error| println!("{error}"))
}

/// Whether it is right that a migration fails.
fn is_meant(error: &str) -> bool {
    // A mutation may give a function an overload by which a call is no longer clear.
    let unclear = error.contains("error[42725]") || error.contains("(SQLSTATE 42725)");
    // Or make another domain of a name, for which the rows are not meant: the plan says that they may not convert. Or fill a
    // new column that refers to another table from the default of its domain.
    let unfit =
        error.starts_with("apply: ") && ["(SQLSTATE 22", "(SQLSTATE 23503)"].iter().any(|it| error.contains(it));
    // Or let a policy look at its own table, by way of others too, which a routine may not read then.
    let recursive = error.contains("error[42P17]") && error.contains("infinite recursion detected in policy");
    unclear || unfit || recursive
}

/// One migration, by itself.
fn alone(on: random::Server, worker: usize) -> impl Fn((random::Schema, u64)) -> Result<(), TestCaseError> {
    move |(before, seed)| {
        let after = random::mutate(&before, seed);
        migrate(&before, &after, worker).map_err(|error| {
            let meant = is_meant(&error);
            let error = format!("mutation {seed} on {}: {error}\nto\n{after}", on.major);
            if meant { TestCaseError::reject(error) } else { TestCaseError::fail(error) }
        })
    }
}

#[test]
fn every_random_migration_converges() {
    let majors = majors();
    let runs: Vec<(u32, (usize, u32))> =
        majors.iter().flat_map(|major| together().into_iter().map(|run| (*major, run))).collect();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let of =
            |worker| runs.iter().filter_map(|(major, run)| converge(*major, worker, *run).err()).collect::<Vec<_>>();
        let workers: Vec<_> = (0..WORKERS).map(|worker| scope.spawn(move || of(worker))).collect();
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
