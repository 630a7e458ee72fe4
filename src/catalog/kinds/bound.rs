//! Which rows belong to a partition, as far as the text of its bound tells.

use std::cmp::Ordering;

/// What follows `ATTACH PARTITION name`.
#[derive(Debug, PartialEq)]
pub(super) enum Bound {
    Default,
    List(Vec<String>),
    Range { from: Vec<String>, to: Vec<String> },
    Hash { modulus: u64, remainder: u64 },
}

impl Bound {
    /// Reads what `pg_get_expr` writes; `None` where it is something else.
    pub fn new(text: &str) -> Option<Self> {
        if text == "DEFAULT" {
            return Some(Self::Default);
        }
        let rest = text.strip_prefix("FOR VALUES ")?;
        let number = |pair: &String, name: &str| pair.strip_prefix(name)?.trim().parse().ok();
        match (rest.split(' ').next()?, lists(rest).as_slice()) {
            ("IN", [values]) => Some(Self::List(values.clone())),
            ("FROM", [from, to]) => Some(Self::Range { from: from.clone(), to: to.clone() }),
            ("WITH", [pairs]) => match pairs.as_slice() {
                [modulus, remainder] => Some(Self::Hash {
                    modulus: number(modulus, "modulus").filter(|it| *it > 0)?,
                    remainder: number(remainder, "remainder")?,
                }),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether a row may belong to both; `None` where the texts do not tell.
    pub fn overlaps(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::Default, _) | (_, Self::Default) => Some(true),
            (Self::List(one), Self::List(another)) => Some(one.iter().any(|value| another.contains(value))),
            (Self::Range { from, to }, Self::Range { from: other_from, to: other_to }) => {
                let before = |end: &[String], start: &[String]| compared(end, start).map(Ordering::is_le);
                match (before(to, other_from), before(other_to, from)) {
                    (Some(true), _) | (_, Some(true)) => Some(false),
                    (Some(false), Some(false)) => Some(true),
                    _ => None,
                }
            }
            (Self::Hash { modulus, remainder }, Self::Hash { modulus: other_modulus, remainder: other_remainder }) => {
                let common = divisor(*modulus, *other_modulus);
                Some(remainder % common == other_remainder % common)
            }
            _ => None,
        }
    }
}

/// The lists in parentheses, each with its items.
fn lists(text: &str) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    let mut items: Option<Vec<String>> = None;
    let mut quoted = false;
    for c in text.chars() {
        quoted ^= c == '\'';
        match (c, &mut items) {
            ('(', None) if !quoted => items = Some(vec![String::new()]),
            (')', Some(_)) if !quoted => lists.extend(items.take()),
            (',', Some(items)) if !quoted => items.push(String::new()),
            (c, Some(items)) if c != ' ' || quoted || items.last().is_some_and(|item| !item.is_empty()) => {
                items.last_mut().into_iter().for_each(|item| item.push(c));
            }
            _ => {}
        }
    }
    lists
}

/// The order of two ends of ranges.
fn compared(one: &[String], another: &[String]) -> Option<Ordering> {
    for (a, b) in one.iter().zip(another) {
        match value(a, b)? {
            Ordering::Equal if a != "MINVALUE" && a != "MAXVALUE" => {}
            order => return Some(order),
        }
    }
    Some(Ordering::Equal)
}

/// The order of two values of one type, which may be any.
fn value(a: &str, b: &str) -> Option<Ordering> {
    if a == b {
        return Some(Ordering::Equal);
    }
    match (a, b) {
        ("MINVALUE", _) | (_, "MAXVALUE") => return Some(Ordering::Less),
        ("MAXVALUE", _) | (_, "MINVALUE") => return Some(Ordering::Greater),
        _ => {}
    }
    let number = |text: &str| text.trim_matches('\'').parse::<i128>().ok();
    let numbers = number(a).zip(number(b)).map(|(a, b)| a.cmp(&b));
    if !a.starts_with('\'') || !b.starts_with('\'') {
        return numbers;
    }
    // Digits in quotes are large numbers or words, and the order of words is that of a collation.
    let points = |text: &str| text.trim_matches('\'').chars().all(|c| c.is_ascii_digit() || "-:. +".contains(c));
    let zone = |text: &str| text.rsplit_once('+').map(|(_, zone)| zone.to_owned());
    let alike = a.len() == b.len() && points(a) && points(b) && zone(a) == zone(b);
    let positive = !a.starts_with("'-") && !b.starts_with("'-");
    let words = (alike && positive).then(|| a.cmp(b));
    match (numbers, words) {
        (Some(numbers), Some(words)) => (numbers == words).then_some(numbers),
        (Some(_), None) => None,
        (None, words) => words,
    }
}

fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(one: &str, another: &str) -> Option<bool> {
        let bound = |text: &str| Bound::new(text).expect("a bound");
        assert_eq!(bound(one).overlaps(&bound(another)), bound(another).overlaps(&bound(one)));
        bound(one).overlaps(&bound(another))
    }

    #[test]
    fn bounds_are_read_as_postgresql_writes_them() {
        let list = Bound::List(["'a, (b'", "'it''s'", "NULL", "7"].map(str::to_owned).to_vec());
        assert_eq!(Bound::new("FOR VALUES IN ('a, (b', 'it''s', NULL, 7)"), Some(list));
        let hash = Bound::Hash { modulus: 4, remainder: 3 };
        assert_eq!(Bound::new("FOR VALUES WITH (modulus 4, remainder 3)"), Some(hash));
        assert_eq!(Bound::new("FOR VALUES WITH (modulus 4)"), None);
    }

    #[test]
    fn bounds_tell_whether_a_row_may_belong_to_both() {
        let range = |from: &str, to: &str| format!("FOR VALUES FROM ({from}) TO ({to})");
        let year = |year: u32| range(&format!("'{year}-01-01'"), &format!("'{}-01-01'", year + 1));
        assert_eq!(overlap(&year(2023), &year(2024)), Some(false));
        assert_eq!(overlap(&year(2023), &range("'2023-12-31'", "MAXVALUE")), Some(true));
        assert_eq!(overlap(&range("MINVALUE", "9"), &range("10", "20")), Some(false));
        assert_eq!(overlap(&range("1, 'x'", "1, MAXVALUE"), &range("1, 'x'", "2, 'a'")), Some(true));
        assert_eq!(overlap(&range("'a'", "'b'"), &range("'c'", "'d'")), None);
        assert_eq!(overlap(&range("'9'", "'10'"), &range("'10'", "'11'")), Some(false));
        assert_eq!(overlap(&range("'8'", "'9'"), &range("'10'", "'11'")), None);
        assert_eq!(overlap("FOR VALUES IN ('a', NULL)", "FOR VALUES IN (NULL)"), Some(true));
        assert_eq!(overlap("FOR VALUES IN ('a')", "FOR VALUES IN ('b')"), Some(false));
        let hash = |modulus, remainder| format!("FOR VALUES WITH (modulus {modulus}, remainder {remainder})");
        assert_eq!(overlap(&hash(2, 1), &hash(4, 3)), Some(true));
        assert_eq!(overlap(&hash(2, 1), &hash(4, 2)), Some(false));
        assert_eq!(overlap(&hash(2, 1), "DEFAULT"), Some(true));
    }
}
