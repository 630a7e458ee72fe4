//! Values to try for a column: what its checks mention first, then what its type usually takes.

use super::{
    pattern,
    tables::{BaseType, Column, Table},
};
use crate::sql;

/// The longest text that is made for a check of lengths, in characters.
const LONGEST: usize = 300;

/// The literals to try for a column, the likeliest first; `NULL` last where the column takes it.
///
/// What the hint mentions is likelier than anything else.
pub(super) fn literals(table: &Table, column: &Column, hint: Option<&String>) -> Vec<String> {
    let base = &column.base;
    let checks = table.checks.iter().filter(|check| check.columns.contains(&column.name));
    let mentioned = checks.flat_map(|check| meant_by(&check.expression));
    let hinted = hint.into_iter().flat_map(|sql| meant_by(sql));
    let mut texts: Vec<String> = Vec::new();
    for text in hinted.chain(mentioned).chain(of_type(base)) {
        let fits = base.length.is_none_or(|length| text.chars().count() <= length);
        if fits && !texts.contains(&text) {
            texts.push(text);
        }
    }
    let wrap = |text: &String| if base.array { format!("{{{}}}", element(text)) } else { text.clone() };
    let typed = |literal: String| format!("{literal}::{}", column.data_type);
    let mut literals: Vec<String> = texts.iter().map(wrap).map(|text| typed(sql::literal(&text))).collect();
    if !column.not_null {
        literals.push(typed("NULL".to_owned()));
    }
    literals
}

