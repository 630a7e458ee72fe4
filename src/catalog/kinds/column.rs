//! Columns of tables.

use serde::{Deserialize, Serialize};

use super::{
    Object, column_above as above, column_around as around, column_inherited as inherited,
    column_settings::after_type_change, conversion::Conversion, extension::has_moved, generated::Generated,
    inherited_not_null, lineage, not_null, row_type, stand_in, text_form::TextForm, typed_table,
};
use crate::{
    catalog::{Alteration, At, Catalog, Definition, Detour, Hazard, Kept, Kind, Manner, ObjectId, Shape, Step},
    sql,
};

/// A column of a table; its default and what makes it an identity column are objects of their own, the expression of a
/// generated column is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// With modifiers: `numeric(10,2)`.
    data_type: String,
    /// Without modifiers, and what is under a domain's name: decides whether a cast is needed.
    base_type: Kept<String>,
    /// Where it is not the type's own.
    collation: Option<Vec<String>>,
    not_null: bool,
    /// From 18, the name of the constraint.
    not_null_name: Kept<Option<String>>,
    generated: Option<Generated>,
    /// Not only inherited.
    declared: bool,
    position: Kept<i16>,
}

impl Definition for Column {
    const KEYWORD: &'static str = "COLUMN";
    const SHAPE: Shape = Shape::Column;
    const HOLDS_DATA: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, a.attrelid AS objid, a.attnum AS objsubid,
            ARRAY[n.nspname, c.relname, a.attname] AS names, a.attnum AS position,
            a.attnotnull -- <18
            a.attnotnull AND coalesce(k.convalidated, true) -- 18+
                AS not_null,
            k.conname AS not_null_name, -- 18+
            NULL AS not_null_name, -- <18
            a.attislocal OR c.relispartition AS declared,
            pg_catalog.format_type(a.atttypid, a.atttypmod) AS data_type,
            CASE WHEN t.typtype <> 'd' THEN pg_catalog.format_type(a.atttypid, NULL) ELSE (
                WITH RECURSIVE under AS (
                    SELECT t.typbasetype AS oid
                    UNION ALL SELECT b.typbasetype FROM under u JOIN pg_catalog.pg_type b ON b.oid = u.oid WHERE b.typtype = 'd')
                SELECT pg_catalog.format_type(b.oid, NULL)
                FROM under u JOIN pg_catalog.pg_type b ON b.oid = u.oid AND b.typtype <> 'd') END AS base_type,
            CASE WHEN a.attcollation <> t.typcollation THEN
                (SELECT ARRAY[m.nspname, l.collname] FROM pg_catalog.pg_collation l
                    JOIN pg_catalog.pg_namespace m ON m.oid = l.collnamespace WHERE l.oid = a.attcollation) END AS collation,
            CASE WHEN a.attgenerated <> '' THEN
                (SELECT json_build_object('expression', pg_catalog.pg_get_expr(e.adbin, e.adrelid),
                    'stored', a.attgenerated = 's')
                FROM pg_catalog.pg_attrdef e WHERE e.adrelid = a.attrelid AND e.adnum = a.attnum) END AS generated
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'n' AND k.conkey[1] = a.attnum -- 18+
        WHERE c.relkind IN ('r', 'p', 'f') AND c.oid >= 16384 AND c.relpersistence <> 't' AND a.attnum > 0 AND NOT a.attisdropped";

