//! The model: definitions, ties between objects, and the catalog that holds them.

use foldhash::fast::RandomState;
use indexmap::IndexMap;
use petgraph::{Direction, graph::DiGraph, visit::EdgeRef};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Kind, Object, ObjectId, Step, Visit};

/// What PostgreSQL knows about one kind: how to read it, and the DDL that makes it so.
pub trait Definition: PartialEq + Serialize + DeserializeOwned {
    /// The keyword that names the kind in DDL: `MATERIALIZED VIEW`.
    const KEYWORD: &'static str;
    /// How an address of this kind is spelled.
    const SHAPE: Shape = Shape::Plain;
    /// Whether objects of this kind live in a schema, which is then the first of their names.
    const IN_SCHEMA: bool = true;
    /// Whether dropping an object of this kind loses rows, values or counters.
    const HOLDS_DATA: bool = false;
    /// Whether an object of this kind goes along with an owner that is created after it, as a sequence with its column.
    const CREATED_BEFORE_OWNER: bool = false;
    /// Whether another definition of this kind can take its place only beside it, because rows hold values of it.
    const SWAPS: bool = false;
    /// Whether the old definition cannot be moved out of the way, so that another is made when no row holds values of it.
    const IN_THE_WAY: bool = false;
    /// Whether objects of this kind are in a catalog that all databases share, so that a copy of a database lacks them.
    const SHARED: bool = false;
    /// Whether this definition of another object makes it whole, so that all but what it is made of needs it as well.
    const COMPLETES: bool = false;
    /// Whether an object of this kind ties two wholes together, so that changes of the one reach the other: it is cut before
    /// either changes, and made after both have.
    const LINKS: bool = false;
    /// Whether the object has options, or a connection string, whose values may be secret.
    const HAS_OPTIONS: bool = false;
    /// What the definition says: which part of the managed scope decides whether it is compared.
    const CONCERN: Concern = Concern::Schema;
    /// A condition that is false where no object of this kind can be, so that its query need not be planned: most databases
    /// hold few of the kinds.
    const PRESENT: &'static str = "true";
    /// One SELECT: `classid, objid, objsubid`, `names` and, where needed, `args`, and one column per field of `Self`.
    ///
    /// `names` and `args` are arrays of text. A definition about another object (an owner, a comment) has `about` instead
    /// of a full address of its own: it is addressed through the object that `classid, objid, objsubid` say.
    /// `needs`, where selected, is an array of arrays of three numbers: rows of catalogs that the object depends on, beyond `pg_depend`.
    /// A line that ends in `-- 18+`, in `-- <18` or in both is sent to those majors only.
    const QUERY: &'static str;

    /// An address without its keyword, as DDL writes it: `app.f(integer)`.
    fn address(id: &ObjectId) -> String {
        id.shaped()
    }

    /// The statements that create the object.
    fn create(&self, at: &At) -> Vec<Step>;

    /// How the object becomes `to`; never called with an equal definition.
    fn alter(&self, _to: &Self, _at: &At) -> Alteration {
        Alteration::Replace
    }

    /// The statements that drop the object, without `CASCADE`.
    fn drop(&self, at: &At) -> Vec<Step> {
        vec![Step::new(format!("DROP {}", at.id))]
    }

    /// The object whose creation or change does as much for this one, as that of a column of a table does for the tables
    /// that inherit from it. What is left to do for this one comes right after.
    fn carrier(&self, _at: &At) -> Option<ObjectId> {
        None
    }

    /// The object with whose drop this one goes, although it does not belong to it.
    fn remover(&self, _at: &At) -> Option<ObjectId> {
        None
    }

    /// What is made or changed after this, and dropped before it, although it does not depend on it.
    fn precedes(&self, _at: &At) -> Vec<ObjectId> {
        Vec::new()
    }

    /// Whether [`Definition::create`] makes the object as it is, and not better, as it does with an index that is broken.
    fn is_sound(&self) -> bool {
        true
    }

    /// Whether the object comes about by itself under a name that says nothing, so that another such one is as good.
    fn incidental(&self) -> bool {
        false
    }

    /// The object as a part of the statement that creates the object to which it belongs, where it can be one.
    fn clause(&self, _at: &At) -> Option<String> {
        None
    }

    /// What has to change, or to go, before this becomes `to`, although that does not depend on it.
    fn waits_for(&self, _to: &Self, _at: &At) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What has to be out of the way before this is created, although it has another name.
    fn comes_after(&self, _at: &At) -> Vec<ObjectId> {
        Vec::new()
    }

    /// How the object moves over, rows included, when `replaced` (which it needs) gets another definition beside the old
    /// one; `None`: it steps aside, that is, it is dropped and created again.
    fn follow(&self, _replaced: &ObjectId, _at: &At) -> Option<Alteration> {
        None
    }

    /// How the object becomes this and lets go meanwhile of a type that is dropped and made anew, whose values it holds.
    fn detour(&self, _at: &At) -> Option<Detour> {
        None
    }

    /// What has to be replaced as a whole where PostgreSQL refuses to add this part, or to make it of `from`: the
    /// composite type whose values rows hold.
    fn rebuilds(&self, _from: Option<&Self>, _at: &At) -> Option<ObjectId> {
        None
    }

    /// Moves the old definition out of the way, so that the new one can be created under its name.
    fn aside(&self, _at: &At) -> Vec<Step> {
        Vec::new()
    }

