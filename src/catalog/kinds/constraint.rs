//! Table constraints: PRIMARY KEY, UNIQUE, CHECK, EXCLUDE.

use serde::{Deserialize, Serialize};

use super::{
    Object,
    index::head,
    key_index, lineage,
    options::{self, Options},
    partition_index, stand_in,
};
use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Shape, Slot, Space, Step},
    sql,
};

/// What each constraint query selects, up to its own columns, joins and the choice of types.
///
/// What can stand at the end of a definition and has a field of its own is cut off.
macro_rules! query {
    ($columns:literal, $joins:literal, $types:literal) => {
        concat!(
            "SELECT 'pg_catalog.pg_constraint'::regclass::oid AS classid, k.oid AS objid, 0 AS objsubid,
                ARRAY[n.nspname, c.relname, k.conname] AS names, k.convalidated AS valid,
                k.conenforced AS enforced, -- 18+
                true AS enforced, -- <18
                CASE WHEN k.condeferred THEN 'DEFERRABLE INITIALLY DEFERRED' WHEN k.condeferrable THEN 'DEFERRABLE' END
                    AS deferrable,
                pg_catalog.regexp_replace(pg_catalog.pg_get_constraintdef(k.oid),
                    '( DEFERRABLE)?( INITIALLY DEFERRED)?( NOT ENFORCED| NOT VALID)?$', '') AS definition",
            $columns,
            " FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace ",
            $joins,
            " WHERE k.oid >= 16384 AND c.relpersistence <> 't' AND k.contype IN (",
            $types,
            ")"
        )
    };
}

pub(super) use query;

/// A constraint on the rows of one table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// As `pg_get_constraintdef` writes it, up to what the other fields say.
    #[serde(deserialize_with = "head")]
    definition: String,
    /// Of an exclusion constraint.
    predicate: Option<String>,
    /// `DEFERRABLE`, `DEFERRABLE INITIALLY DEFERRED`
    deferrable: Option<String>,
    enforced: bool,
    valid: bool,
    /// Of the index.
    options: Options,
    /// Of the index.
    tablespace: Option<String>,
    /// Schema and name of the index of which the constraint's own is a partition.
    parent: Option<Vec<String>>,
    /// Not only inherited.
    declared: bool,
}

impl Definition for Constraint {
    const KEYWORD: &'static str = "CONSTRAINT";
    const SHAPE: Shape = Shape::OnRelation;
    const QUERY: &'static str = query!(
        ", k.contype <> 'c' OR k.conislocal OR c.relispartition AS declared, s.spcname AS tablespace, (SELECT ARRAY[m.nspname, p.relname] FROM pg_catalog.pg_inherits h
            JOIN pg_catalog.pg_class p ON p.oid = h.inhparent JOIN pg_catalog.pg_namespace m ON m.oid = p.relnamespace
            WHERE h.inhrelid = i.oid) AS parent, pg_catalog.pg_get_expr(x.indpred, x.indrelid) AS predicate,
        (SELECT coalesce(pg_catalog.json_object_agg(o.option_name, o.option_value), '{}')
            FROM pg_catalog.pg_options_to_table(i.reloptions) o) AS options",
        "LEFT JOIN pg_catalog.pg_class i ON i.oid = k.conindid
            LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
            LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = i.reltablespace",
        "'p', 'u', 'c', 'x'"
    );

    fn create(&self, at: &At) -> Vec<Step> {
        if self.is_check() && (lineage::carrier(at).is_some() || lineage::comes_with_relation(at)) {
            return Vec::new();
        }
        if let Some(steps) = self.take_over(at).or_else(|| self.take_index(at)) {
            return steps;
        }
        let not_valid = if self.enforced && !self.valid { " NOT VALID" } else { "" };
        if self.is_check() && stand_in::is_renewed(at) {
            return stand_in::renew_check(at, &self.spelled());
        }
        let step = add(at, &format!("{}{not_valid}", self.spelled()), self.enforced && self.valid);
        let part = self.parent.as_ref().and_then(|parent| partition_index::attach(at, parent, &index(at.id)));
        [step].into_iter().chain(part).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { definition, predicate, deferrable, enforced, valid, options: _, tablespace: _, parent, declared } =
            to;
        if self.declared != *declared {
            let is_there = lineage::above(at).iter().any(|up| at.desired.contains(up));
            return match declared {
                false => Alteration::Replace,
                // It is merged with the inherited one.
                true if self.definition == *definition && is_there => Alteration::InPlace(to.create(at)),
                true if self.definition == *definition => Alteration::InPlace(Vec::new()),
                true => Alteration::Replace,
            };
        }
        if self.is_check() && lineage::carrier(at).is_some() && (self.definition == *definition) {
            return Alteration::InPlace(Vec::new());
        }
        let Some(attached) = partition_index::change(at, self.parent.as_ref(), parent.as_ref(), &index(at.id)) else {
            return Alteration::Replace;
        };
        let in_place = self.definition == *definition
            && self.predicate == *predicate
            && self.deferrable == *deferrable
            && self.enforced == *enforced
            && (self.valid == *valid || *valid);
        if !in_place {
            return Alteration::Replace;
        }
        let mut steps = Vec::new();
        if self.valid != *valid {
            steps.push(validate(at));
        }
        steps.extend(to.store(at, (&self.options, self.tablespace.as_deref())));
        steps.extend(attached);
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        match partition_index::namesake(at, self.parent.as_ref()) {
            Some((id, Object::Constraint(after))) if after.take_over(&At { id, ..*at }).is_some() => Vec::new(),
            _ => vec![remove(at)],
        }
    }

    fn carrier(&self, at: &At) -> Option<ObjectId> {
        if self.is_check() { lineage::carrier(at) } else { None }
    }

    fn remover(&self, at: &At) -> Option<ObjectId> {
        if self.is_check() { lineage::remover(at) } else { partition_index::remover(at, self.parent.as_ref()) }
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        if self.is_check() { lineage::merged_into(at) } else { partition_index::ids(at, self.parent.as_ref()) }
    }

    fn clause(&self, at: &At) -> Option<String> {
        if self.is_check() && lineage::comes_with_relation(at) {
            return None;
        }
        (self.valid || !self.enforced).then(|| format!("CONSTRAINT {} {}", sql::ident(at.id.name()), self.spelled()))
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        let mut slots = vec![Slot(Space::Constraint, id.names.clone())];
        if !self.is_check() {
            slots.push(Slot(Space::Relation, index(id).into()));
        }
        if self.definition.starts_with("PRIMARY KEY") {
            slots.push(Slot(Space::PrimaryKey, id.names.iter().take(2).cloned().collect()));
        }
        slots
    }
}

