//! The model: objects, the ties between them, and the catalog that holds them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use petgraph::{Direction, graph::DiGraph, visit::EdgeRef};
use serde::{Deserialize, Serialize};

use super::{Kind, Object, ObjectId, Shape, kinds::role};

/// What happens to a dependent when what it depends on is dropped.
///
/// Read from `pg_depend` (`deptype`), never restated by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tie {
    /// It blocks the drop.
    Needs,
    /// It goes along, and was created after what it belongs to.
    Belongs,
    /// It goes along, but can be created first (a sequence that a column owns).
    Owned,
}

/// What a server says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The major version: 18.
    pub major: u32,
    /// `server_version_num`: 180006.
    pub version_num: u32,
    /// The database that was read.
    pub database: String,
    /// The role that read it.
    pub user: String,
    /// `pg_control_system().system_identifier`, as text.
    pub system_identifier: String,
    /// The database's encoding: `UTF8`.
    pub encoding: String,
    /// The database's `datcollate`.
    pub collate: String,
    /// The database's `datctype`.
    pub ctype: String,
    /// The owner of the database.
    pub owner: String,
    /// The role that made the cluster, which nobody can drop.
    pub maker: String,
    /// Whether `user` is a superuser.
    pub superuser: bool,
    /// How many locks one transaction can surely hold: `max_locks_per_transaction` times the backends it is shared by.
    pub lock_table: u64,
}

/// An object that no kind models.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unmodelled {
    /// Its schema, where it lives in one.
    pub schema: Option<String>,
    /// What it is, for people.
    pub address: String,
}

/// Objects by address; addresses are long, and looked up for every tie.
type Objects = IndexMap<ObjectId, Object, RandomState>;

/// What one database holds: objects by address, sorted, and the ties between them.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// The server and database that were read.
    pub server: Server,
    /// The roles of the server.
    pub roles: Vec<String>,
    /// The casts that an assignment may use, as pairs of type names; see [`Catalog::assignable`].
    pub casts: std::collections::BTreeMap<(String, String), bool>,
    /// Objects that no kind models.
    pub unmodelled: Vec<Unmodelled>,
    pub(super) objects: Objects,
    pub(super) ties: DiGraph<(), Tie>,
}

impl Catalog {
    /// A catalog of these objects and ties. Ties to objects that are not there are left out.
    pub fn new(
        server: Server,
        objects: impl IntoIterator<Item = (ObjectId, Object)>,
        ties: impl IntoIterator<Item = (ObjectId, ObjectId, Tie)>,
    ) -> Self {
        let objects: Objects = objects.into_iter().collect();
        let ties: Vec<(usize, usize, Tie)> = ties
            .into_iter()
            .filter_map(|(from, to, tie)| Some((objects.get_index_of(&from)?, objects.get_index_of(&to)?, tie)))
            .collect();
        Self::numbered(server, objects.into_iter().map(Some).collect(), &ties)
    }

    /// A catalog of these objects, and of ties among them by their places in the list. What is `None`, and the ties to it,
    /// are left out.
    pub(super) fn numbered(
        server: Server,
        objects: Vec<Option<(ObjectId, Object)>>,
        ties: &[(usize, usize, Tie)],
    ) -> Self {
        let mut places = vec![None; objects.len()];
        let mut sorted: Vec<(usize, (ObjectId, Object))> =
            objects.into_iter().enumerate().filter_map(|(number, it)| Some((number, it?))).collect();
        sorted.sort_by(|(_, (a, _)), (_, (b, _))| a.cmp(b));
        let mut objects = Objects::with_capacity_and_hasher(sorted.len(), RandomState::default());
        for (number, (id, object)) in sorted {
            let (place, _) = objects.insert_full(id, object);
            places[number] = u32::try_from(place).ok();
        }
        let place = |number: usize| places.get(number).copied().flatten();
        let mut edges: Vec<(u32, u32, Tie)> = ties
            .iter()
            .filter_map(|(from, to, tie)| Some((place(*from)?, place(*to)?, *tie)))
            .filter(|(from, to, _)| from != to)
            .collect();
        edges.sort_unstable();
        edges.dedup();
        let mut graph = DiGraph::with_capacity(objects.len(), edges.len());
        for _ in 0..objects.len() {
            graph.add_node(());
        }
        for (from, to, tie) in edges {
            graph.add_edge(from.into(), to.into(), tie);
        }
        Self { server, objects, ties: graph, ..Self::default() }
    }

