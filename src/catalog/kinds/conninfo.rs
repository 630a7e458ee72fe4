//! Connection strings: keywords and values, or a URI.

use std::ops::Range;

use crate::catalog::{Encoding, Visit, secret};

/// A value in a connection string.
struct Part {
    name: String,
    /// Without quotes and escapes.
    value: String,
    /// Where it stands, with its quotes.
    place: Range<usize>,
}

/// Sees and changes every value in a connection string.
pub(super) fn visit(text: &mut String, visit: &mut Visit) {
    let (parts, encoding) = if is_uri(text) { (uri(text), Encoding::Uri) } else { (keywords(text), Encoding::Keyword) };
    // From the end on, so that the places before it stay.
    for Part { name, value, place } in parts.into_iter().rev() {
        let mut changed = value.clone();
        visit(&name, encoding, &mut changed);
        if changed != value {
            text.replace_range(place, &spelled(&changed, encoding));
        }
    }
}

/// A connection string as DDL spells it: where a variable stands for a value, this is quoted.
pub(super) fn quoted(text: &str) -> String {
    let mut text = text.to_owned();
    if !is_uri(&text) {
        for Part { value, place, .. } in keywords(&text).into_iter().rev() {
            if value.contains("${") {
                text.replace_range(place, &spelled(&value, Encoding::Keyword));
            }
        }
    }
    text
}

/// A connection string as people and files may see it, the same for all spellings that mean the same.
pub(super) fn shown(text: &str) -> String {
    normalised(text, secret::shown)
}

/// Whether two connection strings mean the same.
pub(super) fn same(one: &str, other: &str) -> bool {
    let plain = |text: &str| normalised(text, |_, value| value.to_owned());
    plain(one) == plain(other)
}

fn normalised(text: &str, show: impl Fn(&str, &str) -> String) -> String {
    if is_uri(text) {
        let mut text = text.to_owned();
        for Part { name, value, place } in uri(&text).into_iter().rev() {
            text.replace_range(place, &spelled(&show(&name, &value), Encoding::Uri));
        }
        return text;
    }
    let mut parts: Vec<String> = keywords(text)
        .into_iter()
        .map(|Part { name, value, .. }| {
            let value = show(&name, &value);
            let is_plain = !value.is_empty() && !value.contains([' ', '\'', '\\']);
            format!("{name}={}", if is_plain { value } else { spelled(&value, Encoding::Keyword) })
        })
        .collect();
    parts.sort_unstable();
    parts.join(" ")
}

fn is_uri(text: &str) -> bool {
    text.starts_with("postgresql://") || text.starts_with("postgres://")
}

fn spelled(value: &str, encoding: Encoding) -> String {
    match encoding {
        Encoding::Uri if value.contains("${") || value == secret::SECRET => value.to_owned(),
        Encoding::Uri => encoding.encoded(value),
        Encoding::Keyword | Encoding::Literal => format!("'{}'", Encoding::Keyword.encoded(value)),
    }
}

/// The values after keywords: `host=db password='it\'s'`.
fn keywords(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(equals) = text.get(at..).and_then(|rest| rest.find('=')).map(|length| at + length) {
        let name = text.get(at..equals).unwrap_or_default().trim().to_owned();
        let start = equals + 1 + text.get(equals + 1..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        let mut chars = text.get(start..).unwrap_or_default().char_indices().peekable();
        let is_quoted = chars.next_if(|(_, c)| *c == '\'').is_some();
        let (mut value, mut end) = (String::new(), text.len());
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => value.extend(chars.next().map(|(_, c)| c)),
                '\'' if is_quoted => {
                    end = start + offset + 1;
                    break;
                }
                c if !is_quoted && c.is_whitespace() => {
                    end = start + offset;
                    break;
                }
                c => value.push(c),
            }
        }
        parts.push(Part { name, value, place: start..end });
        at = end;
    }
    parts
}

/// The values in `postgresql://user:password@host/database?sslpassword=…`.
fn uri(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let start = text.find("://").map_or(0, |at| at + 3);
    let rest = text.get(start..).unwrap_or_default();
    let end = start + rest.find(['/', '?']).unwrap_or(rest.len());
    let mut add = |name: &str, place: Range<usize>| {
        let value = decoded(text.get(place.clone()).unwrap_or_default());
        parts.push(Part { name: name.to_owned(), value, place });
    };
    let authority = text.get(start..end).unwrap_or_default();
    if let Some(at) = authority.rfind('@') {
        match authority.get(..at).and_then(|user| user.find(':')) {
            Some(colon) => {
                add("user", start..start + colon);
                add("password", start + colon + 1..start + at);
            }
            None => add("user", start..start + at),
        }
    }
    let query = text.get(end..).and_then(|rest| rest.find('?')).map_or(text.len(), |at| end + at + 1);
    let mut at = query;
    for pair in text.get(query..).unwrap_or_default().split('&') {
        if let Some((name, value)) = pair.split_once('=') {
            add(name, at + name.len() + 1..at + name.len() + 1 + value.len());
        }
        at += pair.len() + 1;
    }
    parts
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(String, String)> {
        let mut seen = Vec::new();
        visit(&mut text.to_owned(), &mut |name, _, value| seen.push((name.to_owned(), value.clone())));
        seen.reverse();
        seen
    }

    fn pairs<const N: usize>(all: [(&str, &str); N]) -> Vec<(String, String)> {
        all.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn every_value_is_found() {
        assert_eq!(
            seen("host = db password='it\\'s a' port=5\\ 1 x=''"),
            pairs([("host", "db"), ("password", "it's a"), ("port", "5 1"), ("x", "")])
        );
        assert_eq!(
            seen("postgresql://u:p%40ss@h:1,i/d?a=b&sslpassword=%24"),
            pairs([("user", "u"), ("password", "p@ss"), ("a", "b"), ("sslpassword", "$")])
        );
        assert_eq!(seen("postgres://h/d"), pairs([]));
    }

    #[test]
    fn secrets_are_not_shown_and_variables_are_quoted() {
        assert_eq!(shown("host=db password=hunter2 user=a"), "host=db password=(secret) user=a");
        assert!(same("password='x' host=db", "host = db password=x") && !same("host=a", "host=b"));
        assert_eq!(shown("postgres://a:hunter2@h/d?sslpassword=x"), "postgres://a:(secret)@h/d?sslpassword=(secret)");
        assert_eq!(shown("host=db password=${PW}"), "host=db password=${PW}");
        assert_eq!(quoted("password=${PW} host=db"), "password='${PW}' host=db");
        assert_eq!(quoted("postgres://a:${PW}@h"), "postgres://a:${PW}@h");
    }
}
