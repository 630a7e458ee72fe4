//! The two rules on imports: a stage uses what stands to its left, and only `catalog/kinds` knows what a table is.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use reconcile::catalog::Kind;

/// The modules in the order in which data flows; each may use those before it. `error`, `config`, `cli` and `main` compose.
const FLOW: &[&str] = &[
    "sql", "connect", "catalog", "source", "engine", "diff", "plan", "report", "history", "apply", "config", "error",
    "cli",
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().display().to_string();
    files.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// The text without comments and without the test module at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a file names: `crate::sql`, `crate::{sql, plan::file}`.
fn used(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        let Some(list) = after.strip_prefix('{') else {
            used.insert(word(after));
            continue;
        };
        let mut depth = 0;
        let mut start = true;
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => start = true,
                c if start && c.is_alphabetic() => {
                    used.insert(word(&list[at..]));
                    start = false;
                }
                _ => {}
            }
        }
    }
    used
}

#[test]
fn every_stage_uses_only_the_stages_to_its_left() {
    let rank = |module: &str| FLOW.iter().position(|it| *it == module);
    let mut wrong = Vec::new();
    let mut checked = 0;
    for (name, text) in sources() {
        let module = name.split(['/', '.']).next().unwrap();
        let Some(own) = rank(module) else { continue };
        for other in used(&code(&text)) {
            checked += 1;
            if rank(&other).is_some_and(|other| other > own) && !["error", "config", "cli"].contains(&module) {
                wrong.push(format!("src/{name} uses {other}, which stands to the right of {module}"));
            }
        }
    }
    assert!(checked > 50, "only {checked} imports were seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_kinds_name_kinds() {
    let kinds: BTreeSet<String> = Kind::ALL.iter().map(|kind| format!("{kind:?}")).collect();
    let mut wrong = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !name.starts_with("catalog/kinds/")) {
        for (number, line) in code(text).lines().enumerate() {
            let mut pieces = line.split("Kind::");
            let mut before = pieces.next().unwrap_or_default();
            for after in pieces {
                let name: String = after.chars().take_while(|c| c.is_alphanumeric()).collect();
                let other_type = before.ends_with(char::is_alphanumeric);
                if !other_type && kinds.contains(&name) {
                    wrong.push(format!("{}: {}", number + 1, line.trim()));
                }
                before = after;
            }
        }
        wrong.iter_mut().filter(|it| !it.starts_with("src/")).for_each(|it| *it = format!("src/{name}:{it}"));
    }
    assert!(wrong.is_empty(), "kinds are named outside catalog/kinds:\n{}", wrong.join("\n"));
}
