//! Indexes that are not those of constraints.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    Object, key_index,
    options::{self, Options},
    partition_index,
};
use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Slot, Space, Step},
    sql,
};

/// An index of a table or of a materialized view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Schema and name of the table or materialized view.
    relation: Vec<String>,
    /// As `pg_get_indexdef` writes it, up to the storage options.
    #[serde(deserialize_with = "head")]
    definition: String,
    /// Of a partial index.
    predicate: Option<String>,
    options: Options,
    tablespace: Option<String>,
    /// The statistics targets of expressions, by their position in the index.
    statistics: BTreeMap<i16, i16>,
    /// Schema and name of the index of which this one is a partition.
    parent: Option<Vec<String>>,
    /// Not the leftover of a `CREATE INDEX CONCURRENTLY` that failed.
    valid: bool,
}

impl Definition for Index {
    const KEYWORD: &'static str = "INDEX";
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, ARRAY[n.nspname, t.relname] AS relation,
            pg_catalog.pg_get_indexdef(c.oid) AS definition, pg_catalog.pg_get_expr(i.indpred, i.indrelid) AS predicate,
            (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
                FROM pg_catalog.pg_options_to_table(c.reloptions) o) AS options, s.spcname AS tablespace, i.indisvalid AS valid,
            (SELECT ARRAY[m.nspname, p.relname] FROM pg_catalog.pg_inherits h
                JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
                WHERE h.inhrelid = c.oid) AS parent,
            CASE WHEN c.relkind = 'I' AND NOT i.indisvalid THEN
                (SELECT json_agg(json_build_array('pg_catalog.pg_inherits'::regclass::oid::int8, h.inhrelid::int8, 0))
                    FROM pg_catalog.pg_inherits h WHERE h.inhparent = i.indrelid) END AS needs,
            (SELECT coalesce(json_object_agg(a.attnum, a.attstattarget), '{}') FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = c.oid AND a.attstattarget >= 0) AS statistics
        FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
        WHERE c.oid >= 16384 AND c.relpersistence <> 't' AND t.relkind IN ('r', 'm', 'p')
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_constraint'::regclass AND d.deptype = 'i')";

    fn create(&self, at: &At) -> Vec<Step> {
        if let Some(steps) = self.take_over(at) {
            return steps;
        }
        let Self { relation, definition, predicate, options, tablespace, statistics: _, parent, valid } = self;
        // The index of a partitioned table takes those of its partitions to itself, which are there by now.
        let head = if *valid { definition.replacen(ONLY, " ON ", 1) } else { definition.clone() };
        let mut text = format!("{head}{}", options::with(options));
        if let Some(tablespace) = tablespace {
            text.push_str(&format!(" TABLESPACE {}", sql::ident(tablespace)));
        }
        if let Some(predicate) = predicate {
            text.push_str(&format!(" WHERE {predicate}"));
        }
        let mut step = Step::new(text);
        if definition.starts_with("CREATE UNIQUE") && at.current.has_relation(relation) {
            step = step.hazard(Hazard::MayFail { why: "no two rows may have the same key".to_owned() });
        }
        // One that lacks some of its parts comes after the partitions, so that they do not complete it.
        let parts = if *valid { Vec::new() } else { partition_index::take(at, &at.id.names) };
        let part = parent.as_ref().and_then(|parent| partition_index::attach(at, parent, &at.id.names));
        std::iter::once(step).chain(self.targets(&at.id.to_string())).chain(parts).chain(part).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { relation, definition, predicate, options, tablespace, statistics, parent, valid } = to;
        // That of a partitioned table becomes valid as soon as each partition's is attached.
        let partitioned = definition.contains(ONLY);
        let in_place = self.relation == *relation
            && self.definition == *definition
            && self.predicate == *predicate
            && (self.valid == *valid || partitioned && *valid)
            && (self.options == *options || !partitioned);
        let attached = partition_index::change(at, self.parent.as_ref(), parent.as_ref(), &at.id.names);
        let (true, Some(attached)) = (in_place, attached) else {
            return Alteration::Replace;
        };
        let mut steps = options::change(&self.options, options, at);
        if self.tablespace != *tablespace {
            let tablespace = tablespace.as_deref().unwrap_or("pg_default");
            steps.push(Step::new(format!("ALTER {} SET TABLESPACE {}", at.id, sql::ident(tablespace))));
        }
        let gone = self.statistics.keys().filter(|column| !statistics.contains_key(column));
        steps.extend(gone.map(|column| target_step(&at.id.to_string(), *column, -1)));
        let new = statistics.iter().filter(|(column, target)| self.statistics.get(column) != Some(target));
        steps.extend(new.map(|(column, target)| target_step(&at.id.to_string(), *column, *target)));
        steps.extend(attached);
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        if key_index::is_taken(at, self) {
            return Vec::new();
        }
        match partition_index::namesake(at, self.parent.as_ref()) {
            Some((id, Object::Index(after))) if after.take_over(&At { id, ..*at }).is_some() => Vec::new(),
            _ => vec![Step::new(format!("DROP {}", at.id))],
        }
    }

