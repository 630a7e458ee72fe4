//! The values of a column as text that another type reads, while they cannot be of the one or of the other.

use std::collections::BTreeMap;

use super::conversion::{Side, Types, dimensions_guard, element, is_array, without_modifier};
use crate::{
    catalog::{At, Guard, Step},
    sql,
};

/// How the values of a column become text.
pub(super) struct TextForm {
    /// What the `USING` clause calls and has to be there before.
    pub before: Vec<Step>,
    /// The expression of the `USING` clause.
    pub using: String,
    /// What removes it.
    pub after: Vec<Step>,
    /// Queries for values that cannot move.
    pub guards: Vec<Guard>,
}

/// The functions that write arrays, for one statement; one for each type of array.
const FUNCTION: &str = "pg_temp.reconcile_text";

impl TextForm {
    /// The text of the values of the column at `at`, which are of one type, as the other reads it.
    pub fn new(at: &At, from: &str, to: &str) -> Self {
        let column = sql::ident(at.id.name());
        let mut writing =
            Writing { types: Types { at }, functions: BTreeMap::new(), order: Vec::new(), guards: Vec::new() };
        writing.types.guards(&column, from, to, &mut writing.guards);
        let using = writing.text(&column, &column, from, to);
        let create = |array: &String| {
            let body = writing.functions.get(array).map_or("", String::as_str);
            Step::new(format!(
                "CREATE FUNCTION {FUNCTION}({array}) RETURNS text LANGUAGE sql IMMUTABLE AS {}",
                sql::dollar(body)
            ))
        };
        let before = writing.order.iter().map(create).collect();
        let drop = |array: &String| Step::new(format!("DROP FUNCTION {FUNCTION}({array})"));
        let after = writing.order.iter().rev().map(drop).collect();
        Self { before, using, after, guards: writing.guards }
    }
}

struct Writing<'a> {
    types: Types<'a>,
    /// The bodies of the functions, by the types that they take.
    functions: BTreeMap<String, String>,
    /// Those types, each after those whose functions its own calls.
    order: Vec<String>,
    guards: Vec<Guard>,
}

impl Writing<'_> {
    /// The text of a value; `path` leads to all such values from the column.
    fn text(&mut self, value: &str, path: &str, from: &str, to: &str) -> String {
        self.composed(value, path, from, to, "::text")
            .unwrap_or_else(|| format!("{}::text", self.cast(value, from, to)))
    }

    /// A value that is put together from its parts, where the other type has others; `suffix` follows a row of them.
    fn composed(&mut self, value: &str, path: &str, from: &str, to: &str, suffix: &str) -> Option<String> {
        if let Some(row) = self.row(value, path, from, to) {
            // `IS NOT NULL` would be false for a value whose attributes are all null.
            return Some(format!("CASE WHEN {value} IS DISTINCT FROM NULL THEN {row}{suffix} END"));
        }
        let (old, new) = (self.types.under(Side::Before, from), self.types.under(Side::After, to));
        let taken_apart = is_array(&old) && is_array(&new) && !self.types.same_shape(&old, &new);
        taken_apart.then(|| self.array(value, path, &old, &new))
    }

    /// A row of the attributes that another type has, where that is not written alike.
    fn row(&mut self, value: &str, path: &str, from: &str, to: &str) -> Option<String> {
        let (old, new) = (self.types.attributes(Side::Before, from)?, self.types.attributes(Side::After, to)?);
        if self.types.same_shape(from, to) {
            return None;
        }
        let mut fields = Vec::new();
        for (name, to) in &new {
            let part = |of: &str| format!("({of}).{}", sql::ident(name));
            fields.push(match old.iter().find(|(old, _)| old == name) {
                Some((_, from)) => {
                    let (value, path) = (part(value), part(path));
                    self.composed(&value, &path, from, to, "").unwrap_or_else(|| self.cast(&value, from, to))
                }
                None => "NULL".to_owned(),
            });
        }
        Some(format!("ROW({})", sql::join(fields, ", ")))
    }

    /// A call of the function that writes arrays of a type as the other reads them.
    fn array(&mut self, value: &str, path: &str, from: &str, to: &str) -> String {
        self.guards.push(dimensions_guard(self.types.at, path));
        if !self.functions.contains_key(from) {
            self.functions.insert(from.to_owned(), String::new());
            let written = self.text("$1[i]", &format!("unnest({path})"), element(from), element(to));
            let body = format!(
                "SELECT CASE WHEN array_ndims($1) = 1 THEN array_dims($1) || '=' || ARRAY(SELECT {written} \
                 FROM generate_subscripts($1, 1) i ORDER BY i)::text ELSE $1::text END"
            );
            self.functions.insert(from.to_owned(), body);
            self.order.push(from.to_owned());
        }
        format!("{FUNCTION}({value})")
    }

    /// The value as PostgreSQL converts it, where it can before the other type is there: in its own words, another type
    /// may not know it (`1.50` is no integer). Modifiers are left to the reading, which refuses what does not fit.
    fn cast(&self, value: &str, from: &str, to: &str) -> String {
        let (from, to) = (without_modifier(from), without_modifier(to));
        let direct = from != to && self.types.at.current.assignable(&from, &to).is_some();
        // What lacks a modifier there is of length one.
        if direct && !["bit", "character"].contains(&element(&to)) {
            format!("{value}::{to}")
        } else {
            value.to_owned()
        }
    }
}
