//! The rows of a table that is made anew, as when it becomes partitioned: they are put aside before it goes, and put back
//! into the one that is made in its place.

use std::collections::BTreeSet;

use super::{Kind, Object, column::columns, lineage, row_security::lift, swap::free_name};
use crate::{
    catalog::{At, Catalog, Hazard, ObjectId, Step, Transfer},
    sql,
};

/// A column that the table has before and after.
struct Shared {
    name: String,
    /// As which it is put aside.
    aside: String,
    /// By which what was put aside becomes its value.
    back: String,
}

/// What rows need that are put into a table.
const ROOM: [Kind; 6] = [Kind::Table, Kind::ForeignTable, Kind::Column, Kind::Default, Kind::Identity, Kind::Partition];

/// What looks at the rows of a table when it is made, or would keep some of them out.
const LOOKERS: [Kind; 6] =
    [Kind::ForeignKey, Kind::MaterializedView, Kind::Trigger, Kind::Rule, Kind::ForcedRowSecurity, Kind::Owner];

/// How the rows of a table go over: not where it goes for good, or where their values cannot be had as text meanwhile.
pub(super) fn transfer(at: &At) -> Option<Transfer> {
    let columns = shared(at)?;
    let sources = Sources::of(at);
    if sources.rows.is_empty() {
        return None;
    }
    let mut into = vec![at.id.clone()];
    partitions(at.desired, at.id, &mut |partition| {
        into.push(partition.clone());
        true
    });
    let inside = at.desired.with_parts(into.iter());
    let owned = |ids: BTreeSet<&ObjectId>, kinds: &[Kind]| -> Vec<ObjectId> {
        ids.into_iter().filter(|id| kinds.contains(&id.kind)).cloned().collect()
    };
    let mut lookers = at.desired.all_dependents(into.iter());
    // A foreign key of its own is there by the time that partitions are attached.
    lookers.retain(|id| id.kind != Kind::ForeignKey || !inside.contains(id));
    Some(Transfer {
        save: save(at, &sources, &columns),
        restore: restore(at, &columns),
        emptied: at.current.with_parts(sources.tables.iter()).into_iter().cloned().collect(),
        room: owned(inside, &ROOM),
        lookers: owned(lookers, &LOOKERS),
    })
}

/// Whether the rows of a table go over, as far as there are any.
pub(super) fn goes_over(at: &At) -> bool {
    shared(at).is_some() && !Sources::of(at).rows.is_empty()
}

/// What is lost when a table goes although its rows go over: the values of columns that go.
pub(super) fn losses(at: &At) -> Vec<Hazard> {
    let stays = |id: &ObjectId| matches!(at.desired.get(id), Some(Object::Column(column)) if !column.is_generated());
    let lost = columns(at.current, at.id).filter(|(id, column)| !column.is_generated() && !stays(id));
    lost.map(|(id, _)| Hazard::Loss { what: id.to_string() }).collect()
}

/// Whether the rows of a partition that goes become those of a table above, which is made anew.
pub(super) fn goes_up(at: &At) -> bool {
    let mut relation = lineage::relation(at.id).to_vec();
    while lineage::is_partition(at.current, &relation)
        && let Some(parent) = lineage::parents(at.current, &relation).first()
    {
        let above = ObjectId::new(Kind::Table, parent.iter().cloned());
        if at.desired.contains(&above) {
            return shared(&At { id: &above, ..*at }).is_some();
        }
        relation.clone_from(parent);
    }
    false
}

/// Where the rows are.
struct Sources {
    /// What is read, as it stands after FROM.
    rows: Vec<String>,
    /// The table, and the partitions that go with it.
    tables: Vec<ObjectId>,
}

impl Sources {
    fn of(at: &At) -> Self {
        let mut sources = Self { rows: Vec::new(), tables: vec![at.id.clone()] };
        if !is_partitioned(at.current, at.id) {
            sources.rows.push(format!("ONLY {}", at.id.address()));
            return sources;
        }
        let mut whole = true;
        let mut leaves = Vec::new();
        partitions(at.current, at.id, &mut |partition| {
            // What stays keeps its rows; those of a foreign table are elsewhere.
            if at.desired.contains(partition) || partition.kind == Kind::ForeignTable {
                whole = false;
                return false;
            }
            sources.tables.push(partition.clone());
            if !is_partitioned(at.current, partition) {
                leaves.push(format!("ONLY {}", partition.address()));
            }
            true
        });
        sources.rows = if whole && !leaves.is_empty() { vec![at.id.address()] } else { leaves };
        sources
    }
}

/// Visits the partitions of a table, and those of the ones for which `visit` says so.
pub(super) fn partitions(catalog: &Catalog, table: &ObjectId, visit: &mut dyn FnMut(&ObjectId) -> bool) {
    for child in lineage::children(catalog, &table.names) {
        let there = lineage::tables(&child).into_iter().find(|id| catalog.contains(id));
        if let Some(id) = there.filter(|_| lineage::is_partition(catalog, &child))
            && visit(&id)
        {
            partitions(catalog, &id, visit);
        }
    }
}

