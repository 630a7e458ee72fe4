//! The managed scope: what is compared and changed, and what is left as it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZero,
    thread::ScopedJoinHandle,
};

use super::file::{Roles, Scope};
use crate::catalog::{self, Catalog, Concern, Digest, Extent, Fingerprint, Object, ObjectId};

/// So many objects are not worth another thread.
const ONE_THREAD: usize = 2_000;

impl Scope {
    /// Whether an object is managed. Owners and grants count where the object that they are of does and their role is
    /// managed.
    pub fn manages(&self, id: &ObjectId, object: &Object) -> bool {
        let role = || object.role(id);
        let by_role = match id.kind.concern() {
            Concern::Schema | Concern::Role | Concern::Database => true,
            Concern::Owner => self.owners.has(role()),
            Concern::Privilege => self.privileges.has(role()),
            Concern::Version => self.global.contains(&id.to_string()),
        };
        by_role && self.holds(id)
    }

    /// Whether an object, or the object that it is about, lies in the scope.
    pub fn holds(&self, id: &ObjectId) -> bool {
        let root = id.root();
        let named = |id: &ObjectId| self.global.contains(&id.to_string());
        let inside = match (root.kind.concern(), root.schema()) {
            (Concern::Database, _) => self.database,
            // What a managed role is a member of is a part of what it may do. Roles are never managed for being there: the
            // server has those of other databases, too.
            (Concern::Role, _) => {
                let of_member = || catalog::member(root).is_some_and(|member| named(&catalog::role(member)));
                self.roles && (named(root) || of_member())
            }
            (_, Some(schema)) if schema == self.ledger => false,
            // The members of extensions have many rights that nobody speaks of.
            _ if id.kind.of_members() => named(root),
            (_, Some(schema)) => self.all || self.schemas.contains(schema),
            (_, None) => self.all || named(root),
        };
        inside && !self.ignores(root)
    }

    /// What of a server has to be read.
    pub fn extent(&self) -> Extent<'_> {
        Extent { ledger: &self.ledger, roles: self.roles, database: self.database }
    }

    fn ignores(&self, root: &ObjectId) -> bool {
        if self.ignore.is_empty() {
            return false;
        }
        // A part of a table is ignored with the table.
        let names = [root.to_string(), root.address(), root.names.join("."), root.relation()];
        self.ignore.iter().any(|pattern| names.iter().any(|name| matches(pattern, name)))
    }

    /// The fingerprint of what is managed in a catalog.
    pub fn fingerprint(&self, catalog: &Catalog) -> Fingerprint {
        let counted: Vec<_> = catalog.iter().filter(|(id, object)| self.counts(id, object)).collect();
        let sums = |part: &[(&ObjectId, &Object)]| -> BTreeMap<String, Digest> {
            part.iter().map(|(id, object)| (id.to_string(), self.digest(id, object))).collect()
        };
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let parts = counted.chunks(counted.len().div_ceil(threads).max(ONE_THREAD));
        let sums = std::thread::scope(|scope| {
            let summing: Vec<_> = parts.map(|part| scope.spawn(move || sums(part))).collect();
            let sums = |it: ScopedJoinHandle<_>| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            summing.into_iter().flat_map(sums).collect()
        });
        Fingerprint::new(sums)
    }

    /// Whether an object is managed and says something about the state.
    pub fn counts(&self, id: &ObjectId, object: &Object) -> bool {
        !object.incidental() && self.manages(id, object)
    }

    /// The desired state of a whole database: what is managed as desired, everything else as it is now.
    ///
    /// What is not managed is then equal on both sides, and comes back by itself where it has to step aside.
    pub fn complete(&self, current: &Catalog, desired: &Catalog) -> Catalog {
        let is_managed = |in_: &Catalog, id: &ObjectId| in_.get(id).is_some_and(|object| self.manages(id, object));
        // What a managed role owned and no longer does goes to whom it belongs without a word: the role that connects.
        let changes_hands = |id: &ObjectId| id.kind.concern() == Concern::Owner && is_managed(current, id);
        let managed = |id: &ObjectId| desired.contains(id) && (is_managed(desired, id) || changes_hands(id));
        let stays = |id: &ObjectId| {
            let unmanaged = current.get(id).is_some_and(|object| !self.manages(id, object));
            // A grant that is not compared stays where its object stays.
            unmanaged && (!self.holds(id) || id.of.as_ref().is_some_and(|of| managed(of)))
        };
        desired.merged(managed, current, stays)
    }

    /// A catalog without the rights on members of extensions that are not managed, which a copy could not have: those
    /// belong to superusers.
    pub fn without_rights_on_members(&self, catalog: Catalog) -> Catalog {
        let counts =
            |id: &ObjectId| !id.kind.of_members() || catalog.get(id).is_some_and(|object| self.manages(id, object));
        if catalog.iter().all(|(id, _)| counts(id)) { catalog } else { catalog.filtered(counts) }
    }

    /// How many objects of a catalog lie outside the scope, not counting what is said about them.
    pub fn outside(&self, catalog: &Catalog) -> usize {
        let counted = |id: &ObjectId| {
            let own = !matches!(id.kind.concern(), Concern::Role | Concern::Database);
            own && id.of.is_none() && id.names.len() < 3 && id.schema() != Some(&self.ledger)
        };
        catalog.iter().filter(|(id, _)| counted(id) && !self.holds(id)).count()
    }
}

impl Roles {
    fn has(&self, role: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            // The rights of an owner, whoever that is, are nobody's else.
            Self::Declared(roles) => role.is_none_or(|role| roles.contains(role)),
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for piece in pieces {
        if let Some(before) = last.replace(piece) {
            let Some((_, after)) = rest.split_once(before) else { return false };
            rest = after;
        }
    }
    last.map_or(rest.is_empty(), |last| rest.ends_with(last))
}

/// The schemas that the desired state creates or puts objects into, and its objects that live in no schema: what is there
/// beyond the `baseline` that was there before it was loaded.
pub fn touched(baseline: &Catalog, desired: &Catalog) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut schemas, mut global) = (BTreeSet::new(), BTreeSet::new());
    for (id, _) in desired.iter().filter(|(id, object)| baseline.get(id) != Some(*object)) {
        match id.schema() {
            // What an extension has put into a schema says nothing about that.
            Some(schema) if !id.kind.of_members() => schemas.insert(schema.to_owned()),
            _ => global.insert(id.root().to_string()),
        };
    }
    (schemas, global)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(matches("app.tmp_*", "app.tmp_users"));
        assert!(matches("TABLE app.*_old", "TABLE app.users_old"));
        assert!(matches("*", ""));
        assert!(matches("a*b*c", "axxbxxc"));
        assert!(!matches("a*b*c", "axxcxxb"));
        assert!(!matches("app.users", "app.users2"));
        assert!(!matches("app.tmp_*", "xapp.tmp_users"));
    }
}