    fn create(&self, at: &At) -> Vec<Step> {
        let renewed = stand_in::is_renewed(at);
        if let Some(Object::Column(before)) = at.current.get(at.id).filter(|_| renewed) {
            return inherited::renew((before, self), at);
        }
        let ups = above::made_with(at);
        if !ups.is_empty() {
            return inherited::complete(self, &ups, at);
        }
        if renewed {
            return inherited::bring(self, at);
        }
        let mut steps = vec![Step::new(format!("ALTER TABLE {} ADD COLUMN {}", at.id.relation(), self.spelled(at)))];
        if self.not_null && at.parts.is_empty() && self.generated.is_none() {
            let why = "the column is NOT NULL without a default: fails where rows are".to_owned();
            let last = steps.pop().map(|step| step.hazard(Hazard::MayFail { why }));
            steps.extend(last);
        }
        steps
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if stand_in::is_renewed(at) {
            return Alteration::Replace;
        }
        let carried = above::carried(at);
        let other_type = self.data_type != to.data_type && !has_moved(at, &self.data_type, &to.data_type);
        let retyped = other_type || self.collation != to.collation;
        let expression = match (&self.generated, &to.generated) {
            (before, after) if before == after => Vec::new(),
            (Some(before), None) if carried.generated && before.is_stored() => Vec::new(),
            (Some(before), None) if before.is_stored() => vec![change(at, "DROP EXPRESSION")],
            (Some(before), Some(after)) if !retyped => match before.change(after, at) {
                Some(steps) => steps,
                None => return Alteration::Replace,
            },
            _ => return Alteration::Replace,
        };
        let regenerated = to.generated.is_some() && !expression.is_empty();
        let retype = match (retyped, carried.data_type) {
            (true, false) => self.retype(to, at),
            (true, true) => after_type_change(at.id, at.desired),
            (false, _) => Vec::new(),
        };
        let steps = expression.into_iter().chain(self.becoming(to, at, retype)).collect();
        if !retyped {
            return Alteration::Around(steps, if regenerated { around::EXPRESSION } else { &[] });
        }
        let modifier_only = self.base_type.0 == to.base_type.0 && self.collation == to.collation;
        Alteration::Around(steps, if modifier_only { around::MODIFIER } else { around::TYPE })
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        if stand_in::is_renewed(at) {
            return Vec::new();
        }
        let only = if lineage::leaves(at) { "ONLY " } else { "" };
        let name = sql::ident(at.id.name());
        let step = Step::new(format!("ALTER TABLE {only}{} DROP COLUMN {name}", at.id.relation()));
        // What PostgreSQL computes from other columns is not lost, nor what a foreign table shows; the values of a partition
        // are those of the partitioned table.
        let in_partition =
            lineage::remover(at).is_some() && lineage::is_partition(at.current, lineage::relation(at.id));
        if self.generated.is_some() || is_foreign(at) || in_partition {
            vec![step]
        } else {
            vec![step.hazard(Hazard::Loss { what: at.id.to_string() })]
        }
    }

    fn carrier(&self, at: &At) -> Option<ObjectId> {
        lineage::carrier(at).filter(|_| !above::comes_first(at))
    }

    fn remover(&self, at: &At) -> Option<ObjectId> {
        lineage::remover(at)
    }

    fn precedes(&self, at: &At) -> Vec<ObjectId> {
        let ups = if above::comes_first(at) { lineage::above(at) } else { lineage::merged_into(at) };
        ups.into_iter().chain(row_type::next(at)).collect()
    }

    /// What is inherited no longer can be taken away.
    fn waits_for(&self, to: &Self, at: &At) -> Vec<ObjectId> {
        let ups = if self.not_null && !to.not_null { lineage::above(at) } else { Vec::new() };
        let inherited = |up: &&ObjectId| above::is_not_null(at.desired, up) && not_null::is_inherited(at.current, up);
        ups.iter().filter(inherited).map(not_null::about).collect()
    }

    fn clause(&self, at: &At) -> Option<String> {
        self.is_clause(at).then(|| self.spelled(at))
    }

    fn is_clause(&self, at: &At) -> bool {
        !lineage::comes_with_relation(at)
    }

    fn rebuilds(&self, from: Option<&Self>, at: &At) -> Option<ObjectId> {
        let table = ObjectId::new(Kind::Table, lineage::relation(at.id).iter().cloned());
        let Some(Object::Table(definition)) = at.current.get(&table) else { return None };
        // Where nothing is another, the type of this name is.
        let typed = |from: &Self| from != self && from.data_type == self.data_type && from.collation == self.collation;
        (from.is_some_and(|from| !typed(from)) && definition.has_key_column(at.id.name())).then_some(table)
    }