    /// Drops the old definition that [`Definition::aside`] moved away.
    fn finish(&self, _at: &At) -> Vec<Step> {
        Vec::new()
    }

    /// The role whose ownership or rights this definition is.
    fn role<'a>(&'a self, _id: &'a ObjectId) -> Option<&'a str> {
        None
    }

    /// Where the object stands among its siblings, such as a column in its table; never compared.
    fn position(&self) -> i16 {
        i16::MAX
    }

    /// Sees and changes the values of options, and the parts of a connection string; see [`Definition::HAS_OPTIONS`].
    fn visit_options(&mut self, _visit: &mut Visit) {}

    /// The names that the object takes in PostgreSQL's catalogs beside its own address.
    fn slots(&self, _id: &ObjectId) -> Vec<Slot> {
        Vec::new()
    }
}

/// What a definition says about its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// What it is.
    Schema,
    /// Whose it is.
    Owner,
    /// Who may use it.
    Privilege,
    /// Which version of it is installed.
    Version,
}

/// How a definition becomes another.
#[derive(Debug)]
pub enum Alteration {
    /// By these statements.
    InPlace(Vec<Step>),
    /// In place, once dependents of these kinds have stepped aside (views around `ALTER COLUMN … TYPE`).
    Around(Vec<Step>, &'static [Kind]),
    /// Dropped and created, beside the old one where rows hold values of it (see [`Definition::SWAPS`]).
    Replace,
}

/// A change in two parts, between which a type is made anew.
#[derive(Debug)]
pub struct Detour {
    /// Lets go of the old definition.
    pub before: Vec<Step>,
    /// Takes the new one.
    pub after: Vec<Step>,
    /// The kinds of dependents that step aside.
    pub around: &'static [Kind],
}

/// Where a definition stands: its address, the catalogs on both sides, and what is created together with it.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// The object's address.
    pub id: &'a ObjectId,
    /// The state before.
    pub current: &'a Catalog,
    /// The state after.
    pub desired: &'a Catalog,
    /// The clauses of what is created in the same statement: the columns and constraints of a table, a column's default.
    pub parts: &'a [String],
    /// What is dropped or replaced, as far as it is known.
    pub gone: &'a std::collections::BTreeSet<ObjectId>,
}

impl At<'_> {
    /// Whether an object is there all along.
    pub fn persists(&self, id: &ObjectId) -> bool {
        self.current.contains(id) && self.desired.contains(id) && !self.gone.contains(id)
    }

    /// Whether an object is made: it was not there, or is there anew.
    pub fn is_made(&self, id: &ObjectId) -> bool {
        self.desired.contains(id) && !self.persists(id)
    }

    /// Whether an object goes, if only to come back.
    pub fn goes(&self, id: &ObjectId) -> bool {
        self.current.contains(id) && !self.persists(id)
    }
}

/// How an address is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `TABLE app.users`
    Plain,
    /// `COLUMN app.users.email`
    Column,
    /// `TRIGGER audit ON app.users`
    OnRelation,
    /// `CONSTRAINT positive ON DOMAIN app.amount`
    OnDomain,
    /// `FUNCTION app.f(integer)`
    Routine,
    /// `COMMENT ON TABLE app.users`
    About,
    /// `GRANT TO reader ON TABLE app.users`
    Granted,
}

/// A name in one of PostgreSQL's name spaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot(pub Space, pub Vec<String>);

/// One of PostgreSQL's name spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Space {
    /// `pg_class`: tables, views, indexes, sequences, composite types.
    Relation,
    /// `pg_type`: types, and the row types of relations.
    Type,
    /// `pg_proc`, with argument types.
    Routine,
    /// `pg_constraint` of one table.
    Constraint,
    /// The one primary key of a table.
    PrimaryKey,
    /// What a column is filled with where no value is given.
    ColumnDefault,
    /// The one NOT NULL of a domain.
    NotNull,
}

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
        let ties: Vec<_> =
            self.ties.edge_references().map(|it| (it.source().index(), it.target().index(), *it.weight())).collect();
        Self {
            roles: self.roles.clone(),
            casts: self.casts.clone(),
            unmodelled: self.unmodelled.clone(),
            ..Self::numbered(self.server.clone(), objects, &ties)
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
        let kept: std::collections::BTreeSet<_> = objects.keys().cloned().collect();
        for (id, object) in other.iter().filter(|(id, _)| !kept.contains(*id) && theirs(id)) {
            objects.insert(id.clone(), object.clone());
        }
        let own = self.ties().filter(|(id, _, _)| kept.contains(*id)).map(owned);
        let others = other.ties().filter(|(id, _, _)| !kept.contains(*id)).map(owned);
        self.with(objects, own.chain(others))
    }

    fn with(
        &self,
        objects: impl IntoIterator<Item = (ObjectId, Object)>,
        ties: impl IntoIterator<Item = (ObjectId, ObjectId, Tie)>,
    ) -> Self {
        Self {
            roles: self.roles.clone(),
            casts: self.casts.clone(),
            unmodelled: self.unmodelled.clone(),
            ..Self::new(self.server.clone(), objects, ties)
        }
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

fn owned((from, to, tie): (&ObjectId, &ObjectId, Tie)) -> (ObjectId, ObjectId, Tie) {
    (from.clone(), to.clone(), tie)
}
