//! Secrets: they come from the environment at `apply`, and no plan holds one, nor a sum over one.
//!
//! A value in schema.sql may hold `${NAME}`. It is loaded, proved and planned as it is written; only `apply` puts the
//! variable's value in its place. What the target holds now is compared with the variable's value in the environment that
//! plans; where the variable is not set there, what the target holds is taken for it.

use std::collections::{BTreeMap, BTreeSet};

use super::{file::Scope, make::PlanError};
use crate::{
    catalog::{
        Catalog, Digest, Encoding, Object, ObjectId,
        secret::{self, HIDDEN, SECRET},
    },
    source::Source,
};

/// The environment's variables.
pub type Variables = BTreeMap<String, String>;

/// Sums over the values of options of a database, by object and option: they are compared by these, and never leave memory.
pub(super) struct Held(BTreeMap<(ObjectId, String), Digest>);

/// What was found out about the secrets of a source.
#[derive(Default)]
pub(super) struct Settled {
    /// The options that come from variables, by object.
    pub concealed: BTreeMap<String, BTreeSet<String>>,
    pub warnings: Vec<String>,
}

impl Held {
    /// Takes the secrets out of a catalog, so that nothing that is made of it can show them.
    pub fn take(catalog: &mut Catalog) -> Self {
        let mut held = BTreeMap::new();
        catalog.visit_options(|place, value| {
            held.insert((place.id.clone(), place.name.to_owned()), Digest::of(&*value));
            if secret::is_secret(place.name) && !value.is_empty() {
                HIDDEN.clone_into(value);
            }
        });
        Self(held)
    }

    /// Compares the secrets that a source wants with those that are there: afterwards, equal ones are equal in both
    /// catalogs, and different ones differ, without either being shown.
    pub fn settle(
        &self,
        current: &mut Catalog,
        wanted: &mut Catalog,
        source: &Source,
        variables: &Variables,
    ) -> Result<Settled, PlanError> {
        let mut settled = Settled::default();
        let mut stands: BTreeMap<(ObjectId, String), String> = BTreeMap::new();
        let (mut unset, mut literal) = (BTreeSet::new(), Vec::new());
        wanted.visit_options(|place, value| {
            let key = (place.id.clone(), place.name.to_owned());
            let held = self.0.get(&key);
            if secret::variables(value).next().is_some() {
                let resolved = secret::resolved(value, |name| variables.get(name).cloned());
                if resolved.is_none() {
                    unset.extend(secret::variables(value).filter(|it| !variables.contains_key(*it)).map(str::to_owned));
                }
                let equal = held.is_some() && resolved.is_none_or(|resolved| held == Some(&Digest::of(&resolved)));
                stands.insert(key, if equal { value.clone() } else { HIDDEN.to_owned() });
                settled.concealed.entry(place.id.to_string()).or_default().insert(place.name.to_owned());
            } else if secret::is_secret(place.name) && !value.is_empty() && value != HIDDEN {
                let at = source.locate(place.id.kind.keyword(), &place.id.names).map(|at| format!("{at}: "));
                let what = format!("{}the {} of {} stands in clear", at.unwrap_or_default(), place.name, place.id);
                if held == Some(&Digest::of(&*value)) {
                    settled.warnings.push(format!("{what}; write '${{NAME}}' there, and set NAME where it is applied"));
                } else {
                    literal.push(what);
                }
                HIDDEN.clone_into(value);
            }
        });
        if !literal.is_empty() {
            return Err(PlanError::Literal(literal));
        }
        current.visit_options(|place, value| {
            if let Some(stands) = stands.get(&(place.id.clone(), place.name.to_owned())) {
                value.clone_from(stands);
            }
        });
        settled.warnings.extend(unset.iter().map(|name| {
            format!("the variable {name} is not set here: what the database holds in its place is taken for it")
        }));
        Ok(settled)
    }
}

/// The variables that the options of these objects come from and that a statement names; an error where it would have to
/// hold a secret that only the database knows.
pub(super) fn used<'a>(
    sql: &str,
    objects: impl Iterator<Item = (&'a ObjectId, &'a Object)>,
) -> Result<BTreeMap<String, Encoding>, PlanError> {
    let mut used = BTreeMap::new();
    if !sql.contains("${") {
        return Ok(used);
    }
    for (id, object) in objects {
        let mut hides = None;
        object.clone().visit_options(&mut |name, encoding, value| {
            if value == HIDDEN && sql.contains(HIDDEN) {
                hides = Some(name.to_owned());
            }
            let named = secret::variables(value).filter(|name| sql.contains(&format!("${{{name}}}")));
            used.extend(named.map(|name| (name.to_owned(), encoding)));
        });
        if let Some(name) = hides {
            return Err(PlanError::Hidden { object: id.to_string(), name });
        }
    }
    Ok(used)
}

/// A statement with the values of its variables; the error is those that are not set.
pub fn resolve(
    sql: &str,
    used: &BTreeMap<String, Encoding>,
    variables: &Variables,
) -> Result<String, BTreeSet<String>> {
    if used.is_empty() {
        return Ok(sql.to_owned());
    }
    let missing: BTreeSet<String> = used.keys().filter(|name| !variables.contains_key(*name)).cloned().collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let find = |name: &str| match used.get(name) {
        Some(encoding) => variables.get(name).map(|value| encoding.encoded(value)),
        None => Some(format!("${{{name}}}")),
    };
    Ok(secret::in_constants(sql, |text| secret::resolved(&text, find).unwrap_or(text)))
}

/// The values that a statement gets from its variables, each with the variable's name; longer ones first matter to nobody,
/// since a value that holds another is still replaced.
pub fn values(used: &BTreeMap<String, Encoding>, variables: &Variables) -> BTreeMap<String, String> {
    let values = used.iter().filter_map(|(name, encoding)| {
        let value = variables.get(name).filter(|value| !value.is_empty())?;
        Some(
            [value.clone(), encoding.encoded(value), encoding.encoded(value).replace('\'', "''")]
                .map(|it| (it, name.clone())),
        )
    });
    values.flatten().collect()
}

/// Puts variables in the place of the secrets in a catalog; each is named after its object and option.
pub fn name(catalog: &mut Catalog) {
    catalog.visit_options(|place, value| {
        if secret::is_secret(place.name) && !value.is_empty() {
            let mut name = String::new();
            for c in format!("{}_{}", place.id, place.name).chars() {
                let c = if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
                if !(c == '_' && name.ends_with('_')) {
                    name.push(c);
                }
            }
            *value = format!("${{{name}}}");
        }
    });
}

impl Scope {
    /// The sum over a definition, without the secrets in it.
    pub fn digest(&self, id: &ObjectId, object: &Object) -> Digest {
        if !id.kind.has_options() {
            return object.digest();
        }
        let concealed = self.concealed.get(&id.to_string());
        let mut object = object.clone();
        object.visit_options(&mut |name, _, value| {
            let conceals = secret::is_secret(name) && !value.is_empty() || value == HIDDEN;
            if conceals || concealed.is_some_and(|names| names.contains(name)) {
                SECRET.clone_into(value);
            }
        });
        object.digest()
    }
}