    fn remover(&self, at: &At) -> Option<ObjectId> {
        partition_index::remover(at, self.parent.as_ref())
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        partition_index::ids(at, self.parent.as_ref())
    }

    fn is_sound(&self) -> bool {
        self.valid || self.definition.contains(ONLY)
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Relation, id.names.clone())]
    }
}

/// How `pg_get_indexdef` names a partitioned table.
const ONLY: &str = " ON ONLY ";

impl Index {
    /// Schema and name of the table or materialized view.
    pub(super) fn relation(&self) -> &[String] {
        &self.relation
    }

    /// Schema and name of the index of which this one is a partition.
    pub(super) fn parent(&self) -> Option<&Vec<String>> {
        self.parent.as_ref()
    }

    /// The same under another name, where that is all that is different about what it indexes.
    fn renamed(&self, from: &ObjectId, after: &Self) -> Option<Self> {
        let (head, columns) = after.definition.split_once("INDEX ")?;
        let rest =
            self.definition.strip_prefix(head)?.strip_prefix("INDEX ")?.strip_prefix(&sql::ident(from.name()))?;
        let same = columns.ends_with(rest) && self.predicate == after.predicate;
        same.then(|| Self { definition: after.definition.clone(), ..self.clone() })
    }

    /// The statements by which this one takes the place of the index that its partition has now.
    fn take_over(&self, at: &At) -> Option<Vec<Step>> {
        let (id, Object::Index(before)) = partition_index::namesake(at, self.parent.as_ref())? else { return None };
        let Alteration::InPlace(changes) = before.renamed(id, self)?.alter(self, at) else { return None };
        let rename = Step::new(format!("ALTER {id} RENAME TO {}", sql::ident(at.id.name())));
        Some([rename].into_iter().chain(partition_index::unsaid(at, id)).chain(changes).collect())
    }

    /// Whether this definition is all there is to it but what changes in place.
    pub(super) fn is_only(&self, definition: &str) -> bool {
        let Self { relation: _, definition: own, predicate, options: _, tablespace: _, statistics, parent, valid } =
            self;
        own == definition && predicate.is_none() && statistics.is_empty() && parent.is_none() && *valid
    }

    /// What an index stores its rows by, and in which tablespace.
    pub(super) fn storage(&self) -> (&Options, Option<&str>) {
        (&self.options, self.tablespace.as_deref())
    }

    /// The statements that set the statistics targets of a new index; `object` names it.
    pub(super) fn targets(&self, object: &str) -> Vec<Step> {
        self.statistics.iter().map(|(column, target)| target_step(object, *column, *target)).collect()
    }
}

fn target_step(object: &str, column: i16, target: i16) -> Step {
    Step::new(format!("ALTER {object} ALTER COLUMN {column} SET STATISTICS {target}"))
}

/// Takes what stands before `WITH (…)` and `WHERE …`.
pub(super) fn head<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let definition = String::deserialize(deserializer)?;
    Ok(before_options(&definition).to_owned())
}

/// What stands before `WITH (…)` and `WHERE …`: both are known apart, and `WITH` changes in place.
fn before_options(definition: &str) -> &str {
    let (mut depth, mut quote) = (0_u32, None);
    for (i, c) in definition.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 => {
                let rest = &definition[i..];
                if rest.starts_with(" WITH (") || rest.starts_with(" WHERE ") {
                    return &definition[..i];
                }
            }
            _ => {}
        }
    }
    definition
}

#[cfg(test)]
mod tests {
    use super::before_options;

    #[test]
    fn options_and_predicate_are_cut_off_and_nothing_else() {
        for (definition, head) in [
            ("CREATE INDEX i ON a.t USING btree (c)", "CREATE INDEX i ON a.t USING btree (c)"),
            (
                "CREATE INDEX i ON a.t USING btree (c) WITH (fillfactor='70') WHERE (c > 0)",
                "CREATE INDEX i ON a.t USING btree (c)",
            ),
            ("CREATE INDEX i ON a.t USING btree (c) WHERE (c <> ' WITH (')", "CREATE INDEX i ON a.t USING btree (c)"),
            (
                "CREATE INDEX \" WITH (\" ON a.t USING btree ((c || ') WHERE (''x'' WITH (')) INCLUDE (d) WITH (x=y)",
                "CREATE INDEX \" WITH (\" ON a.t USING btree ((c || ') WHERE (''x'' WITH (')) INCLUDE (d)",
            ),
        ] {
            assert_eq!(before_options(definition), head);
        }
    }
}
