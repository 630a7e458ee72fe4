//! Converting the values of a column from the old definition of a type to the new one of the same name.

use super::{Kind, Object, swap};
use crate::{
    catalog::{At, Catalog, Guard, ObjectId, Slot, Space, Step},
    sql,
};

/// How the values of a column move from one type to another, of which at least one is made of swapped types.
pub(super) struct Conversion {
    /// What the `USING` clause calls and has to be there before.
    pub before: Option<Step>,
    /// The expression of the `USING` clause.
    pub using: String,
    /// What removes it.
    pub after: Option<Step>,
    /// Queries for values that cannot move.
    pub guards: Vec<Guard>,
}

/// The function that converts the elements of an array, for one statement.
const FUNCTION: &str = "pg_temp.reconcile_converted";

impl Conversion {
    /// How the column at `at` moves from one type to another.
    pub fn new(at: &At, from: &str, to: &str) -> Self {
        let column = sql::ident(at.id.name());
        let types = Types { current: at.current, desired: at.desired };
        let mut guards = Vec::new();
        types.guards(at, &column, from, to, &mut guards);
        if let Some(body) = types.elements(from, to) {
            let old = types
                .named(at.current, element(from))
                .map_or_else(|| element(from).to_owned(), |id| swap::aside_address(&id, at));
            let create = format!(
                "CREATE FUNCTION {FUNCTION}({old}[]) RETURNS {to} LANGUAGE sql IMMUTABLE AS {}",
                sql::dollar(&body)
            );
            guards.push(Guard {
                requires: format!("no value of {} has more than one dimension", at.id),
                query: format!(
                    "SELECT array_dims({column}) AS value, count(*) AS rows FROM {} WHERE array_ndims({column}) > 1 \
                     GROUP BY 1 ORDER BY 1 LIMIT 10",
                    at.id.relation()
                ),
            });
            return Self {
                before: Some(Step::new(create)),
                using: format!("{FUNCTION}({column})"),
                after: Some(Step::new(format!("DROP FUNCTION {FUNCTION}({old}[])"))),
                guards,
            };
        }
        Self { before: None, using: types.converted(&column, from, to), after: None, guards }
    }
}

/// The text of a column's values of one type, as the other type reads it.
pub(super) fn as_text(at: &At, from: &str, to: &str) -> String {
    let column = sql::ident(at.id.name());
    let types = Types { current: at.current, desired: at.desired };
    match types.fields(&column, from, to) {
        Some(row) if !types.same_shape(from, to) => {
            format!("CASE WHEN {column} IS DISTINCT FROM NULL THEN {row}::text END")
        }
        _ => format!("{column}::text"),
    }
}

/// The types on both sides.
struct Types<'a> {
    current: &'a Catalog,
    desired: &'a Catalog,
}

impl<'a> Types<'a> {
    /// The expression that converts a value; what has no simpler way goes through text.
    fn converted(&self, value: &str, from: &str, to: &str) -> String {
        let swapped = self.named(self.current, element(from)).is_some();
        if from == to && !swapped {
            return value.to_owned();
        }
        let direct = self.desired.assignable(without_modifier(from), without_modifier(to)).is_some();
        if from != to && direct && !swapped {
            return format!("{value}::{to}");
        }
        if is_array(from) || self.same_shape(from, to) {
            return format!("{value}::text::{to}");
        }
        self.row(value, from, to).unwrap_or_else(|| format!("{value}::text::{to}"))
    }

    /// The expression that makes a composite value attribute by attribute.
    fn row(&self, value: &str, from: &str, to: &str) -> Option<String> {
        let (old, new) = (self.attributes(self.current, from)?, self.attributes(self.desired, to)?);
        let fields = new.iter().map(|(name, to)| match old.iter().find(|(old, _)| old == name) {
            Some((_, from)) => self.converted(&format!("({value}).{}", sql::ident(name)), from, to),
            None => "NULL".to_owned(),
        });
        let row = sql::join(fields, ", ");
        // `IS NOT NULL` would be false for a value whose attributes are all null.
        Some(format!("CASE WHEN {value} IS DISTINCT FROM NULL THEN ROW({row})::{to} END"))
    }

    /// A row of the attributes of a composite value, as another type has them, to be written as text.
    fn fields(&self, value: &str, from: &str, to: &str) -> Option<String> {
        let (old, new) = (self.attributes(self.current, from)?, self.attributes(self.desired, to)?);
        let field = |(name, to): &(String, String)| {
            let Some((_, from)) = old.iter().find(|(old, _)| old == name) else { return "NULL".to_owned() };
            let field = format!("({value}).{}", sql::ident(name));
            if self.same_shape(element(from), element(to)) {
                return field;
            }
            self.fields(&field, from, to).unwrap_or(field)
        };
        Some(format!("ROW({})", sql::join(new.iter().map(field), ", ")))
    }

