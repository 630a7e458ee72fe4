//! From OIDs to addresses: which object a row of `pg_depend` speaks about.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::Tie;

/// A row of a catalog: its class, its OID, its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address {
    pub class: u32,
    pub object: u32,
    pub sub: u32,
}

/// `pg_class`, whose OID is the same everywhere.
const PG_CLASS: u32 = 1259;
/// `pg_namespace`, likewise.
const PG_NAMESPACE: u32 = 2615;
/// How many internal dependencies lead from a row to the object that stands for it, at most:
/// toast index, toast table, materialized view.
const DEPTH: u32 = 4;

/// An object, by the order in which it was read.
pub(super) type Number = usize;

/// Collects addresses and dependencies, and turns the latter into ties.
#[derive(Default)]
pub(super) struct Resolver {
    objects: HashMap<Address, Number>,
    /// Those of them that are a part of another row: columns.
    parts: Vec<(Address, Number)>,
    /// Those of them that go along with an owner that is created after them.
    created_before_owner: HashSet<Number>,
    /// The row on which a row depends internally, and which therefore stands for it.
    internal: HashMap<Address, Address>,
    /// The rows that are no objects of their own, but a part of how another is made: the constructors of a range type.
    implementation: HashSet<Address>,
    /// The rows that exist because a row of a partitioned table does: its indexes, keys and triggers in each partition.
    clones: HashSet<Address>,
    /// The extension to which a row belongs, which therefore stands for it.
    members: HashMap<Address, Address>,
    depends: Vec<(Address, Address, char)>,
    /// Each definition about another object, with that object.
    about: Vec<(Number, Number)>,
    needs: Vec<(Number, Address)>,
    /// The definition that makes an object whole.
    whole: HashMap<Number, Number>,
}

impl Resolver {
    /// Takes note of an object's address, and whether it is created before what owns it.
    pub fn object(&mut self, address: Address, object: Number, created_before_owner: bool) {
        if address.sub != 0 {
            self.parts.push((address, object));
        }
        if created_before_owner {
            self.created_before_owner.insert(object);
        }
        self.objects.insert(address, object);
    }

    /// Takes note of a definition about another object.
    pub fn about(&mut self, object: Number, of: Number) {
        self.about.push((object, of));
    }

    /// Takes note of a definition that makes another object whole.
    pub fn completes(&mut self, definition: Number, of: Number) {
        self.whole.insert(of, definition);
    }

    /// Takes note of what an object needs beyond what `pg_depend` says.
    pub fn needs(&mut self, object: Number, needs: &[[u32; 3]]) {
        let address = |&[class, object, sub]: &[u32; 3]| Address { class, object, sub };
        self.needs.extend(needs.iter().map(|row| (object, address(row))));
    }

    /// Takes one row of `pg_depend`, as seven words.
    pub fn depend(&mut self, text: &str) -> Option<()> {
        let mut words = text.split(' ');
        let mut number = || words.next().and_then(|word| word.parse::<u32>().ok());
        let mut address = || Some(Address { class: number()?, object: number()?, sub: number()? });
        let (from, to) = (address()?, address()?);
        let deptype = words.next()?.chars().next()?;
        // A column of a partition key depends internally on its own table, and is an object nevertheless.
        let itself = (from.class, from.object) == (to.class, to.object);
        if matches!(deptype, 'i' | 'P' | 'S') && !itself {
            self.internal.entry(from).or_insert(to);
        }
        // The sequence of an identity column is an object all the same.
        if deptype == 'i' && from.class != PG_CLASS {
            self.implementation.insert(from);
        }
        if deptype == 'P' {
            self.clones.insert(from);
            return Some(());
        }
        if deptype == 'e' {
            self.members.insert(from, to);
        }
        // Before 15, a generated column would go along with whatever its expression uses.
        let generated = deptype == 'a' && from.class == PG_CLASS && from.sub > 0 && !itself;
        let deptype = if generated { 'n' } else { deptype };
        self.depends.push((from, to, deptype));
        Some(())
    }

    /// Whether a row is only a part of how another object is made.
    pub fn is_implementation(&self, address: Address) -> bool {
        self.implementation.contains(&address)
    }

    /// The object at exactly this address.
    pub fn exact(&self, address: Address) -> Option<Number> {
        self.objects.get(&address).copied()
    }

    /// The extension of which the object at an address is a member, or a part of one.
    pub fn extension(&self, address: Address) -> Option<Number> {
        self.exact(*self.members.get(&Address { sub: 0, ..address })?)
    }

