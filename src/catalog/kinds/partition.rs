//! That a table is a partition of another.

use serde::{Deserialize, Serialize};

use super::{Kind, foreign_key, gather, lineage, not_null};
use crate::{
    catalog::{At, Definition, Gathering, Hazard, Kept, ObjectId, Shape, Step},
    sql,
};

/// The partitioned table to which a table belongs, and which rows it holds; an object about the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// Schema and name of the partitioned table.
    parent: Vec<String>,
    /// `FOR VALUES …`, `DEFAULT`
    bound: String,
    /// The bound as a condition on the rows of the partitioned table: without what this, being a partition itself, has from
    /// above, and with its name, since its number is another in each database.
    condition: Kept<Option<String>>,
}

impl Definition for Partition {
    const KEYWORD: &'static str = "ATTACHMENT OF";
    const SHAPE: Shape = Shape::About;
    const LINKS: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT inhrelid FROM pg_catalog.pg_inherits)";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, p.relname] AS parent, pg_catalog.pg_get_expr(c.relpartbound, c.oid) AS bound,
            pg_catalog.replace(CASE
                WHEN up.condition IS NULL THEN own.condition
                WHEN pg_catalog.starts_with(own.condition, '(' || up.condition || ' AND ')
                    THEN '(' || pg_catalog.substr(own.condition, pg_catalog.length(up.condition) + 7)
                WHEN pg_catalog.starts_with(own.condition, pg_catalog.left(up.condition, -1) || ' AND ')
                    THEN '(' || pg_catalog.substr(own.condition, pg_catalog.length(up.condition) + 5) END,
                pg_catalog.quote_literal(p.oid) || '::oid',
                pg_catalog.quote_literal(pg_catalog.format('%I.%I', n.nspname, p.relname)) || '::pg_catalog.regclass')
                AS condition,
            ARRAY['pg_catalog.pg_inherits'::regclass::oid::int8, c.oid::int8, 0] AS row,
            ARRAY[ARRAY['pg_catalog.pg_class'::regclass::oid::int8, p.oid::int8, 0]] AS needs
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
            JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
            JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace,
            pg_catalog.pg_get_partition_constraintdef(c.oid) own(condition),
            pg_catalog.pg_get_partition_constraintdef(p.oid) up(condition)
        WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't'";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { parent, bound, condition: _ } = self;
        let table = at.id.root();
        let step = attachment(parent, &format!("ATTACH PARTITION {} {bound}", table.address()));
        let why = "every row must fit the partition, and none of them may be in the default partition".to_owned();
        let step = if at.current.contains(table) { step.hazard(Hazard::MayFail { why }) } else { step };
        not_null::renamed(at, table).into_iter().chain([step]).collect()
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let Self { parent, bound: _, condition: _ } = self;
        let table = at.id.root();
        let step = attachment(parent, &format!("DETACH PARTITION {}", table.address()));
        let renamed = if at.desired.contains(at.id) { Vec::new() } else { not_null::renamed(at, table) };
        std::iter::once(step).chain(renamed).collect()
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        foreign_key::coming_along(at, at.id.root())
    }

    fn gather(&self, at: &At) -> Option<Gathering> {
        gather::gather(at, self)
    }
}

impl Partition {
    /// Schema and name of the partitioned table.
    pub(super) fn parent(&self) -> &Vec<String> {
        &self.parent
    }

    /// `FOR VALUES …`, `DEFAULT`
    pub(super) fn bound(&self) -> &str {
        &self.bound
    }

    /// The bound as a condition on the rows of the partitioned table.
    pub(super) fn condition(&self) -> Option<&str> {
        self.condition.0.as_deref()
    }
}

fn attachment(parent: &[String], action: &str) -> Step {
    Step::new(format!("ALTER TABLE {} {action}", sql::qualified(parent)))
}

/// The statement that detaches a partition before it is dropped: PostgreSQL wants it where a foreign key refers to the
/// partitioned table.
pub(super) fn let_go(at: &At) -> Option<Step> {
    let relation = lineage::relation(at.id);
    let parent =
        lineage::parents(at.current, relation).first().filter(|_| lineage::is_partition(at.current, relation))?;
    let table = ObjectId::new(Kind::Table, parent.iter().cloned());
    let referred = foreign_key::around(at.current, &table).any(|key| lineage::relation(key) != parent.as_slice());
    let why = "no row of the partition may be referred to".to_owned();
    referred.then(|| {
        let step = attachment(parent, &format!("DETACH PARTITION {}", at.id.address()));
        step.hazard(Hazard::MayFail { why })
    })
}
