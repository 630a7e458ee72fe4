//! SQL text: quotes identifiers and literals, joins lists. No other file escapes text.

use std::fmt::Write as _;

/// Quotes an identifier where PostgreSQL would need it quoted, as `quote_ident` does.
///
/// Every keyword that PostgreSQL reserves in some position is quoted, which is never wrong.
pub fn ident(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && KEYWORDS.binary_search(&name).is_err();
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Quotes and joins the parts of a qualified name: `app.users`.
pub fn qualified<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    join(names.into_iter().map(|name| ident(name.as_ref())), ".")
}

/// The parts of a qualified name, unquoted: the inverse of [`qualified`].
pub fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_none() => quoted = false,
            '"' if !quoted => quoted = true,
            '.' if !quoted => parts.push(String::new()),
            _ => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}

/// Quotes and joins identifiers with commas: `a, "B"`.
pub fn idents<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    join(names.into_iter().map(|name| ident(name.as_ref())), ", ")
}

/// Quotes a string literal, with `E''` where a backslash needs it, as `quote_literal` does.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// Quotes text between dollar signs, with a tag that does not occur in it.
pub fn dollar(text: &str) -> String {
    let mut tag = String::from("$$");
    let mut n = 0;
    // A text that ends in `$` would run into the closing tag `$$`.
    while text.contains(&tag) || text.ends_with('$') && tag == "$$" {
        n += 1;
        tag = if n == 1 { "$_$".to_owned() } else { format!("$_{n}$") };
    }
    format!("{tag}{text}{tag}")
}

/// Spells a parameter and its value as `SET` takes them, from the text that PostgreSQL stores: `search_path TO 'app', 'public'`.
pub fn setting(name: &str, value: &str) -> String {
    let value = if LISTS.contains(&name) {
        join(elements(value).iter().map(|part| literal(part)), ", ")
    } else {
        literal(value)
    };
    format!("{} TO {value}", ident(name))
}

/// Parameters that are lists of quoted names (`GUC_LIST_QUOTE`), whose elements `SET` takes one by one.
const LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

/// Splits a list of identifiers at its commas and takes their quotes off.
fn elements(list: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = list.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                parts.last_mut().into_iter().for_each(|part| part.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => parts.push(String::new()),
            c if !quoted && c.is_whitespace() => {}
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
    }
    parts
}

/// Joins pieces of SQL with a separator.
pub fn join<S: AsRef<str>>(pieces: impl IntoIterator<Item = S>, separator: &str) -> String {
    let mut out = String::new();
    for (i, piece) in pieces.into_iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        let _ = write!(out, "{}", piece.as_ref());
    }
    out
}

/// Every keyword that is not `unreserved` on PostgreSQL 14 to 18 (`pg_get_keywords()`), sorted.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "merge_action",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_only_where_needed() {
        assert_eq!(ident("users"), "users");
        assert_eq!(ident("Users"), "\"Users\"");
        assert_eq!(ident("order"), "\"order\"");
        assert_eq!(ident("1st"), "\"1st\"");
        assert_eq!(ident("a\"b"), "\"a\"\"b\"");
        assert_eq!(ident(""), "\"\"");
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn qualified_names_come_apart_as_they_were_put_together() {
        for names in [["app", "users"], ["a.b", "say \"hi\""], ["\"", ".\""]] {
            assert_eq!(parts(&qualified(names)), names);
        }
    }

    #[test]
    fn literals_escape_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b'"), "E'a\\\\b'''");
        assert_eq!(dollar("a $$ b"), "$_$a $$ b$_$");
        assert_eq!(dollar("costs 5$"), "$_$costs 5$$_$");
    }

    #[test]
    fn settings_that_are_lists_are_split() {
        assert_eq!(
            setting("search_path", "app, \"My, \"\"x\"\"\", pg_temp"),
            "search_path TO 'app', 'My, \"x\"', 'pg_temp'"
        );
        assert_eq!(setting("search_path", "\"\""), "search_path TO ''");
        assert_eq!(setting("work_mem", "64MB"), "work_mem TO '64MB'");
        assert_eq!(setting("app.tenant", "a, b"), "\"app.tenant\" TO 'a, b'");
    }
}
