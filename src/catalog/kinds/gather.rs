//! The rows that belong to a partition from now on, and are in other partitions of the same table: in the default partition,
//! in those whose bounds change with its own, and in those that it replaces. They are moved before it is attached.

use super::{
    Kind, Object,
    bound::Bound,
    column::columns,
    lineage,
    partition::Partition,
    transfer::{is_partitioned, partitions},
};
use crate::{
    catalog::{At, Catalog, Gathering, Guard, ObjectId, Step},
    sql,
};

/// A partition that is attached.
struct Taker<'a> {
    table: &'a ObjectId,
    link: &'a Partition,
    /// Which rows belong to it.
    condition: &'a str,
}

/// How the rows come to the partition that `at` attaches; `None` where nobody has any, or where something would notice.
pub(super) fn gather(at: &At, link: &Partition) -> Option<Gathering> {
    let taker = Taker { table: at.id.root(), link, condition: link.condition()? };
    let sources = taker.sources(at);
    let (first, rest) = sources.split_first()?;
    let mut columns: Vec<_> = columns(at.desired, taker.table).filter(|(_, column)| !column.is_generated()).collect();
    columns.sort_by_key(|(_, column)| column.place());
    let in_source = |name: &&str| {
        let names = first.names.iter().map(String::as_str).chain([*name]);
        at.current.contains(&ObjectId::new(Kind::Column, names.map(str::to_owned)))
    };
    let names = sql::join(columns.into_iter().map(|(id, _)| id.name()).filter(in_source).map(sql::ident), ", ");
    let Taker { table, condition, .. } = taker;
    let take = |source: &ObjectId| format!("(DELETE FROM {} WHERE {condition} RETURNING {names})", source.address());
    let mut moved = format!("WITH moved AS {}", take(first));
    let mut rows = format!("SELECT {names} FROM moved");
    for (number, source) in rest.iter().enumerate() {
        moved.push_str(&format!(", moved{} AS {}", number + 2, take(source)));
        rows.push_str(&format!(" UNION ALL SELECT {names} FROM moved{}", number + 2));
    }
    let into = format!("INSERT INTO {} ({names}) OVERRIDING SYSTEM VALUE", table.address());
    let mut room = Vec::new();
    partitions(at.desired, table, &mut |partition| {
        room.push(ObjectId::about(Kind::Partition, partition));
        true
    });
    Some(Gathering { step: Step::new(format!("{moved} {into} {rows}")), sources, room })
}

/// That the rows of a partition that goes belong to those that take its place; `None` where nothing does.
pub(super) fn all_go_over(at: &At) -> Option<Guard> {
    let [parent] = lineage::parents(at.current, &at.id.names) else { return None };
    let links = lineage::children(at.desired, parent);
    let links = links.iter().filter_map(|child| lineage::link(at.desired, child));
    let takers = links.filter_map(|(id, object)| match object {
        Object::Partition(link) if at.is_made(id) => {
            Some(Taker { table: id.root(), link, condition: link.condition()? })
        }
        _ => None,
    });
    let conditions: Vec<&str> =
        takers.filter(|taker| taker.sources(at).contains(at.id)).map(|taker| taker.condition).collect();
    (!conditions.is_empty()).then(|| Guard {
        requires: format!("every row of {} belongs to a partition that takes its place", at.id),
        query: format!("SELECT * FROM {} WHERE ({}) IS NOT TRUE LIMIT 20", at.id.address(), conditions.join(" OR ")),
    })
}

impl Taker<'_> {
    /// The tables in which its rows may be.
    fn sources(&self, at: &At) -> Vec<ObjectId> {
        let parent = ObjectId::new(Kind::Table, self.link.parent().iter().cloned());
        let bound = Bound::new(self.link.bound());
        let (Some(bound), true, Kind::Table) = (bound, at.persists(&parent), self.table.kind) else {
            return Vec::new();
        };
        if is_noticed(at, &parent, "DELETE") || is_noticed(at, self.table, "INSERT") {
            return Vec::new();
        }
        let holds = |source: &ObjectId| {
            let Some((id, Object::Partition(before))) = lineage::link(at.current, &source.names) else { return false };
            let Some(before_bound) = Bound::new(before.bound()).filter(|_| at.current.contains(source)) else {
                return false;
            };
            let overlap = before_bound.overlaps(&bound);
            if !at.desired.contains(source) {
                return overlap == Some(true) && !is_partitioned(at.current, source);
            }
            let stays =
                at.persists(source) && lineage::parents(at.desired, &source.names) == [self.link.parent().clone()];
            stays && (before_bound == Bound::Default || !at.persists(id)) && overlap != Some(false)
        };
        let tables = lineage::children(at.current, &parent.names).into_iter();
        let tables = tables.map(|names| ObjectId::new(Kind::Table, names)).filter(|it| it != self.table);
        tables.filter(|source| holds(source) && !is_noticed(at, source, "DELETE")).collect()
    }
}

/// Whether anything would notice that rows come or go this way, or keep them from it: a trigger or a rule of the table or of
/// one above, a foreign key that refers to it, row security that is forced on its owner, a publication that cannot tell which.
fn is_noticed(at: &At, table: &ObjectId, event: &str) -> bool {
    [at.current, at.desired].into_iter().any(|catalog| {
        let mut next = Some(table.clone());
        let mut above = std::iter::from_fn(|| {
            let id = next.take()?;
            let parent =
                lineage::parents(catalog, &id.names).first().filter(|_| lineage::is_partition(catalog, &id.names));
            next = parent.map(|names| ObjectId::new(Kind::Table, names.iter().cloned()));
            Some(id)
        });
        let unknown = || event == "DELETE" && catalog.holds(Kind::Publication) && !has_primary_key(catalog, table);
        above.any(|it| catalog.dependents(&it).any(|(id, _)| notices(catalog, id, event)))
            || catalog.contains(table) && unknown()
    })
}

fn notices(catalog: &Catalog, id: &ObjectId, event: &str) -> bool {
    match catalog.get(id) {
        Some(Object::Trigger(trigger)) => trigger.fires_on(event),
        Some(Object::Rule(_) | Object::ForcedRowSecurity(_)) => true,
        Some(Object::Constraint(_) | Object::Index(_)) => {
            event == "DELETE" && catalog.dependents(id).any(|(key, _)| key.kind == Kind::ForeignKey)
        }
        _ => false,
    }
}

fn has_primary_key(catalog: &Catalog, table: &ObjectId) -> bool {
    let mut parts = catalog.dependents(table).map(|(id, _)| catalog.get(id));
    parts.any(|part| matches!(part, Some(Object::Constraint(constraint)) if constraint.is_primary_key()))
}
