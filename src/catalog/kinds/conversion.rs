//! Converting the values of a column from the old definition of a type to the new one of the same name.

use super::{Kind, Object, row_type, swap};
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
        let types = Types { at };
        let mut guards = Vec::new();
        types.guards(&column, from, to, &mut guards);
        if let Some(body) = types.elements(from, to) {
            let old = named(at.current, element(from))
                .filter(|id| !id.kind.in_the_way())
                .map_or_else(|| element(from).to_owned(), |id| swap::aside_address(&id, at));
            let create = format!(
                "CREATE FUNCTION {FUNCTION}({old}[]) RETURNS {to} LANGUAGE sql IMMUTABLE AS {}",
                sql::dollar(&body)
            );
            guards.push(dimensions_guard(at, &column));
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

/// The name and the type of a part of a composite value.
pub(super) type Attribute = (String, String);

/// Which of the two states a type is of.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Before,
    After,
}

/// The types on both sides.
#[derive(Clone, Copy)]
pub(super) struct Types<'a> {
    pub at: &'a At<'a>,
}

impl Types<'_> {
    /// The expression that converts a value; what has no simpler way goes through text.
    fn converted(&self, value: &str, from: &str, to: &str) -> String {
        let swapped = named(self.at.current, element(from)).is_some_and(|id| !id.kind.in_the_way());
        if from == to && !swapped {
            return value.to_owned();
        }
        let direct = self.at.desired.assignable(&without_modifier(from), &without_modifier(to)).is_some();
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
        let (old, new) = (self.attributes(Side::Before, from)?, self.attributes(Side::After, to)?);
        let fields = new.iter().map(|(name, to)| match old.iter().find(|(old, _)| old == name) {
            Some((_, from)) => self.converted(&format!("({value}).{}", sql::ident(name)), from, to),
            None => "NULL".to_owned(),
        });
        let row = sql::join(fields, ", ");
        // `IS NOT NULL` would be false for a value whose attributes are all null.
        Some(format!("CASE WHEN {value} IS DISTINCT FROM NULL THEN ROW({row})::{to} END"))
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
    pub fn same_shape(&self, from: &str, to: &str) -> bool {
        let (from, to) = (self.under(Side::Before, from), self.under(Side::After, to));
        if is_array(&from) && is_array(&to) {
            return self.same_shape(element(&from), element(&to));
        }
        match (self.attributes(Side::Before, &from), self.attributes(Side::After, &to)) {
            (Some(old), Some(new)) => {
                let alike = |(old, new): (&Attribute, &Attribute)| old == new && self.same_shape(&old.1, &new.1);
                old.len() == new.len() && old.iter().zip(&new).all(alike)
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// What is under a type's domains.
    pub fn under(&self, side: Side, data_type: &str) -> String {
        let catalog = self.catalog(side);
        match named(catalog, data_type).and_then(|id| catalog.get(&id)) {
            Some(Object::Domain(domain)) => self.under(side, domain.data_type()),
            _ => data_type.to_owned(),
        }
    }

    fn catalog(&self, side: Side) -> &Catalog {
        match side {
            Side::Before => self.at.current,
            Side::After => self.at.desired,
        }
    }

    /// The attributes of a composite type, of the one under a domain, or of the row type of a relation, with their types.
    pub fn attributes(&self, side: Side, data_type: &str) -> Option<Vec<Attribute>> {
        let catalog = self.catalog(side);
        let id = named(catalog, data_type)?;
        match (catalog.get(&id)?, side) {
            (Object::Composite(composite), _) => {
                let attribute = |name: &String| {
                    let id = ObjectId::new(Kind::Attribute, id.names.iter().chain([name]).cloned());
                    match catalog.get(&id)? {
                        Object::Attribute(it) => Some((name.clone(), it.data_type().to_owned())),
                        _ => None,
                    }
                };
                Some(composite.attributes().iter().filter_map(attribute).collect())
            }
            (Object::Domain(domain), _) => self.attributes(side, domain.data_type()),
            (_, Side::Before) => row_type::before(self.at, &id),
            (_, Side::After) => row_type::after(self.at, &id),
        }
    }

    /// Adds a query for every place inside a value where a label may stand that is gone.
    pub fn guards(&self, value: &str, from: &str, to: &str, guards: &mut Vec<Guard>) {
        if is_array(from) && is_array(to) {
            return self.guards(&format!("unnest({value})"), element(from), element(to), guards);
        }
        let At { current, desired, .. } = *self.at;
        let (Some(old), Some(new)) = (named(current, from), named(desired, to)) else { return };
        match (current.get(&old), desired.get(&new)) {
            (Some(Object::Domain(domain)), _) => self.guards(value, domain.data_type(), to, guards),
            (_, Some(Object::Domain(domain))) => self.guards(value, from, domain.data_type(), guards),
            (Some(Object::Enum(old)), Some(Object::Enum(new))) => {
                if old.labels().iter().any(|label| !new.labels().contains(label)) {
                    guards.push(labels_guard(self.at, value, to, new.labels()));
                }
            }
            _ => {
                let new = self.attributes(Side::After, to).unwrap_or_default();
                for (name, from) in self.attributes(Side::Before, from).unwrap_or_default() {
                    if let Some((_, to)) = new.iter().find(|(new, _)| *new == name) {
                        self.guards(&format!("({value}).{}", sql::ident(&name)), &from, to, guards);
                    }
                }
            }
        }
    }
}

/// The user's type of this name.
fn named(catalog: &Catalog, data_type: &str) -> Option<ObjectId> {
    let modified = data_type.strip_suffix(')').and_then(|it| it.rsplit_once('('));
    let names = sql::parts(modified.map_or(data_type, |(name, _)| name));
    let ids = Kind::ALL.iter().filter(|kind| kind.swaps()).map(|kind| ObjectId::new(*kind, names.iter().cloned()));
    let slot = Slot(Space::Type, names.clone().into());
    ids.into_iter().find(|id| catalog.get(id).is_some_and(|object| object.slots(id).contains(&slot)))
}

/// Asks for arrays that cannot be taken apart and put together again element by element.
pub(super) fn dimensions_guard(at: &At, value: &str) -> Guard {
    Guard {
        requires: format!("no array in {} has more than one dimension", at.id),
        query: format!(
            "SELECT array_dims(value) AS value, count(*) AS rows FROM (SELECT {value} AS value FROM {}) AS found \
             WHERE array_ndims(value) > 1 GROUP BY 1 ORDER BY 1 LIMIT 10",
            at.id.relation()
        ),
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

pub(super) fn is_array(data_type: &str) -> bool {
    data_type.ends_with("[]")
}

/// What an array is made of; of anything else, that itself.
pub(super) fn element(data_type: &str) -> &str {
    data_type.strip_suffix("[]").unwrap_or(data_type)
}

/// A type without its modifier, which may stand in the middle: `timestamp(3) with time zone`.
pub(super) fn without_modifier(data_type: &str) -> String {
    match data_type.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?.1))) {
        Some((name, rest)) => format!("{name}{rest}"),
        None => data_type.to_owned(),
    }
}
