//! Addresses as they stand in a plan: the keyword apart from the name, and what belongs together side by side.

use crate::catalog::{Kind, Shape};

/// The keyword with which an address begins, and the rest: `MATERIALIZED VIEW`, `app.totals`.
///
/// Names that could be taken for a keyword are quoted.
pub(super) fn split(address: &str) -> (&str, &str) {
    let keyword = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let mut at = 0;
    while let Some(length) = address.get(at..).and_then(|rest| rest.find(' ')) {
        if !address.get(at..at + length).is_some_and(keyword) {
            break;
        }
        at += length + 1;
    }
    let (keyword, name) = address.split_at(at);
    (keyword.trim_end(), name)
}

/// The name by which an address is sorted: a table, then its columns, triggers and comments.
pub(super) fn place(address: &str) -> &str {
    let (_, name) = split(address);
    match name.rsplit_once(" ON ") {
        Some((_, of)) => place(of),
        None => name,
    }
}

/// The address that an address is about: that of a table, in that of a comment or a grant on it.
pub(super) fn about(address: &str) -> Option<&str> {
    let kinds = Kind::ALL.iter().filter(|kind| matches!(kind.shape(), Shape::About | Shape::Granted));
    let rest = |kind: &Kind| {
        let rest = address.strip_prefix(kind.keyword())?.strip_prefix(' ')?;
        if kind.shape() == Shape::About { Some(rest) } else { rest.split_once(" ON ").map(|(_, of)| of) }
    };
    // The longest keyword: `COMMENT ON INDEX OF` before `COMMENT ON`.
    kinds.filter_map(rest).min_by_key(|rest| rest.len())
}

/// Whether an address goes without mention: whoever creates an object owns it, and a sequence comes with its column.
fn unsaid(address: &str) -> bool {
    ["OWNER OF ", "OWNED BY OF "].iter().any(|keyword| address.starts_with(keyword))
}

/// Whether an address is of an object that others are parts of, or are about: a table, a function.
pub(super) fn stands_alone(address: &str) -> bool {
    let (keyword, _) = split(address);
    Kind::ALL.iter().any(|kind| kind.keyword() == keyword && matches!(kind.shape(), Shape::Plain | Shape::Routine))
}

/// How many addresses of each keyword, in the order in which they first come: `9 columns, 1 default`.
pub(super) fn counted<'a>(addresses: impl IntoIterator<Item = &'a str>) -> String {
    let mut counts: indexmap::IndexMap<String, usize> = indexmap::IndexMap::new();
    for address in addresses.into_iter().filter(|address| !unsaid(address)) {
        let keyword = split(address).0;
        // What follows is about the object that all of them have in common.
        let end =
            [" FOR", " ON", " OF", " TO"].iter().filter_map(|word| keyword.find(word)).min().unwrap_or(keyword.len());
        *counts.entry(keyword.get(..end).unwrap_or_default().to_lowercase()).or_default() += 1;
    }
    let counts = counts.into_iter().map(|(keyword, count)| plural(count, &keyword));
    crate::sql::join(counts, ", ")
}

/// A count with its noun: `1 index`, `2 indexes`, `3 foreign keys`, `2 policies`.
pub fn plural(count: usize, noun: &str) -> String {
    let vowel_before_y = ["ay", "ey", "oy", "uy"].iter().any(|end| noun.ends_with(end));
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) if !vowel_before_y => format!("{count} {stem}ies"),
        _ if noun.ends_with(['x', 's']) => format!("{count} {noun}es"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_stand_apart_from_names() {
        assert_eq!(split("MATERIALIZED VIEW app.totals"), ("MATERIALIZED VIEW", "app.totals"));
        assert_eq!(split("TABLE \"TABLE\""), ("TABLE", "\"TABLE\""));
        assert_eq!(split("GRANT TO PUBLIC ON TABLE app.t"), ("GRANT TO PUBLIC ON TABLE", "app.t"));
        assert_eq!(split("odd"), ("", "odd"));
    }

    #[test]
    fn what_belongs_together_has_one_place() {
        for address in ["TABLE app.users", "TRIGGER audit ON app.users", "COMMENT ON TABLE app.users"] {
            assert_eq!(place(address), "app.users");
        }
        assert_eq!(place("GRANT TO reader ON TABLE app.users"), "app.users");
        assert_eq!(place("COMMENT ON TRIGGER audit ON app.users"), "app.users");
    }

    #[test]
    fn what_is_said_about_an_object_names_it() {
        assert_eq!(about("COMMENT ON TRIGGER audit ON app.t"), Some("TRIGGER audit ON app.t"));
        assert_eq!(about("OWNER OF VIEW app.v"), Some("VIEW app.v"));
        assert_eq!(about("GRANT TO reader ON TABLE app.t"), Some("TABLE app.t"));
        assert_eq!(about("TABLE app.t"), None);
    }

    #[test]
    fn counts_are_spelled() {
        let addresses = ["COLUMN a.b.c", "COLUMN a.b.d", "INDEX a.i", "COMMENT ON TABLE a.b", "POLICY p ON a.b"];
        assert_eq!(counted(addresses), "2 columns, 1 index, 1 comment, 1 policy");
        assert_eq!(
            (plural(2, "index"), plural(2, "policy"), plural(3, "foreign key")),
            ("2 indexes".into(), "2 policies".into(), "3 foreign keys".into())
        );
    }
}
