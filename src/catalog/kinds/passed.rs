//! From whom to whom rights on an object were passed on.

use std::collections::BTreeSet;

use super::grant::Grant;
use crate::catalog::{ObjectId, Words};

/// The rights of one grantee, with their address.
pub(super) type One<'a> = (&'a ObjectId, &'a Grant);

/// Who granted a right to somebody, directly or not, without being the owner.
pub(super) fn givers<'a>(there: &[One<'a>], to: &Words, word: &str, owner: Option<&str>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![to.clone()];
    while let Some(names) = next.pop() {
        let grants = there.iter().filter(|(id, _)| id.names == names);
        let mut grantors: Vec<&str> = grants.flat_map(|(_, grant)| grant.grantors(word)).collect();
        if is_public(&names) {
            let to_public = there.iter().filter(|(_, grant)| grant.is_given_to_public(word));
            grantors.extend(to_public.filter_map(|(id, _)| name(id)));
        }
        let more = grantors.into_iter().filter(|it| Some(*it) != owner && found.insert(*it));
        next.extend(more.map(|it| vec![it.to_owned()].into()));
    }
    found
}

/// Who else has a right from any of these, directly or not.
pub(super) fn takers(there: &[One], roots: &BTreeSet<&str>, word: &str) -> BTreeSet<ObjectId> {
    let mut from = roots.clone();
    let mut found = BTreeSet::new();
    loop {
        let known = from.len();
        for (id, grant) in there.iter().filter(|(id, _)| name(id).is_none_or(|it| !roots.contains(it))) {
            if grant.grantors(word).any(|it| from.contains(it)) {
                from.extend(name(id));
                found.insert((*id).clone());
            }
        }
        if from.len() == known {
            break;
        }
    }
    // What everybody has from the start says nothing of who granted it.
    let gives = |(id, grant): &&One| name(id).is_some_and(|it| from.contains(it)) && grant.is_given_to_public(word);
    let to_public = there.iter().find(gives).filter(|_| !roots.contains(""));
    found.extend(to_public.map(|(id, _)| ObjectId { names: vec![String::new()].into(), ..(*id).clone() }));
    found
}

fn name(id: &ObjectId) -> Option<&str> {
    id.names.first().map(String::as_str)
}

fn is_public(names: &Words) -> bool {
    names.first().is_some_and(String::is_empty)
}
