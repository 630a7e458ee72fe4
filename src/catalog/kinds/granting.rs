//! The statements that change rights on an object, some of which others than its owner granted.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    grant::Grant,
    granted::{closed_to, columns_of, grants_on, is_passed_on, owner_of, owner_of_whole, rights_at},
    passed::{givers, takers},
    rights::{Change, Privileges},
};
use crate::{
    catalog::{At, ObjectId, Step, id::grantee},
    sql,
};

/// Whose rights on what change.
pub(super) struct Granting<'a> {
    pub at: &'a At<'a>,
    /// What `GRANT … ON` calls the object.
    pub class: &'a str,
    /// The owner of the object when its rights were read.
    pub owner: &'a str,
    /// Whether the rights go away as a whole, which comes after all other rights have been given.
    pub last: bool,
}

/// What is passed on of rights that somebody loses.
#[derive(Default)]
struct Chain {
    /// What the grantee has from others than the owner.
    had: Privileges,
    /// Who granted it, directly or not, and does not lose the right to by a change of its own.
    givers: BTreeMap<ObjectId, Privileges>,
    /// Who has it from them or from the grantee.
    takers: BTreeMap<ObjectId, Privileges>,
}

impl Granting<'_> {
    /// The statements between the rights before and after.
    ///
    /// Only who granted something can revoke it, or, along with the right to pass it on, who granted that; and the former may
    /// not even be allowed to use the schema. So the owner takes what others granted and has to go from its root, and
    /// grants by itself what is to stay of it.
    pub fn change(&self, change: &Change) -> Vec<Step> {
        let lost: Privileges = change.revoked.union(&change.without).cloned().collect();
        let chain = self.chain(&lost);
        let cascade = !chain.takers.is_empty();
        let mut steps = self.kept_by_takers(&chain);
        steps.extend(self.taken_from_givers(&chain));
        let Change { revoked, without, granted, with, .. } = change.clone();
        let again = without.intersection(&chain.had).cloned();
        let granted = granted.into_iter().chain(again).collect();
        steps.extend(self.statements(&Change { revoked, without, cascade, ..Change::default() }));
        steps.extend(self.kept_by_givers(&chain));
        steps.extend(self.statements(&Change { granted, with, ..Change::default() }));
        let taken = if cascade { &lost } else { &change.revoked };
        steps.extend(self.columns_again(self.at.id, taken, &lost));
        self.by_owner(steps)
    }

    /// Where PostgreSQL might let the role that connects act as somebody else whose rights it has and who may pass them on,
    /// the owner says them; so it does for a superuser, who would act as the owner: the role of the same name that proves the
    /// plan is none.
    fn by_owner(&self, steps: Vec<Step>) -> Vec<Step> {
        let owner = owner_of_whole(self.at).filter(|owner| *owner != self.at.current.server.user);
        let Some(owner) = owner.filter(|_| !steps.is_empty() && is_passed_on(self.at)) else { return steps };
        let before = Step::new(format!("SET ROLE {}", sql::ident(owner)));
        let steps = std::iter::once(before).chain(steps).chain([Step::new("RESET ROLE")]);
        let Some(schema) = closed_to(self.at, owner) else { return steps.collect() };
        // An owner may lack the right to use the schema, and then cannot say a word about what is in it.
        let usage =
            |change: Change| change.statements("", &schema.to_string(), &sql::ident(owner)).into_iter().map(Step::new);
        let words: Privileges = ["USAGE".to_owned()].into();
        let entered = usage(Change { granted: words.clone(), ..Change::default() });
        entered.chain(steps).chain(usage(Change { revoked: words, ..Change::default() })).collect()
    }

    /// What of these rights was passed on by or to the grantee. `REVOKE` on a table takes away what it finds on its columns too.
    fn chain(&self, lost: &Privileges) -> Chain {
        let mut chain = Chain::default();
        let Some(of) = self.at.id.of.as_deref() else { return chain };
        let there: Vec<_> = grants_on(self.at.current, of).collect();
        let columns: Vec<Vec<_>> = self.columns().map(|column| grants_on(self.at.current, column).collect()).collect();
        for word in lost {
            let givers = givers(&there, &self.at.id.names, word, owner_of_whole(self.at));
            let grantee = self.at.id.names.first().map(String::as_str);
            let roots: BTreeSet<&str> = givers.iter().copied().chain(grantee).collect();
            for there in columns.iter().chain([&there]) {
                for taker in takers(there, &roots, word) {
                    chain.takers.entry(taker).or_default().insert(word.clone());
                }
            }
            chain.had.extend(givers.first().map(|_| word.clone()));
            let ids =
                givers.into_iter().map(|giver| ObjectId { names: vec![giver.to_owned()].into(), ..self.at.id.clone() });
            for giver in ids.filter(|id| !self.loses_itself(id, word)) {
                chain.givers.entry(giver).or_default().insert(word.clone());
            }
        }
        chain
    }

    /// Whether the rights at an address change so that what was passed on goes with them.
    fn loses_itself(&self, id: &ObjectId, word: &str) -> bool {
        let passes_on = |catalog| rights_at(catalog, id).is_some_and(|it| it.rights().grantable.contains(word));
        passes_on(self.at.current) && !passes_on(self.at.desired)
    }

    /// What those keep who have it from others.
    fn kept_by_takers(&self, chain: &Chain) -> Vec<Step> {
        let kept = chain.takers.iter().flat_map(|(id, words)| {
            if rights_at(self.at.current, id).or(rights_at(self.at.desired, id)).is_none() {
                // It is no more than what they have from the start.
                return self.of(id, &Change { granted: words.clone(), ..Change::default() });
            }
            self.again(id, words, words)
        });
        kept.collect()
    }

    /// Takes from the givers the right to pass on, and with it what they have passed on.
    fn taken_from_givers(&self, chain: &Chain) -> Vec<Step> {
        let revoked = chain.givers.iter().flat_map(|(id, words)| {
            let now = rights_at(self.at.current, id);
            // They may have it by a right on the whole relation.
            let with = words.iter().filter(|word| now.is_none_or(|it| !it.rights().grantable.contains(*word)));
            let mut steps = self.of(id, &Change { with: with.cloned().collect(), ..Change::default() });
            steps.extend(self.of(id, &Change { without: words.clone(), cascade: true, ..Change::default() }));
            steps
        });
        revoked.collect()
    }

    /// What the givers keep.
    fn kept_by_givers(&self, chain: &Chain) -> Vec<Step> {
        let kept = chain.givers.iter().flat_map(|(id, words)| {
            let keeps = rights_at(self.at.desired, id);
            let gone = words.iter().filter(|word| keeps.is_none_or(|it| !it.rights().held.contains(*word)));
            let mut steps = self.of(id, &Change { revoked: gone.cloned().collect(), ..Change::default() });
            steps.extend(self.again(id, words, words));
            steps.extend(self.columns_again(id, words, words));
            steps
        });
        kept.collect()
    }

    /// What `REVOKE` on a table takes from its columns too, and what stays there.
    fn columns_again(&self, id: &ObjectId, taken: &Privileges, lost: &Privileges) -> Vec<Step> {
        let on = |column: &ObjectId| ObjectId { of: Some(column.clone().into()), ..id.clone() };
        self.columns().flat_map(|column| self.again(&on(column), taken, lost)).collect()
    }

    /// The columns of a table that are there all along.
    fn columns(&self) -> impl Iterator<Item = &ObjectId> {
        let of = self.at.id.of.as_deref().filter(|_| self.class == "TABLE");
        let columns = of.into_iter().flat_map(|of| columns_of(self.at.desired, of));
        columns.filter(|column| self.last || self.at.persists(column))
    }

    /// Grants what somebody keeps: of `taken` all, of `lost` what may be passed on.
    fn again(&self, id: &ObjectId, taken: &Privileges, lost: &Privileges) -> Vec<Step> {
        let keeps = rights_at(self.at.desired, id).map(Grant::rights);
        let Some(keeps) = keeps.or_else(|| rights_at(self.at.current, id).map(Grant::usual)) else { return Vec::new() };
        let with: Privileges = keeps.grantable.intersection(lost).cloned().collect();
        let granted = keeps.held.intersection(taken).filter(|word| !with.contains(*word)).cloned().collect();
        self.of(id, &Change { granted, with, ..Change::default() })
    }

    /// The statements for the rights of another grantee, or on a column.
    fn of(&self, id: &ObjectId, change: &Change) -> Vec<Step> {
        let class = if id.of == self.at.id.of { self.class } else { "COLUMN" };
        Granting { at: &At { id, ..*self.at }, class, ..*self }.statements(change)
    }

    /// The statements for the rights of the grantee.
    fn statements(&self, change: &Change) -> Vec<Step> {
        let column = self.at.id.of.as_deref().filter(|_| self.class == "COLUMN");
        let part = column.map(|id| format!(" ({})", sql::ident(id.name()))).unwrap_or_default();
        change.statements(&part, &self.on(), &self.role()).into_iter().map(Step::new).collect()
    }

    /// Spells the grantee.
    fn role(&self) -> String {
        match self.at.id.names.first() {
            Some(name) => grantee(name),
            None => sql::ident(owner_of(self.at).unwrap_or(self.owner)),
        }
    }

    /// `TABLE app.users`; for a column the table that it is in.
    fn on(&self) -> String {
        let Some(of) = self.at.id.of.as_deref() else { return String::new() };
        match self.class {
            "COLUMN" => format!("TABLE {}", of.relation()),
            class if class.starts_with("SEQUENCE ") => class.to_owned(),
            "FUNCTION" | "PROCEDURE" => {
                format!("{} {}({})", self.class, sql::qualified(&of.names), sql::join(&of.args, ", "))
            }
            "DATABASE" => self.at.spelled(of),
            class => format!("{class} {}", of.address()),
        }
    }
}