    fn detour(&self, at: &At) -> Option<Detour> {
        let Some(Object::Column(before)) = at.current.get(at.id) else { return None };
        if self.generated.is_some() {
            return None;
        }
        if above::follows(at) {
            let after = before.becoming(self, at, after_type_change(at.id, at.desired));
            return Some(Detour { before: Vec::new(), after, around: around::TEXT });
        }
        let (name, data_type) = (sql::ident(at.id.name()), &self.data_type);
        let expression = before.generated.as_ref().map(|_| change(at, "DROP EXPRESSION"));
        let (to_text, back) = if is_foreign(at) {
            (vec![change(at, "TYPE text")], String::new())
        } else {
            let TextForm { before, using, after, guards } = TextForm::new(at, &before.data_type, data_type);
            let step = Step { guards, ..change(at, &format!("TYPE text USING {using}")) };
            (before.into_iter().chain([step]).chain(after).collect(), format!(" USING {name}::{data_type}"))
        };
        let why = format!("every value must convert to {data_type}");
        let back = change(at, &format!("TYPE {data_type}{back}")).hazard(Hazard::MayFail { why });
        let back = std::iter::once(back).chain(after_type_change(at.id, at.desired)).collect();
        Some(Detour {
            before: expression.into_iter().chain(to_text).collect(),
            after: before.becoming(self, at, back),
            around: around::TEXT,
        })
    }

    fn rewrites(&self, manner: Manner, at: &At) -> bool {
        match (manner, at.current.get(at.id)) {
            (_, Some(_)) if stand_in::is_renewed(at) => true,
            (Manner::Moved, _) => true,
            (Manner::Altered, Some(Object::Column(from))) => {
                let typed = from.data_type == self.data_type || has_moved(at, &from.data_type, &self.data_type);
                let computed = self.generated.is_some() && from.generated != self.generated;
                !typed || from.collation != self.collation || computed
            }
            _ => self.generated.as_ref().is_some_and(Generated::is_stored) || row_type::is_filled(at),
        }
    }

    fn held_by(&self, at: &At, side: &Catalog) -> Vec<ObjectId> {
        row_type::held_by(at.id, at, side)
    }

    fn position(&self) -> i16 {
        self.position.0
    }

    fn follow(&self, _: &ObjectId, at: &At) -> Option<Alteration> {
        let Some(Object::Column(before)) = at.current.get(at.id) else { return None };
        if self.generated.is_some() {
            // PostgreSQL allows no USING there, and nothing is lost when the column is made anew.
            return None;
        }
        if above::follows(at) {
            return Some(Alteration::Around(after_type_change(at.id, at.desired), around::TYPE));
        }
        let conversion = Conversion::new(at, &before.data_type, &self.data_type);
        let collation =
            self.collation.as_ref().map_or_else(String::new, |it| format!(" COLLATE {}", sql::qualified(it)));
        let unchanged = is_foreign(at) || conversion.using == sql::ident(at.id.name());
        let using = if unchanged { String::new() } else { format!(" USING {}", conversion.using) };
        let mut step = change(at, &format!("TYPE {}{collation}{using}", self.data_type));
        step.guards = conversion.guards;
        let why = format!("every value must convert to {}", self.data_type);
        let steps = conversion.before.into_iter().chain([step.hazard(Hazard::MayFail { why })]).chain(conversion.after);
        Some(Alteration::Around(steps.chain(after_type_change(at.id, at.desired)).collect(), around::TYPE))
    }
}

impl Column {
    /// Where it stands in its table.
    pub(super) fn place(&self) -> i16 {
        self.position.0
    }

    /// With modifiers and collation.
    pub(super) fn spelled_type(&self) -> String {
        let collation = self.collation.as_ref().map(|it| format!(" COLLATE {}", sql::qualified(it)));
        format!("{}{}", self.data_type, collation.unwrap_or_default())
    }

    /// Whether no row may hold NULL.
    pub(super) fn is_not_null(&self) -> bool {
        self.not_null
    }

    /// From 18, the name of the constraint by which it is NOT NULL.
    pub(super) fn not_null_name(&self) -> Option<&String> {
        self.not_null_name.0.as_ref()
    }

    /// Whether the two are of one type and of one collation; and whether both are generated, or neither.
    pub(super) fn agrees(&self, other: &Self) -> (bool, bool) {
        let typed = self.data_type == other.data_type && self.collation == other.collation;
        (typed, self.generated.is_some() == other.generated.is_some())
    }

    /// Whether PostgreSQL computes its values.
    pub(super) fn is_generated(&self) -> bool {
        self.generated.is_some()
    }

