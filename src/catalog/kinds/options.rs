//! Storage and view options (`reloptions`): spelled in `CREATE … WITH (…)`, changed by `SET (…)` and `RESET (…)`.

use std::collections::BTreeMap;

use crate::{
    catalog::{At, Step},
    sql,
};

/// Options by name, a namespace such as `toast.` included.
pub(super) type Options = BTreeMap<String, String>;

/// Spells ` WITH (name='value', …)`, or nothing without options.
pub(super) fn with(options: &Options) -> String {
    if options.is_empty() { String::new() } else { format!(" WITH ({})", list(options.iter())) }
}

/// The statements that change `from` into `to` on the object itself: `ALTER VIEW … SET (…)`.
pub(super) fn change(from: &Options, to: &Options, at: &At) -> Vec<Step> {
    actions(from, to).map(|action| Step::new(format!("ALTER {} {action}", at.id))).collect()
}

/// The actions that change `from` into `to`: `SET (…)`, `RESET (…)`.
pub(super) fn actions(from: &Options, to: &Options) -> impl Iterator<Item = String> {
    let gone: Vec<_> = from.keys().filter(|name| !to.contains_key(*name)).collect();
    let new: Vec<_> = to.iter().filter(|(name, value)| from.get(*name) != Some(value)).collect();
    let reset =
        (!gone.is_empty()).then(|| format!("RESET ({})", sql::join(gone.into_iter().map(|name| spell(name)), ", ")));
    let set = (!new.is_empty()).then(|| format!("SET ({})", list(new.into_iter())));
    reset.into_iter().chain(set)
}

fn list<'a>(options: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    sql::join(options.map(|(name, value)| format!("{}={}", spell(name), sql::literal(value))), ", ")
}

fn spell(name: &str) -> String {
    sql::qualified(name.split('.'))
}