/// An element of an array's text, or a field of a record's.
fn element(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The quoted texts and the numbers that an expression mentions, and numbers next to them.
fn mentioned_in(expression: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some((before, quoted)) = rest.split_once('\'') {
        numbers(before, &mut found);
        let (text, after) = quoted.split_once('\'').unwrap_or((quoted, ""));
        found.push(text.to_owned());
        rest = after;
    }
    numbers(rest, &mut found);
    found
}

/// The texts of which an expression speaks: those that match its patterns, those of its lengths, and what it mentions.
fn meant_by(expression: &str) -> Vec<String> {
    let mentioned = mentioned_in(expression);
    let mut found: Vec<String> = mentioned.iter().flat_map(|text| pattern::samples(text)).collect();
    if expression.contains("length(") {
        let lengths = mentioned.iter().filter_map(|text| text.parse().ok());
        found.extend(lengths.filter(|length| (1..=LONGEST).contains(length)).map(|length| "a".repeat(length)));
    }
    found.extend(mentioned);
    found
}

fn numbers(text: &str, found: &mut Vec<String>) {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'));
    for number in words.filter_map(|word| word.parse::<i64>().ok()) {
        for near in [number, number.saturating_add(1), number.saturating_sub(1)] {
            found.push(near.to_string());
        }
    }
}

/// Texts; those that look like numbers come first: they can become most other types.
const TEXTS: &[&str] = &[
    "1",
    "2",
    "3",
    "a",
    "b",
    "c",
    "abc",
    "A1",
    "ABC",
    "one@example.com",
    "two@example.com",
    "2024-01-01",
    "https://example.com",
    "+4915112345678",
    "a-b",
    "00000",
    "EUR",
    "en",
    "{}",
    "",
    "a longer text, with words",
];

/// What a type usually takes.
fn of_type(base: &BaseType) -> Vec<String> {
    if !base.labels.is_empty() {
        return base.labels.clone();
    }
    match (base.kind.as_str(), base.name.as_str()) {
        ("c", _) => records(base),
        ("r" | "m", _) => ranges(base),
        (_, "bit" | "varbit") => bits(base.length.unwrap_or(1)),
        (_, name) => words(name).iter().map(|&word| word.to_owned()).collect(),
    }
}

/// What a built-in type takes, by its name.
fn words(name: &str) -> &'static [&'static str] {
    match name {
        "bool" => &["true", "false"],
        "int2" | "int4" | "int8" | "oid" | "numeric" | "float4" | "float8" | "money" => {
            &["1", "2", "3", "10", "50", "100", "1000", "0", "-1", "20000"]
        }
        "text" | "varchar" | "bpchar" | "citext" | "name" | "char" => TEXTS,
        "date" => &["2024-01-01", "2024-01-02", "2024-01-03", "2000-01-01", "2099-12-31"],
        "timestamp" | "timestamptz" => {
            &["2024-01-01 00:00:00+00", "2024-01-02 00:00:00+00", "2024-01-03 00:00:00+00", "2099-12-31 00:00:00+00"]
        }
        "time" | "timetz" => &["00:00:00+00", "12:00:00+00", "23:59:59+00"],
        "interval" => &["1 day", "2 days", "1 hour", "0"],
        "uuid" => &[
            "00000000-0000-4000-8000-000000000001",
            "00000000-0000-4000-8000-000000000002",
            "00000000-0000-4000-8000-000000000003",
        ],
        "json" | "jsonb" => &["{}", "{\"a\": 1}", "[]", "1", "\"a\""],
        "jsonpath" => &["$.a", "$"],
        "bytea" => &["\\x01", "\\x02", "\\x03"],
        "inet" => &["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "cidr" => &["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"],
        "macaddr" | "macaddr8" => &["08:00:2b:01:02:03", "08:00:2b:01:02:04", "08:00:2b:01:02:05"],
        "point" => &["(1,1)", "(2,2)", "(3,3)"],
        "line" => &["{1,2,3}"],
        "lseg" | "box" | "path" => &["((0,0),(1,1))", "((2,2),(3,3))"],
        "polygon" => &["((0,0),(1,0),(1,1))"],
        "circle" => &["<(0,0),1>", "<(5,5),1>"],
        "xml" => &["<a/>", "<b/>"],
        "tsvector" | "tsquery" => &["a", "b"],
        "pg_lsn" => &["0/1", "0/2"],
        _ => &["1", "a", "a.b", "{}", "(1,1)"],
    }
}

/// Records with a value in every field, and the one with none.
fn records(base: &BaseType) -> Vec<String> {
    let fields: Vec<Vec<String>> = base.attributes.iter().map(of_type).collect();
    let field = |number: usize, (attribute, texts): (&BaseType, &Vec<String>)| {
        let fits = |text: &&String| attribute.length.is_none_or(|length| text.chars().count() <= length);
        let texts: Vec<&String> = texts.iter().filter(fits).collect();
        let text = texts.get(number.checked_rem(texts.len())?)?;
        Some(element(&if attribute.array { format!("{{{}}}", element(text)) } else { (*text).clone() }))
    };
    let record = |number: usize| {
        let fields = base.attributes.iter().zip(&fields).map(|both| field(number, both).unwrap_or_default());
        format!("({})", sql::join(fields, ","))
    };
    let empty = ",".repeat(base.attributes.len().saturating_sub(1));
    (0..3).map(record).chain([format!("({empty})")]).collect()
}

fn ranges(base: &BaseType) -> Vec<String> {
    let bounds: [(&str, &str); 3] = match base.subtype.as_deref() {
        Some("date") => [("2024-01-01", "2024-01-05"), ("2024-02-01", "2024-02-05"), ("2024-03-01", "2024-03-05")],
        Some("timestamp" | "timestamptz") => [
            ("2024-01-01 00:00:00+00", "2024-01-02 00:00:00+00"),
            ("2024-02-01 00:00:00+00", "2024-02-02 00:00:00+00"),
            ("2024-03-01 00:00:00+00", "2024-03-02 00:00:00+00"),
        ],
        Some("time") => [("01:00", "02:00"), ("03:00", "04:00"), ("05:00", "06:00")],
        Some("text" | "varchar") => [("a", "b"), ("c", "d"), ("e", "f")],
        Some("inet") => [("10.0.0.1", "10.0.0.2"), ("10.0.0.3", "10.0.0.4"), ("10.0.0.5", "10.0.0.6")],
        _ => [("1", "5"), ("10", "15"), ("20", "25")],
    };
    let one = |(low, high): (&str, &str)| format!("[\"{low}\",\"{high}\")");
    let mut texts: Vec<String> =
        bounds.into_iter().map(one).map(|text| if base.kind == "m" { format!("{{{text}}}") } else { text }).collect();
    texts.push(if base.kind == "m" { "{}".to_owned() } else { "empty".to_owned() });
    texts
}

fn bits(length: usize) -> Vec<String> {
    let of =
        |number: usize| (0..length).rev().map(|bit| if number >> bit.min(63) & 1 == 1 { '1' } else { '0' }).collect();
    (0..3).map(of).collect()
}