    /// Without modifiers, and what is under a domain's name.
    pub(super) fn base_type(&self) -> &str {
        &self.base_type.0
    }

    /// With modifiers.
    pub(super) fn data_type(&self) -> &str {
        &self.data_type
    }

    fn spelled(&self, at: &At) -> String {
        // What is declared without it, although it is inherited with it.
        let left = inherited_not_null::is_only_inherited(at.desired, at.id);
        self.spelled_with(at, self.not_null && !left)
    }

    /// As it is declared, NOT NULL or not.
    pub(super) fn spelled_with(&self, at: &At, not_null: bool) -> String {
        let Self {
            data_type,
            base_type: _,
            collation,
            not_null: _,
            not_null_name: _,
            generated,
            declared: _,
            position: _,
        } = self;
        let mut text = sql::ident(at.id.name());
        // A table that is made of a type has its columns from there.
        let typed = typed_table::is_typed(at.desired, lineage::relation(at.id))
            && at.is_made(&ObjectId::new(Kind::Table, lineage::relation(at.id).iter().cloned()));
        text.push_str(&if typed { typed_table::OPTIONS.to_owned() } else { format!(" {data_type}") });
        if let Some(collation) = collation.as_ref().filter(|_| !typed) {
            text.push_str(&format!(" COLLATE {}", sql::qualified(collation)));
        }
        text.extend(generated.iter().map(|it| format!(" {}", it.spelled())));
        for part in at.parts {
            text.push_str(&format!(" {part}"));
        }
        if at.parts.is_empty() && above::has_default(at) {
            // It would have that of its parent.
            text.push_str(" DEFAULT NULL");
        }
        if not_null {
            text.push_str(&format!(" {}", not_null::clause(at)));
        }
        text
    }

    /// The steps by which the column becomes another that is not generated, with those that change its type.
    fn becoming(&self, to: &Self, at: &At, retype: Vec<Step>) -> Vec<Step> {
        let Self {
            not_null,
            not_null_name: _,
            data_type: _,
            base_type: _,
            collation: _,
            generated: _,
            declared: _,
            position: _,
        } = to;
        let carried = above::carried(at);
        let mut steps = Vec::new();
        let declared = |side| carried.not_null.is_none() || inherited_not_null::is_declared(side, at.id);
        if self.not_null && !not_null && declared(at.current) {
            steps.extend(above::nullable(at));
        }
        steps.extend(retype);
        if !self.not_null && *not_null && declared(at.desired) {
            steps.extend(above::not_null(at));
        }
        steps
    }

    fn retype(&self, to: &Self, at: &At) -> Vec<Step> {
        let mut text = format!("TYPE {}", to.data_type);
        if let Some(collation) = &to.collation {
            text.push_str(&format!(" COLLATE {}", sql::qualified(collation)));
        }
        // No rows of a foreign table are here that could be converted, and PostgreSQL allows no USING.
        if !is_foreign(at) {
            let name = sql::ident(at.id.name());
            match at.desired.assignable(&self.base_type.0, &to.base_type.0) {
                Some(true) => {}
                Some(false) => text.push_str(&format!(" USING {name}::{}", to.data_type)),
                None => text.push_str(&format!(" USING {name}::text::{}", to.data_type)),
            }
        }
        let why = format!("every value must convert to {}", to.data_type);
        let step = change(at, &text).hazard(Hazard::MayFail { why });
        std::iter::once(step).chain(after_type_change(at.id, at.desired)).collect()
    }
}

/// The columns of a relation.
pub(super) fn columns<'a>(
    catalog: &'a Catalog,
    relation: &ObjectId,
) -> impl Iterator<Item = (&'a ObjectId, &'a Column)> {
    catalog.dependents(relation).filter_map(|(id, _)| match catalog.get(id) {
        Some(Object::Column(column)) if lineage::relation(id) == &*relation.names => Some((id, &**column)),
        _ => None,
    })
}

fn is_foreign(at: &At) -> bool {
    at.current.contains(&ObjectId::new(Kind::ForeignTable, at.id.names.iter().take(2).cloned()))
}

pub(super) fn change(at: &At, what: &str) -> Step {
    Step::new(format!("ALTER TABLE {} ALTER COLUMN {} {what}", at.id.relation(), sql::ident(at.id.name())))
}