impl Constraint {
    /// The other constraints have an index each.
    pub(super) fn is_check(&self) -> bool {
        self.definition.starts_with("CHECK")
    }

    /// Whether it is the one by which logical replication knows rows, where nothing else is said.
    pub(super) fn is_primary_key(&self) -> bool {
        self.definition.starts_with("PRIMARY KEY")
    }

    /// Schema and name of the index of which the constraint's own is a partition.
    pub(super) fn parent(&self) -> Option<&Vec<String>> {
        self.parent.as_ref()
    }

    /// The statements by which this one takes the place of the key that its partition has now.
    fn take_over(&self, at: &At) -> Option<Vec<Step>> {
        let (id, Object::Constraint(before)) = partition_index::namesake(at, self.parent.as_ref())? else {
            return None;
        };
        let Alteration::InPlace(changes) = before.alter(self, at) else { return None };
        let names = [id, at.id].map(|id| sql::ident(id.name()));
        let rename = format!("ALTER TABLE {} RENAME CONSTRAINT {} TO {}", at.id.relation(), names[0], names[1]);
        Some([Step::new(rename)].into_iter().chain(partition_index::unsaid(at, id)).chain(changes).collect())
    }

    /// The statements by which this one takes the unique index of its name.
    fn take_index(&self, at: &At) -> Option<Vec<Step>> {
        let index = key_index::taken(at, self)?;
        let key = if self.definition.starts_with("PRIMARY KEY") { "PRIMARY KEY" } else { "UNIQUE" };
        let deferrable = self.deferrable.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        let add = add(at, &format!("{key} USING INDEX {}{deferrable}", sql::ident(at.id.name())), false);
        Some(std::iter::once(add).chain(self.store(at, index.storage())).collect())
    }

    /// The definition of an index that could be this one's.
    pub(super) fn index_definition(&self, id: &ObjectId) -> Option<String> {
        let alone = self.parent.is_none() && self.predicate.is_none();
        alone.then(|| key_index::spelled(id, &self.definition)).flatten()
    }

    /// The statements after which the index has this one's options and tablespace.
    fn store(&self, at: &At, (options, tablespace): (&Options, Option<&str>)) -> Vec<Step> {
        let index = format!("ALTER INDEX {}", sql::qualified(index(at.id)));
        let space = self.tablespace.as_deref();
        let moved =
            (space != tablespace).then(|| format!("SET TABLESPACE {}", sql::ident(space.unwrap_or("pg_default"))));
        let actions = options::actions(options, &self.options).chain(moved);
        actions.map(|action| Step::new(format!("{index} {action}"))).collect()
    }

    fn spelled(&self) -> String {
        let Self { definition, predicate, deferrable, enforced, valid: _, options, tablespace, parent: _, declared: _ } =
            self;
        let mut text = format!("{definition}{}", options::with(options));
        if let Some(tablespace) = tablespace {
            text.push_str(&format!(" USING INDEX TABLESPACE {}", sql::ident(tablespace)));
        }
        if let Some(predicate) = predicate {
            text.push_str(&format!(" WHERE ({predicate})"));
        }
        if let Some(deferrable) = deferrable {
            text.push_str(&format!(" {deferrable}"));
        }
        if !enforced {
            text.push_str(" NOT ENFORCED");
        }
        text
    }
}

/// The index of a key has the constraint's name, in the table's schema.
fn index(id: &ObjectId) -> Vec<String> {
    id.names.iter().step_by(2).cloned().collect()
}

/// Adds a constraint, which `checked` says that the rows must satisfy.
pub(super) fn add(at: &At, definition: &str, checked: bool) -> Step {
    let name = sql::ident(at.id.name());
    let step = Step::new(format!("ALTER TABLE {} ADD CONSTRAINT {name} {definition}", at.id.relation()));
    if checked && at.current.has_relation(&at.id.names) { may_fail(step) } else { step }
}

pub(super) fn validate(at: &At) -> Step {
    may_fail(change(at, "VALIDATE CONSTRAINT", ""))
}

pub(super) fn may_fail(step: Step) -> Step {
    step.hazard(Hazard::MayFail { why: "rows that are there must satisfy the constraint".to_owned() })
}

pub(super) fn remove(at: &At) -> Step {
    change(at, "DROP CONSTRAINT", "")
}

pub(super) fn change(at: &At, action: &str, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} {action} {}{what}", at.id.relation(), sql::ident(at.id.name())))
}
