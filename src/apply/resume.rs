//! Where to begin: at the first step, or where an earlier attempt was interrupted.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

use super::{
    Error,
    difference::{Sums, advanced, differences},
};
use crate::{
    catalog,
    history::Resumable,
    plan::file::{Plan, Step},
    sql,
};

/// Where a plan is to be continued.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    /// How many groups are committed.
    pub groups: usize,
    /// The state after the step of the next group, which was begun outside of a transaction and turns out to be complete.
    pub complete: Option<Sums>,
    /// The number of the unfinished revision in the ledger.
    pub earlier: Option<i64>,
    /// The last complete revision.
    pub parent: Option<String>,
}

impl Start {
    /// How many steps are done.
    pub fn steps_done(&self, plan: &Plan) -> usize {
        let groups = self.groups + usize::from(self.complete.is_some());
        plan.groups.iter().take(groups).map(|group| group.count).sum()
    }
}

/// Checks that the database is as the earlier attempt left it.
pub(super) fn after(client: &mut Client, plan: &Plan, earlier: &Resumable, live: Sums) -> Result<Start, Error> {
    let groups = usize::try_from(earlier.revision.groups_done).unwrap_or_default();
    let start = Start { groups, earlier: Some(earlier.revision.number), ..Start::default() };
    let expected = advanced(plan.current.objects.clone(), &earlier.progress);
    let stale = |live: &Sums| differences(&expected, live, &BTreeMap::new());
    let found = stale(&live);
    if found.is_empty() {
        return Ok(start);
    }
    let refused = |differences| Err(Error::Stale { differences, already: false, resuming: groups > 0 });
    let begun = earlier.begun.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let next = plan.groups.get(groups).filter(|group| !group.transaction && Some(group.first) == begun);
    let Some(step) = next.and_then(|group| plan.steps.get(group.first)) else { return refused(found) };
    let own: BTreeSet<&String> = step.creates.iter().chain(&step.changes).chain(&step.destroys).collect();
    if found.iter().any(|difference| !own.contains(&difference.object)) {
        return refused(found.into_iter().filter(|difference| !own.contains(&difference.object)).collect());
    }
    if clean(client, step)? {
        let live = plan.scope.fingerprint(&catalog::read(client, plan.scope.extent())?).objects;
        let found = stale(&live);
        return if found.is_empty() { Ok(start) } else { refused(found) };
    }
    let complete = step.creates.iter().all(|object| live.contains_key(object))
        && !step.destroys.iter().any(|object| live.contains_key(object));
    if complete { Ok(Start { complete: Some(live), ..start }) } else { refused(found) }
}

/// Drops the invalid indexes that a concurrent build leaves behind when it fails or is killed; says whether there were any.
pub(super) fn clean(client: &mut Client, step: &Step) -> Result<bool, Error> {
    const QUERY: &str = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_index i \
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
        WHERE NOT i.indisvalid AND i.indexrelid = ANY ( \
            SELECT pg_catalog.to_regclass(name) FROM pg_catalog.unnest($1::text[]) AS names (name))";
    let names: Vec<&str> = step.creates.iter().filter_map(|object| object.strip_prefix("INDEX ")).collect();
    if names.is_empty() {
        return Ok(false);
    }
    let left = client.query(QUERY, &[&names]).map_err(Error::postgres("look for invalid indexes"))?;
    for row in &left {
        let index = sql::qualified([row.get::<_, &str>(0), row.get(1)]);
        let drop = format!("DROP INDEX CONCURRENTLY {index}");
        client.batch_execute(&drop).map_err(Error::postgres("drop an index that was left invalid"))?;
    }
    Ok(!left.is_empty())
}
