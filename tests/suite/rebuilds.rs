//! What plans drop and create again although rows, or values in rows, hang on it: a fixture has to say why no ALTER serves.
//!
//! The first lines of its before.sql say so: `-- rebuilds TYPE app.state: no ALTER takes a value away`; with a limit where
//! only some versions lack the ALTER: `-- rebuilds <17 COLUMN app.t.twice: the expression cannot be set`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Mutex,
};

use reconcile::{
    catalog::Kind,
    plan::file::{Action, Plan},
};

use crate::fixtures::limits;

/// The kinds, by their keywords, that are not to be made anew where an ALTER serves.
const KEPT: [&str; 7] = ["TABLE", "FOREIGN TABLE", "COLUMN", "MATERIALIZED VIEW", "SEQUENCE", "TYPE", "DOMAIN"];

/// One object that a fixture says to be made anew.
#[derive(Clone)]
pub struct Listed {
    object: String,
    majors: RangeInclusive<u32>,
}

/// Those that the directives of a before.sql list.
pub fn listed(directives: &[&str]) -> Vec<Listed> {
    let of = |line: &&str| {
        let rest = line.strip_prefix("rebuilds ")?;
        let (what, reason) = rest.split_once(": ").unwrap_or_else(|| panic!("{rest:?} gives no reason"));
        assert!(!reason.trim().is_empty(), "{rest:?} gives no reason");
        let limited = what.split_once(' ').filter(|(word, _)| word.contains(|c: char| c.is_ascii_digit()));
        let (majors, object) = limited.map_or((0..=u32::MAX, what), |(word, object)| (limits(word), object));
        Some(Listed { object: object.to_owned(), majors })
    };
    directives.iter().filter_map(of).collect()
}

/// What a plan makes anew: what it says to replace or to move aside, and what one step destroys and another creates.
fn of(plan: &Plan) -> BTreeSet<String> {
    let kind = |object: &str| Kind::of_address(object).expect("the address of an object").keyword();
    let aside = plan.changes.iter().filter(|it| matches!(it.action, Action::Replace | Action::StepAside));
    let aside = aside.map(|change| &change.object).filter(|object| KEPT.contains(&kind(object)));
    let created: BTreeSet<&String> = plan.steps.iter().flat_map(|step| &step.creates).collect();
    let destroyed = plan.steps.iter().flat_map(|step| &step.destroys).filter(|object| created.contains(object));
    // The columns of what becomes something else, or is made anew, come and go with it.
    let twice = destroyed.filter(|object| KEPT.contains(&kind(object)) && kind(object) != "COLUMN");
    aside.chain(twice).cloned().collect()
}

/// By fixture and version, in how many directions it ran, and what was made anew.
type Made = BTreeMap<(String, u32), (usize, BTreeSet<String>)>;

/// What was made anew so far.
#[derive(Default)]
pub struct Rebuilds(Mutex<Made>);

impl Rebuilds {
    /// Takes note of a plan; refuses what it makes anew without being listed.
    pub fn check(&self, fixture: &str, major: u32, plan: &Plan, listed: &[Listed]) -> Result<(), String> {
        let found = of(plan);
        let expected = |object: &&String| listed.iter().any(|it| it.object == **object && it.majors.contains(&major));
        let surprising: Vec<String> = found.iter().filter(|object| !expected(object)).cloned().collect();
        let mut all = self.0.lock().unwrap();
        let (directions, objects) = all.entry((fixture.to_owned(), major)).or_default();
        *directions += 1;
        objects.extend(found);
        let reason = "is made anew; where no ALTER serves, before.sql says so with `-- rebuilds`";
        if surprising.is_empty() { Ok(()) } else { Err(format!("{} {reason}", surprising.join(", "))) }
    }

    /// What a fixture lists in vain, on versions where it ran in so many directions.
    pub fn stale(&self, fixture: &str, directions: usize, listed: &[Listed]) -> Vec<String> {
        let all = self.0.lock().unwrap();
        let ran = all.iter().filter(|((name, _), (times, _))| name == fixture && *times == directions);
        let vain = ran.flat_map(|((_, major), (_, objects))| {
            let applies = listed.iter().filter(move |it| it.majors.contains(major) && !objects.contains(&it.object));
            applies.map(move |it| format!("{fixture} on {major}: {} is not made anew", it.object))
        });
        vain.collect()
    }
}
