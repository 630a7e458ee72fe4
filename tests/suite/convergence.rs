//! The property behind everything: whatever a schema becomes, the plan leads there, keeps the rows, and leaves nothing over.

use proptest::{
    num::u64,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};

use crate::{migration::Migration, random, server::server};

/// How many workers migrate at once; each has a role, and so databases, of its own.
const WORKERS: usize = 3;

/// The number of migrations: `CASES=2000` for a long run.
fn cases() -> u32 {
    std::env::var("CASES").map_or(200, |text| text.parse().expect("CASES is a number"))
}

/// The seed, so that a run can be had again, or another one: `SEED=7`.
fn seed() -> u64 {
    std::env::var("SEED").map_or(1, |text| text.parse().expect("SEED is a number"))
}

fn major() -> u32 {
    std::env::var("MAJORS").ok().and_then(|text| text.split([',', ' ']).next()?.parse().ok()).unwrap_or(15)
}

fn migrate(before: &random::Schema, seed: u64, worker: usize) -> Result<(), String> {
    let migration = Migration {
        engine: server(major()),
        // Apart from the workers of the fixtures, which may run at the same time.
        worker: 10 + worker,
        start: before.to_string(),
        rows: random::rows(before),
        goal: random::mutate(before, seed).to_string(),
    };
    migration.run().map(drop)
}

#[test]
fn every_random_migration_converges() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    let config = Config {
                        cases: cases().div_ceil(WORKERS as u32),
                        rng_seed: RngSeed::Fixed(seed() * 1000 + worker as u64),
                        failure_persistence: None,
                        max_shrink_iters: 100,
                        ..Config::default()
                    };
                    let strategy = (random::schema(), u64::ANY);
                    let outcome = TestRunner::new(config).run(&strategy, |(before, seed)| {
                        migrate(&before, seed, worker).map_err(|error| {
                            // A mutation may give a function an overload by which a call is no longer clear.
                            let unclear = error.contains("error[42725]");
                            let error = format!("mutation {seed}: {error}");
                            if unclear { TestCaseError::reject(error) } else { TestCaseError::fail(error) }
                        })
                    });
                    outcome.err().map(|error| error.to_string())
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
