//! Texts that match a pattern which a check mentions.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Some texts that match a regular expression or a pattern of `LIKE`; none where it is neither.
pub(super) fn samples(pattern: &str) -> Vec<String> {
    let mut found = Vec::new();
    if pattern.contains('%') {
        found.extend(["a", ""].map(|some| pattern.replace('%', some).replace('_', "a")));
    }
    if pattern.contains(['^', '$', '[', '+', '*', '|'])
        && let Ok(hir) = regex_syntax::parse(pattern)
    {
        found.extend((0..3).filter_map(|number| sample(&hir, number)));
    }
    found
}

/// One of the texts that match; other numbers give other texts where there are any.
fn sample(hir: &Hir, number: usize) -> Option<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(String::new()),
        HirKind::Literal(literal) => String::from_utf8(literal.0.to_vec()).ok(),
        HirKind::Class(Class::Unicode(class)) => {
            // Letters and digits, where the class has some.
            let plain = class.iter().filter(|range| range.start().is_ascii_graphic());
            let ranges: Vec<_> = plain.map(|range| (range.start(), range.end())).collect();
            let (start, end) = ranges.get(ranges.len().checked_sub(1)?.min(number))?;
            char::from_u32((u32::from(*start) + u32::try_from(number).ok()?).min((*end).into())).map(String::from)
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Repetition(repetition) => {
            let times = repetition.min.max(u32::from(number > 0)).min(repetition.max.unwrap_or(u32::MAX));
            Some(sample(&repetition.sub, number)?.repeat(usize::try_from(times).ok()?))
        }
        HirKind::Capture(capture) => sample(&capture.sub, number),
        HirKind::Concat(parts) => parts.iter().map(|part| sample(part, number)).collect(),
        HirKind::Alternation(choices) => sample(choices.get(number % choices.len())?, number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_match_the_patterns_from_which_they_are_made() {
        assert_eq!(samples("^[A-Z]{2}$"), ["AA", "BB", "CC"]);
        assert_eq!(samples(r"^\+[0-9]{6,15}$"), ["+000000", "+111111", "+222222"]);
        assert_eq!(samples("^[a-z0-9]+(-[a-z0-9]+)*$"), ["0", "b-b", "c-c"]);
        assert_eq!(samples("^(DHL|UPS)$"), ["DHL", "UPS", "DHL"]);
        assert_eq!(samples("%@%"), ["a@a", "@"]);
        assert_eq!(samples("plain"), [""; 0]);
        assert_eq!(samples("^(unfinished"), [""; 0]);
    }
}
