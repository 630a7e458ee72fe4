//! `docs/coverage.md`: what the fixtures have shown to work, kind by kind and version by version.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Mutex,
};

use reconcile::{
    catalog::Kind,
    plan::file::{Action, Plan},
};

const COLUMNS: [&str; 4] = ["create", "alter in place", "rebuild", "drop"];

const HEAD: &str = "# What the fixtures show

Each cell names the majors of PostgreSQL on which a fixture has done this to an object of the kind, with rows in the tables: the
plan was proved, applied, read back, and compared with a fresh load by pg_dump. A rebuild is a drop and a creation in another
form, for which PostgreSQL has no ALTER or which takes rows along. Kinds that share their word in DDL share a line.

This page is written by the test that runs the fixtures: `COVERAGE=write tests/run fixtures::`.

";

/// What has been seen to work: by the word of the kind and the column, the majors.
type Cells = BTreeMap<(&'static str, usize), BTreeSet<u32>>;

/// What has been seen so far.
#[derive(Default)]
pub struct Seen(Mutex<Cells>);

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md")
}

impl Seen {
    /// Takes note of a plan that worked.
    pub fn add(&self, major: u32, plan: &Plan) {
        let mut cells = self.0.lock().unwrap();
        for change in &plan.changes {
            let column = match change.action {
                Action::Create => 0,
                Action::Alter => 1,
                Action::Replace | Action::Follow => 2,
                Action::Drop => 3,
                Action::StepAside => continue,
            };
            let kind = Kind::of_address(&change.object).expect("a change is about an object of a kind");
            cells.entry((kind.keyword(), column)).or_default().insert(major);
        }
        // What makes another object whole only ever goes with that, and no change speaks of it.
        let created: BTreeSet<&String> = plan.steps.iter().flat_map(|step| &step.creates).collect();
        let destroyed = plan.steps.iter().flat_map(|step| &step.destroys).filter(|object| !created.contains(object));
        for kind in destroyed.filter_map(|object| Kind::of_address(object)).filter(|kind| kind.completes()) {
            cells.entry((kind.keyword(), 3)).or_default().insert(major);
        }
    }

    /// Compares what was seen with the page, or writes the page. Every fixture has run on these majors, and
    /// none on others.
    pub fn check(self, majors: &[u32]) {
        let seen = self.0.into_inner().unwrap();
        let written = std::fs::read_to_string(path()).unwrap_or_default();
        let mut cells = read(&written);
        for majors_of in cells.values_mut() {
            majors_of.retain(|major| !majors.contains(major));
        }
        let write = std::env::var("COVERAGE").is_ok_and(|value| value == "write");
        for (cell, seen) in seen {
            cells.entry(cell).or_default().extend(seen);
        }
        let page = page(&cells);
        if write {
            std::fs::write(path(), page).unwrap();
        } else if path().exists() {
            assert!(page == written, "docs/coverage.md is not what the fixtures show; COVERAGE=write writes:\n{page}");
        } else {
            println!("docs/coverage.md is not written yet: COVERAGE=write writes it");
        }
    }
}

/// The words of all kinds in their order, each with the kinds that it stands for.
fn words() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut words: Vec<(&str, Vec<&str>)> = Vec::new();
    for kind in Kind::ALL {
        match words.iter_mut().find(|(word, _)| *word == kind.keyword()) {
            Some((_, names)) => names.push(kind.name()),
            None => words.push((kind.keyword(), vec![kind.name()])),
        }
    }
    words
}

fn page(cells: &Cells) -> String {
    let mut page = format!("{HEAD}| kind | {} |\n|---|---|---|---|---|\n", COLUMNS.join(" | "));
    for (word, names) in words() {
        let row: Vec<String> = (0..COLUMNS.len())
            .map(|column| {
                let majors = cells.get(&(word, column)).into_iter().flatten();
                majors.map(ToString::to_string).collect::<Vec<_>>().join(" ")
            })
            .collect();
        page.push_str(&format!("| {} | {} |\n", names.join(", ").replace('_', " "), row.join(" | ")));
    }
    page
}

/// The cells of a page.
fn read(page: &str) -> Cells {
    let mut cells = Cells::new();
    let rows: BTreeMap<String, &str> =
        words().into_iter().map(|(word, names)| (names.join(", ").replace('_', " "), word)).collect();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        let mut parts = line.trim_matches('|').split('|').map(str::trim);
        let Some(word) = parts.next().and_then(|kind| rows.get(kind)) else { continue };
        for (column, majors) in parts.enumerate() {
            let majors: BTreeSet<u32> = majors.split_whitespace().filter_map(|it| it.parse().ok()).collect();
            if !majors.is_empty() {
                cells.insert((word, column), majors);
            }
        }
    }
    cells
}

#[test]
fn a_page_is_read_as_it_is_written() {
    let mut cells = Cells::new();
    cells.insert(("TABLE", 0), [14, 18].into());
    cells.insert(("TYPE", 2), [15].into());
    assert_eq!(read(&page(&cells)), cells);
}
