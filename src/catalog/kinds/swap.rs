//! Swapping a type: the old definition moves out of the way under a temporary name while rows move to the new one.

use crate::{
    catalog::{At, Catalog, Digest, Kind, ObjectId, Shape, Step},
    sql,
};

/// The longest name that PostgreSQL keeps, in bytes.
const NAME_LENGTH: usize = 63;

/// How much of a sum tells names apart, in digits.
const SUM_LENGTH: usize = 6;

/// Renames a type out of the way.
pub(super) fn aside(at: &At) -> Vec<Step> {
    vec![Step::new(format!("ALTER {} RENAME TO {}", at.id, sql::ident(&aside_name(at.id, at))))]
}

/// Drops what [`aside`] renamed.
pub(super) fn finish(at: &At) -> Vec<Step> {
    vec![Step::new(format!("DROP {} {}", at.id.kind.keyword(), aside_address(at.id, at)))]
}

/// The qualified name of a type while it is out of the way.
pub(super) fn aside_address(id: &ObjectId, at: &At) -> String {
    let schema = id.names.first().map_or("", String::as_str);
    sql::qualified([schema, &aside_name(id, at)])
}

/// A name that neither side uses in the schema of `id`.
pub(super) fn aside_name(id: &ObjectId, at: &At) -> String {
    free_name(id, "__reconcile_old", at)
}

/// The name of `id` with such an ending, or one to which a number is added, that neither side uses in its schema.
pub(super) fn free_name(id: &ObjectId, ending: &str, at: &At) -> String {
    let schema = id.names.first().cloned().unwrap_or_default();
    let taken = |name: &str| {
        let names = [schema.clone(), name.to_owned()];
        [at.current, at.desired].into_iter().any(|catalog| is_taken(catalog, &names))
    };
    let mut suffix = ending.to_owned();
    let mut n = 1;
    loop {
        let name = shortened(id.name(), &suffix);
        if !taken(&name) {
            return name;
        }
        n += 1;
        suffix = format!("{ending}{n}");
    }
}

fn is_taken(catalog: &Catalog, names: &[String]) -> bool {
    Kind::ALL
        .iter()
        .filter(|kind| kind.in_schema() && kind.shape() == Shape::Plain)
        .any(|kind| catalog.contains(&ObjectId::new(*kind, names.iter().cloned())))
}

/// A name with a suffix, cut so that PostgreSQL does not cut it; what is cut off leaves a sum, which tells it from others.
pub(super) fn shortened(name: &str, suffix: &str) -> String {
    let room = NAME_LENGTH - suffix.len();
    if name.len() <= room {
        return format!("{name}{suffix}");
    }
    let Digest(sum) = Digest::of(name);
    let mut length = room - SUM_LENGTH;
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    format!("{}{}{suffix}", &name[..length], &sum[..SUM_LENGTH])
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(shortened("mood", "__old"), "mood__old");
        let cut = shortened(&"é".repeat(40), "__old");
        assert!(cut.len() <= 63 && cut.starts_with(&"é".repeat(25)) && cut.ends_with("__old"));
        assert_ne!(cut, shortened(&"é".repeat(41), "__old"));
    }
}