/// Whether rows that are put into a table go to its partitions.
pub(super) fn is_partitioned(catalog: &Catalog, id: &ObjectId) -> bool {
    matches!(catalog.get(id), Some(Object::Table(table)) if table.is_partitioned())
}

/// The columns whose values go over when a table is made anew, in their order. `None` where there are none, and where one is
/// of a composite type that is made anew: its values are written in another way then.
fn shared(at: &At) -> Option<Vec<Shared>> {
    if at.id.kind != Kind::Table || !at.desired.contains(at.id) || at.persists(at.id) {
        return None;
    }
    let mut found: Vec<_> = columns(at.desired, at.id).filter(|(_, column)| !column.is_generated()).collect();
    found.sort_by_key(|(_, column)| column.place());
    let both = found.into_iter().filter_map(|(id, after)| match at.current.get(id) {
        Some(Object::Column(before)) => Some((id, &**before, after)),
        _ => None,
    });
    let all: Option<Vec<Shared>> = both
        .map(|(id, before, after)| {
            let mut types = at.current.referenced(id).map(|(it, _)| it);
            if types.any(|it| it.kind == Kind::Composite && at.gone.contains(it)) {
                return None;
            }
            let name = sql::ident(id.name());
            // A type of the schema's own may go meanwhile.
            let own = before.data_type().contains('.');
            let aside = if own { format!("{name}::text AS {name}") } else { name.clone() };
            let to = after.data_type();
            let back = match at.desired.assignable(before.base_type(), after.base_type()) {
                _ if own => format!("{name}::{to}"),
                Some(true) => name.clone(),
                Some(false) => format!("{name}::{to}"),
                None => format!("{name}::text::{to}"),
            };
            Some(Shared { name, aside, back })
        })
        .collect();
    all.filter(|columns| !columns.is_empty())
}

fn save(at: &At, sources: &Sources, columns: &[Shared]) -> Vec<Step> {
    // Nobody may write to what has been read.
    let lock = Step::new(format!("LOCK {} IN ACCESS EXCLUSIVE MODE", at.id));
    let why =
        "nobody can read or write the table while its rows are copied out of it and into the one that replaces it";
    let mut steps = vec![lock.hazard(Hazard::Behaviour { why: why.to_owned() })];
    let forced = |it: &&ObjectId| at.current.contains(&ObjectId::about(Kind::ForcedRowSecurity, it));
    steps.extend(sources.tables.iter().filter(forced).map(lift));
    let names = sql::join(columns.iter().map(|it| &it.aside), ", ");
    let selects = sources.rows.iter().map(|from| format!("SELECT {names} FROM {from}"));
    let rows = sql::join(selects, " UNION ALL ");
    steps.push(Step::new(format!("CREATE TABLE {} AS {rows}", aside(at))));
    steps.extend(counters(at).into_iter().map(|(from, _, aside)| {
        Step::new(format!("CREATE TABLE {aside} AS SELECT last_value, is_called FROM {from}"))
    }));
    steps
}

fn restore(at: &At, columns: &[Shared]) -> Vec<Step> {
    let names = sql::join(columns.iter().map(|it| &it.name), ", ");
    let values = sql::join(columns.iter().map(|it| &it.back), ", ");
    let (table, aside) = (at.id.address(), aside(at));
    let insert = format!("INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {aside}");
    let why = "every row must fit into the table as it becomes".to_owned();
    let mut steps = vec![Step::new(insert).hazard(Hazard::MayFail { why }), Step::new(format!("DROP TABLE {aside}"))];
    for (_, to, aside) in counters(at) {
        let to = sql::literal(&to);
        steps.push(Step::new(format!("SELECT pg_catalog.setval({to}, last_value, is_called) FROM {aside}")));
        steps.push(Step::new(format!("DROP TABLE {aside}")));
    }
    steps
}

/// The table in which the rows are meanwhile.
fn aside(at: &At) -> String {
    let schema = at.id.names.first().map_or("", String::as_str);
    sql::qualified([schema, &free_name(at.id, "__reconcile_rows", at)])
}

/// The sequences of identity columns that go on counting where they are: before, after, and the table in between.
fn counters(at: &At) -> Vec<(String, String, String)> {
    let identity = |catalog: &Catalog, column: &ObjectId| {
        let id = ObjectId::new(Kind::Identity, column.names.iter().cloned());
        match catalog.get(&id) {
            Some(Object::Identity(it)) => Some((**it).clone()),
            _ => None,
        }
    };
    let counted = columns(at.desired, at.id).filter_map(|(id, _)| {
        let (before, after) = (identity(at.current, id)?, identity(at.desired, id)?);
        let schema = at.id.names.first().map_or("", String::as_str);
        let aside = sql::qualified([schema, &free_name(at.id, &format!("__reconcile_{}", id.name()), at)]);
        before.counts_like(&after).then(|| (before.sequence(), after.sequence(), aside))
    });
    counted.collect()
}
