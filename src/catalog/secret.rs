//! Values that may be secrets: which options hold them, how they are shown, and the variables that they come from.

use serde::{Deserialize, Serialize};

use super::{Catalog, ObjectId};
use crate::sql;

/// What stands for a secret that only a database knows: no plan may hold it, and no variable has this name.
pub const HIDDEN: &str = "${}";

/// What a fingerprint holds in the place of a secret: not even a sum over it, from which a short one could be guessed.
pub const SECRET: &str = "(secret)";

/// How a value is escaped where it stands in a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// It is a part of a string constant.
    Literal,
    /// It is a quoted value in a connection string of keywords and values, which is a string constant.
    Keyword,
    /// It is a part of a connection URI, which is a string constant.
    Uri,
}

/// Where a value stands that may be a secret.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The object that holds it.
    pub id: &'a ObjectId,
    /// The name of the option.
    pub name: &'a str,
    /// How it is escaped there.
    pub encoding: Encoding,
}

/// Sees and changes values; gets the option's name, how the value is escaped, and the value.
pub type Visit<'a> = dyn FnMut(&str, Encoding, &mut String) + 'a;

impl Encoding {
    /// The value as it stands in the string constant, before that is quoted.
    pub fn encoded(self, value: &str) -> String {
        match self {
            Self::Literal => value.to_owned(),
            Self::Keyword => value.replace('\\', "\\\\").replace('\'', "\\'"),
            Self::Uri => value.bytes().fold(String::new(), |mut out, byte| {
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
                out
            }),
        }
    }
}

/// Whether an option of this name holds a secret, whoever chose the name.
pub fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 9] =
        ["password", "passwd", "passcode", "passphrase", "pwd", "secret", "token", "credential", "_key"];
    let name = name.to_lowercase();
    name == "apikey" || WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("_required")
}

/// The value as people and files may see it.
pub fn shown(name: &str, value: &str) -> String {
    let hides = value == HIDDEN || is_secret(name) && !value.is_empty() && variables(value).next().is_none();
    if hides { SECRET.to_owned() } else { value.to_owned() }
}

/// The names in a value's `${NAME}`.
pub fn variables(value: &str) -> impl Iterator<Item = &str> {
    value.split("${").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).filter(|name| is_name(name))
}

/// Replaces each `${NAME}` by what `find` has for it; `None` where it has nothing for one of them.
pub fn resolved(value: &str, find: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some((before, from)) = rest.split_once("${") {
        out.push_str(before);
        match from.split_once('}') {
            Some((name, after)) if is_name(name) => {
                out.push_str(&find(name)?);
                rest = after;
            }
            _ => {
                out.push_str("${");
                rest = from;
            }
        }
    }
    out.push_str(rest);
    Some(out)
}

fn is_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The statement with the string constants in it changed.
pub fn in_constants(statement: &str, change: impl Fn(String) -> String) -> String {
    let mut out = String::new();
    let mut rest = statement;
    while let Some(start) = rest.find(['\'', '"']) {
        let (before, from) = rest.split_at(start);
        let quote = if from.starts_with('"') { '"' } else { '\'' };
        let escapes = quote == '\'' && before.ends_with('E');
        let length = length(from, quote, escapes);
        let (token, after) = from.split_at(length);
        if quote == '"' {
            out.push_str(before);
            out.push_str(token);
        } else {
            out.push_str(if escapes { before.trim_end_matches('E') } else { before });
            let inner = token.get(1..length.saturating_sub(1)).unwrap_or_default().replace("''", "'");
            out.push_str(&sql::literal(&change(if escapes { inner.replace("\\\\", "\\") } else { inner })));
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// How long the quoted text is with which this begins.
fn length(text: &str, quote: char, escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if escapes && c == '\\' || c == quote && chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

impl Catalog {
    /// Sees and changes every value of an option, and every part of a connection string.
    pub fn visit_options(&mut self, mut visit: impl FnMut(Place, &mut String)) {
        for (id, object) in self.objects.iter_mut().filter(|(id, _)| id.kind.has_options()) {
            object.visit_options(&mut |name, encoding, value| visit(Place { id, name, encoding }, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_what_is_secret() {
        assert!(
            ["password", "sslpassword", "passcode", "aws_secret_access_key", "API_TOKEN"].into_iter().all(is_secret)
        );
        assert!(!["password_required", "passfile", "sslkey", "user", "keep_connections"].into_iter().any(is_secret));
    }

    #[test]
    fn secrets_are_shown_by_their_variables_only() {
        assert_eq!(shown("password", "hunter2"), "(secret)");
        assert_eq!(shown("password", "${PW}"), "${PW}");
        assert_eq!(shown("host", "db"), "db");
        assert_eq!(shown("host", HIDDEN), "(secret)");
    }

    #[test]
    fn variables_are_found_and_replaced() {
        assert_eq!(variables("a${A}b${}${1}${_b2}$").collect::<Vec<_>>(), ["A", "_b2"]);
        let find = |name: &str| (name == "A").then(|| "x".to_owned());
        assert_eq!(resolved("-${A}${}${A", find).as_deref(), Some("-x${}${A"));
        assert_eq!(resolved("${A}${B}", find), None);
    }

    #[test]
    fn only_string_constants_are_changed() {
        let change = |text: String| text.replace("${A}", "it's \\ ");
        assert_eq!(
            in_constants("ALTER \"${A}'\" OPTIONS (a '${A}')", change),
            "ALTER \"${A}'\" OPTIONS (a E'it''s \\\\ ')"
        );
        assert_eq!(in_constants("x E'\\\\ ''${A}', 'b'", change), "x E'\\\\ ''it''s \\\\ ', 'b'");
        assert_eq!(Encoding::Keyword.encoded("a'\\"), "a\\'\\\\");
        assert_eq!(Encoding::Uri.encoded("p@ß"), "p%40%C3%9F");
    }
}
