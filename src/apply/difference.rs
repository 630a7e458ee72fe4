//! Compares states by their fingerprints.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::catalog::Digest;

/// The sums of a state's objects, by address.
pub(super) type Sums = BTreeMap<String, Digest>;

/// An object in which a state is not the expected one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// The object's address.
    pub object: String,
    /// What is different about it.
    pub change: Change,
}

/// What is different about an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is there, and was not expected.
    Added,
    /// It is another one than expected.
    Changed,
    /// It is not there.
    Gone,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.change {
            Change::Added => "added  ",
            Change::Changed => "changed",
            Change::Gone => "gone   ",
        };
        write!(f, "{change}  {}", self.object)
    }
}

/// In what `found` is not `expected`; an object may also have one of the `equivalent` sums.
pub(super) fn differences(
    expected: &Sums,
    found: &Sums,
    equivalent: &BTreeMap<String, BTreeSet<Digest>>,
) -> Vec<Difference> {
    let same = |object: &String, digest: &Digest| {
        expected.get(object) == Some(digest) || equivalent.get(object).is_some_and(|others| others.contains(digest))
    };
    let gone = expected.keys().filter(|object| !found.contains_key(*object)).map(|object| (object, Change::Gone));
    let other = found
        .iter()
        .filter(|(object, digest)| !same(object, digest))
        .map(|(object, _)| (object, if expected.contains_key(object) { Change::Changed } else { Change::Added }));
    let mut all: Vec<Difference> =
        gone.chain(other).map(|(object, change)| Difference { object: object.clone(), change }).collect();
    all.sort();
    all
}

/// What turns the sums of one state into those of another: `None` for what is gone.
pub(super) fn progress(from: &Sums, to: &Sums) -> BTreeMap<String, Option<Digest>> {
    let gone = from.keys().filter(|object| !to.contains_key(*object)).map(|object| (object.clone(), None));
    let other = to.iter().filter(|(object, digest)| from.get(*object) != Some(digest));
    gone.chain(other.map(|(object, digest)| (object.clone(), Some(digest.clone())))).collect()
}

/// The state that [`progress`] leads to.
pub(super) fn advanced(mut from: Sums, progress: &BTreeMap<String, Option<Digest>>) -> Sums {
    for (object, digest) in progress {
        match digest {
            Some(digest) => from.insert(object.clone(), digest.clone()),
            None => from.remove(object),
        };
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(pairs: &[(&str, &str)]) -> Sums {
        pairs.iter().map(|(object, digest)| ((*object).to_owned(), Digest((*digest).to_owned()))).collect()
    }

    #[test]
    fn each_difference_is_named_once() {
        let (before, after) =
            (sums(&[("a", "1"), ("b", "1"), ("c", "1")]), sums(&[("b", "2"), ("c", "1"), ("d", "1")]));
        let found = differences(&before, &after, &BTreeMap::new());
        let text: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(text, ["gone     a", "changed  b", "added    d"]);
        let equivalent = BTreeMap::from([("b".to_owned(), BTreeSet::from([Digest("2".to_owned())]))]);
        assert_eq!(differences(&before, &after, &equivalent).len(), 2);
    }

    #[test]
    fn progress_leads_from_one_state_to_the_other() {
        let (before, after) =
            (sums(&[("a", "1"), ("b", "1"), ("c", "1")]), sums(&[("b", "2"), ("c", "1"), ("d", "1")]));
        let between = progress(&before, &after);
        assert_eq!(between.len(), 3);
        assert_eq!(advanced(before, &between), after);
    }
}