    /// The object that stands for an address: itself, its table, or what it internally belongs to.
    fn resolve(&self, address: Address, depth: u32) -> Option<Number> {
        let whole = Address { sub: 0, ..address };
        if let Some(extension) = self.members.get(&whole) {
            return self.exact(*extension);
        }
        self.exact(address).or_else(|| self.exact(whole)).or_else(|| {
            let next = self.internal.get(&address).or_else(|| self.internal.get(&whole))?;
            if depth == 0 { None } else { self.resolve(*next, depth - 1) }
        })
    }

    /// Every tie among the objects.
    pub fn ties(&self) -> Vec<(Number, Number, Tie)> {
        let mut ties = Vec::with_capacity(self.depends.len() + self.objects.len());
        let made_of = self.made_of();
        for (from, to, deptype) in &self.depends {
            // What a partition has on account of its partitioned table says nothing of that.
            if self.clones.contains(from) && self.exact(*from).is_none() {
                continue;
            }
            let tie = match deptype {
                'n' => Tie::Needs,
                'a' if from.class == PG_CLASS && self.is_owned(*from) => Tie::Owned,
                'a' | 'i' | 'I' | 'S' => Tie::Belongs,
                _ => continue,
            };
            let in_schema = to.class == PG_NAMESPACE;
            if let (Some(from), Some(to)) = (self.resolve(*from, DEPTH), self.resolve(*to, DEPTH)) {
                // What stands for a row that goes along (a view for its rule) needs what the row needs.
                ties.push(match (self.whole.get(&from), self.whole.get(&to)) {
                    _ if from == to || in_schema => (from, to, tie),
                    // What an object is made of once it is whole needs it before, and goes along with it.
                    (_, Some(_)) if made_of.contains(&(to, from)) => (from, to, Tie::Belongs),
                    (part, whole) => (*part.unwrap_or(&from), *whole.unwrap_or(&to), tie),
                });
            }
        }
        for (address, object) in &self.parts {
            // The row of a composite type in `pg_class` belongs to the one in `pg_type`.
            if let Some(whole) = self.resolve(Address { sub: 0, ..*address }, DEPTH) {
                ties.push((*object, whole, Tie::Belongs));
            }
        }
        for (object, address) in &self.needs {
            if let Some(needed) = self.resolve(*address, DEPTH) {
                ties.push((*object, *self.whole.get(&needed).unwrap_or(&needed), Tie::Needs));
            }
        }
        for (object, of) in &self.about {
            ties.extend(self.whole.get(of).filter(|it| *it != object).map(|whole| (*object, *whole, Tie::Needs)));
        }
        ties.extend(self.about.iter().map(|(object, of)| (*object, *of, Tie::Belongs)));
        ties
    }

    /// The objects that are made whole, with what they are made of.
    fn made_of(&self) -> HashSet<(Number, Number)> {
        let rows = self.depends.iter().filter(|(from, _, _)| !self.whole.is_empty() && from.class != PG_CLASS);
        let pairs = rows.filter_map(|(from, to, _)| Some((self.exact(*from)?, self.exact(*to)?)));
        pairs.filter(|(from, _)| self.whole.contains_key(from)).collect()
    }

    /// A sequence goes along with its column, yet is created before it.
    fn is_owned(&self, address: Address) -> bool {
        self.exact(address).is_some_and(|object| self.created_before_owner.contains(&object))
    }

    /// The objects that belong to an extension, and everything that belongs to those.
    pub fn extension_members(&self) -> BTreeSet<Number> {
        let mut members: BTreeSet<Number> = self.members.keys().filter_map(|address| self.exact(*address)).collect();
        if members.is_empty() {
            return members;
        }
        let belongs = self.parts_of();
        loop {
            let before = members.len();
            for (from, to) in &belongs {
                if members.contains(to) {
                    members.insert(*from);
                }
            }
            if members.len() == before {
                return members;
            }
        }
    }

    /// Every object with what it goes along with; members of extensions not yet being stood for by these.
    fn parts_of(&self) -> Vec<(Number, Number)> {
        let depends = self.depends.iter().filter(|(_, _, deptype)| matches!(deptype, 'a' | 'i' | 'I' | 'P' | 'S'));
        let row = |address: &Address| self.exact(*address).or_else(|| self.exact(Address { sub: 0, ..*address }));
        let find = |address: &Address| row(address).or_else(|| row(self.internal.get(address)?));
        let ties = depends.filter_map(|(from, to, _)| Some((find(from)?, find(to)?)));
        let parts = self.parts.iter().filter_map(|(address, id)| Some((*id, find(&Address { sub: 0, ..*address })?)));
        ties.chain(parts).chain(self.about.iter().copied()).collect()
    }
}