    /// The definition of an object.
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        self.objects.get(id)
    }

    /// An object by an equal address, with the address that is kept here.
    pub fn get_key_value(&self, id: &ObjectId) -> Option<(&ObjectId, &Object)> {
        self.objects.get_key_value(id)
    }

    /// Whether the object is there.
    pub fn contains(&self, id: &ObjectId) -> bool {
        self.objects.contains_key(id)
    }

    /// Every object, sorted by address.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectId, &Object)> {
        self.objects.iter()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether the catalog holds nothing.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The objects of a kind, sorted by address.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&ObjectId, &Object)> {
        let first = self.objects.partition_point(|id, _| id.kind < kind);
        let rest = self.objects.get_range(first..).into_iter().flatten();
        rest.take_while(move |(id, _)| id.kind == kind)
    }

    /// Whether there is any object of a kind.
    pub fn holds(&self, kind: Kind) -> bool {
        self.of_kind(kind).next().is_some()
    }

    /// Whether a relation with rows has the name that the first two of these parts make.
    pub fn has_relation(&self, names: &[String]) -> bool {
        let names = names.get(..2).unwrap_or(names);
        Kind::ALL
            .iter()
            .filter(|kind| kind.holds_data() && kind.shape() == Shape::Plain)
            .any(|kind| self.contains(&ObjectId::new(*kind, names.iter().cloned())))
    }

    /// What an object depends on.
    pub fn referenced<'a>(&'a self, id: &ObjectId) -> impl Iterator<Item = (&'a ObjectId, Tie)> + use<'a> {
        self.neighbours(id, Direction::Outgoing)
    }

    /// What depends on an object.
    pub fn dependents<'a>(&'a self, id: &ObjectId) -> impl Iterator<Item = (&'a ObjectId, Tie)> + use<'a> {
        self.neighbours(id, Direction::Incoming)
    }

    /// Everything that depends on these objects, directly or not.
    pub fn all_dependents<'a>(&'a self, of: impl Iterator<Item = &'a ObjectId>) -> BTreeSet<&'a ObjectId> {
        self.reached(of, |_| true)
    }

    /// These objects, and everything that goes along with them.
    pub fn with_parts<'a>(&'a self, wholes: impl Iterator<Item = &'a ObjectId>) -> BTreeSet<&'a ObjectId> {
        let wholes: Vec<&ObjectId> = wholes.collect();
        let parts = self.reached(wholes.iter().copied(), |tie| tie == Tie::Belongs);
        parts.into_iter().chain(wholes).collect()
    }

    fn reached<'a>(
        &'a self,
        from: impl Iterator<Item = &'a ObjectId>,
        by: impl Fn(Tie) -> bool,
    ) -> BTreeSet<&'a ObjectId> {
        let mut next: Vec<&ObjectId> = from.collect();
        let mut found = BTreeSet::new();
        while let Some(id) = next.pop() {
            let tied = self.dependents(id).filter(|(_, tie)| by(*tie)).map(|(dependent, _)| dependent);
            next.extend(tied.filter(|it| found.insert(*it)));
        }
        found
    }

    /// Every tie: dependent, what it depends on, how.
    pub fn ties(&self) -> impl Iterator<Item = (&ObjectId, &ObjectId, Tie)> {
        self.ties.edge_references().filter_map(|edge| {
            let id = |index: petgraph::graph::NodeIndex| self.objects.get_index(index.index()).map(|(id, _)| id);
            Some((id(edge.source())?, id(edge.target())?, *edge.weight()))
        })
    }

    fn neighbours<'a>(
        &'a self,
        id: &ObjectId,
        direction: Direction,
    ) -> impl Iterator<Item = (&'a ObjectId, Tie)> + use<'a> {
        let index = self.objects.get_index_of(id).and_then(|i| u32::try_from(i).ok());
        let mut found: Vec<(usize, Tie)> = index
            .into_iter()
            .flat_map(|index| self.ties.edges_directed(index.into(), direction))
            .map(|edge| {
                let other = if direction == Direction::Outgoing { edge.target() } else { edge.source() };
                (other.index(), *edge.weight())
            })
            .collect();
        found.sort_unstable();
        found.into_iter().filter_map(move |(i, tie)| self.objects.get_index(i).map(|(id, _)| (id, tie)))
    }

    /// The same catalog with the objects that `keep` chooses, and the ties among them.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&ObjectId) -> bool) -> Self {
        let objects = self.iter().map(|(id, object)| keep(id).then(|| (id.clone(), object.clone()))).collect();
        Self {
            roles: self.roles.clone(),
            casts: self.casts.clone(),
            unmodelled: self.unmodelled.clone(),
            ..Self::numbered(self.server.clone(), objects, &self.numbered_ties())
        }
    }

    /// The objects of this catalog that `mine` chooses, beside those of another that `theirs` chooses and that are not
    /// there yet; every object keeps the ties that it has where it comes from.
    #[must_use]
    pub fn merged(
        &self,
        mut mine: impl FnMut(&ObjectId) -> bool,
        other: &Catalog,
        mut theirs: impl FnMut(&ObjectId) -> bool,
    ) -> Self {
        let mut objects: Objects =
            self.iter().filter(|(id, _)| mine(id)).map(|(id, object)| (id.clone(), object.clone())).collect();
        let kept = objects.len();
        for (id, object) in other.iter() {
            if !objects.contains_key(id) && theirs(id) {
                objects.insert(id.clone(), object.clone());
            }
        }
        let ties_of = |catalog: &Self| -> Vec<(usize, usize, Tie)> {
            let places: Vec<_> = catalog.objects.keys().map(|id| objects.get_index_of(id)).collect();
            let ties = catalog.numbered_ties().into_iter();
            ties.filter_map(|(from, to, tie)| Some((places[from]?, places[to]?, tie))).collect()
        };
        let mut ties = ties_of(self);
        ties.retain(|(from, ..)| *from < kept);
        ties.extend(ties_of(other).into_iter().filter(|(from, ..)| *from >= kept));
        Self {
            roles: self.roles.clone(),
            casts: self.casts.clone(),
            unmodelled: self.unmodelled.clone(),
            ..Self::numbered(self.server.clone(), objects.into_iter().map(Some).collect(), &ties)
        }
    }

    /// What this catalog becomes by a change that was made on a copy of it, which read as `before` and then as `after`.
    ///
    /// What reads as it did keeps its definition, and what the copy lacked is as it was.
    #[must_use]
    pub fn changed_like(&self, before: &Catalog, after: &Catalog) -> Self {
        let theirs = |id: &ObjectId| self.contains(id) || !before.contains(id);
        let mut changed = after.merged(theirs, self, |id| !before.contains(id)).tied_to_roles();
        for (id, object) in &mut changed.objects {
            let kept = self.get(id).filter(|own| !own.is_sound() || before.get(id) == Some(object));
            if let Some(own) = kept {
                *object = own.clone();
            }
        }
        Self { server: self.server.clone(), roles: self.roles.clone(), unmodelled: self.unmodelled.clone(), ..changed }
    }

    /// The same catalog with ties to the roles that its objects name, as far as they are in it: roles are told apart by
    /// their names, so that those of one server go with the objects of another.
    #[must_use]
    pub(super) fn tied_to_roles(self) -> Self {
        if !self.holds(role("").kind) {
            return self;
        }
        let names = |(id, object): (&ObjectId, &Object)| {
            let place = self.objects.get_index_of(id);
            let roles = object.roles(id).into_iter().filter(|(name, _)| !name.is_empty());
            let ties = roles.filter_map(|(name, tie)| Some((place?, self.objects.get_index_of(&role(name))?, tie)));
            ties.collect::<Vec<_>>()
        };
        let to_roles: Vec<(usize, usize, Tie)> = self.iter().flat_map(names).collect();
        let mut ties = self.numbered_ties();
        ties.extend(to_roles);
        let Self { server, roles, casts, unmodelled, objects, ties: _ } = self;
        Self { roles, casts, unmodelled, ..Self::numbered(server, objects.into_iter().map(Some).collect(), &ties) }
    }

    /// The objects of this catalog and those of another, which holds what stands beside this database on its server.
    #[must_use]
    pub fn beside(&self, other: &Catalog) -> Self {
        self.merged(|_| true, other, |_| true).tied_to_roles()
    }

    /// The same catalog without what stands beside the objects of the database.
    pub fn inside(&self) -> Cow<'_, Self> {
        if self.iter().any(|(id, _)| id.is_beside()) {
            Cow::Owned(self.filtered(|id| !id.is_beside()))
        } else {
            Cow::Borrowed(self)
        }
    }

    /// What of the catalog stands beside the objects of the database.
    #[must_use]
    pub fn surroundings(&self) -> Self {
        self.filtered(ObjectId::is_beside)
    }

    fn numbered_ties(&self) -> Vec<(usize, usize, Tie)> {
        self.ties.edge_references().map(|it| (it.source().index(), it.target().index(), *it.weight())).collect()
    }

    /// Whether a value of one type can be assigned to another without an explicit cast (`Some(true)`), only with one
    /// (`Some(false)`), or by way of text alone (`None`). Names are of base types, as `format_type` spells them without
    /// modifiers.
    pub fn assignable(&self, from: &str, to: &str) -> Option<bool> {
        // Arrays are converted element by element.
        if let (Some(from), Some(to)) = (from.strip_suffix("[]"), to.strip_suffix("[]")) {
            return self.assignable(from, to);
        }
        // Every type can be assigned to the types of PostgreSQL's string category by way of its output function.
        if from == to || TEXT.contains(&to) {
            return Some(true);
        }
        // And back again, when asked for by name.
        if TEXT.contains(&from) {
            return Some(self.casts.get(&(from.to_owned(), to.to_owned())).copied().unwrap_or_default());
        }
        self.casts.get(&(from.to_owned(), to.to_owned())).copied()
    }
}

/// The types of the string category.
const TEXT: &[&str] = &["text", "character varying", "character"];