    /// The body of the function that converts an array of composite values whose attributes are not the same.
    fn elements(&self, from: &str, to: &str) -> Option<String> {
        if !is_array(from) || !is_array(to) || self.same_shape(element(from), element(to)) {
            return None;
        }
        let converted = self.row("$1[i]", element(from), element(to))?;
        Some(format!(
            "SELECT CASE WHEN array_ndims($1) = 1 THEN (array_dims($1) || '=' || ARRAY(SELECT {converted} \
             FROM generate_subscripts($1, 1) i ORDER BY i)::text)::{to} ELSE $1::text::{to} END"
        ))
    }

    /// Whether values of both types are written alike, so that text leads from one to the other.
    fn same_shape(&self, from: &str, to: &str) -> bool {
        match (self.attributes(self.current, from), self.attributes(self.desired, to)) {
            (Some(old), Some(new)) => {
                old.len() == new.len()
                    && old
                        .iter()
                        .zip(&new)
                        .all(|(old, new)| old == new && self.same_shape(element(&old.1), element(&new.1)))
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// The attributes of a composite type, or of the one under a domain, with their types.
    fn attributes(&self, catalog: &Catalog, data_type: &str) -> Option<Vec<(String, String)>> {
        let id = self.named(catalog, data_type)?;
        match catalog.get(&id)? {
            Object::Composite(composite) => Some(
                composite
                    .attributes()
                    .iter()
                    .filter_map(|name| {
                        let id = ObjectId::new(Kind::Attribute, id.names.iter().chain([name]).cloned());
                        match catalog.get(&id)? {
                            Object::Attribute(it) => Some((name.clone(), it.data_type().to_owned())),
                            _ => None,
                        }
                    })
                    .collect(),
            ),
            Object::Domain(domain) => self.attributes(catalog, domain.data_type()),
            _ => None,
        }
    }

    /// The user's type of this name.
    fn named(&self, catalog: &Catalog, data_type: &str) -> Option<ObjectId> {
        let modified = data_type.strip_suffix(')').and_then(|it| it.rsplit_once('('));
        let names = sql::parts(modified.map_or(data_type, |(name, _)| name));
        let ids = Kind::ALL.iter().filter(|kind| kind.swaps()).map(|kind| ObjectId::new(*kind, names.iter().cloned()));
        let slot = Slot(Space::Type, names.clone().into());
        ids.into_iter().find(|id| catalog.get(id).is_some_and(|object| object.slots(id).contains(&slot)))
    }

    /// Adds a query for every place inside a value where a label may stand that is gone.
    fn guards(&self, at: &At, value: &str, from: &str, to: &str, guards: &mut Vec<Guard>) {
        if is_array(from) && is_array(to) {
            return self.guards(at, &format!("unnest({value})"), element(from), element(to), guards);
        }
        let objects = (self.named(self.current, from), self.named(self.desired, to));
        let (Some(old), Some(new)) = objects else { return };
        match (self.current.get(&old), self.desired.get(&new)) {
            (Some(Object::Domain(domain)), _) => self.guards(at, value, domain.data_type(), to, guards),
            (_, Some(Object::Domain(domain))) => self.guards(at, value, from, domain.data_type(), guards),
            (Some(Object::Enum(old)), Some(Object::Enum(new))) => {
                if old.labels().iter().any(|label| !new.labels().contains(label)) {
                    guards.push(labels_guard(at, value, to, new.labels()));
                }
            }
            _ => {
                let new = self.attributes(self.desired, to).unwrap_or_default();
                for (name, from) in self.attributes(self.current, from).unwrap_or_default() {
                    if let Some((_, to)) = new.iter().find(|(new, _)| *new == name) {
                        self.guards(at, &format!("({value}).{}", sql::ident(&name)), &from, to, guards);
                    }
                }
            }
        }
    }
}

fn labels_guard(at: &At, value: &str, to: &str, labels: &[String]) -> Guard {
    let known = sql::join(labels.iter().map(|label| sql::literal(label)), ", ");
    let condition = if labels.is_empty() { "IS NOT NULL".to_owned() } else { format!("NOT IN ({known})") };
    Guard {
        requires: format!("every value in {} is one of {to}", at.id),
        query: format!(
            "SELECT value::text, count(*) AS rows FROM (SELECT {value} AS value FROM {}) AS found \
             WHERE value::text {condition} GROUP BY 1 ORDER BY 1 LIMIT 10",
            at.id.relation()
        ),
    }
}

fn is_array(data_type: &str) -> bool {
    data_type.ends_with("[]")
}

fn element(data_type: &str) -> &str {
    data_type.strip_suffix("[]").unwrap_or(data_type)
}

fn without_modifier(data_type: &str) -> &str {
    data_type.split_once('(').map_or(data_type, |(name, _)| name)
}
