//! What is said about each kind: how it is read, and the DDL that makes it so.

use serde::{Serialize, de::DeserializeOwned};

use super::{Catalog, Kind, ObjectId, Step, Tie, Visit, Words};
use crate::sql;

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
    /// Whether it is about members of extensions, which are in no catalog themselves.
    const OF_MEMBERS: bool = false;
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

    /// Whether it becomes `to` in place and PostgreSQL carries along what other definitions say of it, as an extension does
    /// that moves to another schema with its members.
    fn carries_along(&self, _to: &Self) -> bool {
        false
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

    /// Whether there is such a clause.
    fn is_clause(&self, at: &At) -> bool {
        self.clause(at).is_some()
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

    /// How the rows go over to what is made in the object's place.
    fn transfer(&self, _at: &At) -> Option<Transfer> {
        None
    }

    /// How rows that are elsewhere come to what this makes, before it does.
    fn gather(&self, _at: &At) -> Option<Gathering> {
        None
    }

    /// What has to be replaced as a whole where PostgreSQL refuses to add this part, or to make it of `from`: the
    /// composite type whose values rows hold.
    fn rebuilds(&self, _from: Option<&Self>, _at: &At) -> Option<ObjectId> {
        None
    }

    /// Whether PostgreSQL refuses that this comes about as long as anything holds values of the row type that it is or is a
    /// part of.
    fn rewrites(&self, _manner: Manner, _at: &At) -> bool {
        false
    }

    /// What holds, on one side, values of the row type that this is or is a part of, where that is there all along.
    fn held_by(&self, _at: &At, _side: &Catalog) -> Vec<ObjectId> {
        Vec::new()
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

    /// The roles that the definition names, each with what happens to the object when the role is dropped.
    fn roles<'a>(&'a self, id: &'a ObjectId) -> Vec<(&'a str, Tie)> {
        self.role(id).map(|role| (role, Tie::Needs)).into_iter().collect()
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
    /// That it is a role of the server, or which roles are members of which.
    Role,
    /// That it is the database itself.
    Database,
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

/// How an object comes to be what is desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It is made.
    Made,
    /// It changes in place.
    Altered,
    /// It stays what it is, but what it is made of is made anew.
    Moved,
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

/// How the rows of something that is made anew go over.
#[derive(Debug)]
pub struct Transfer {
    /// Puts the rows aside, before they go.
    pub save: Vec<Step>,
    /// Puts them back.
    pub restore: Vec<Step>,
    /// What they are in, which goes only after they have been put aside.
    pub emptied: Vec<ObjectId>,
    /// What they need, which is made before they are put back.
    pub room: Vec<ObjectId>,
    /// What looks at them when it is made, or would keep some of them out: it comes after them.
    pub lookers: Vec<ObjectId>,
}

/// How rows come to where they belong from now on.
#[derive(Debug)]
pub struct Gathering {
    /// Moves them.
    pub step: Step,
    /// The tables that they leave, which go, or are tied to the same whole again, only after that.
    pub sources: Vec<ObjectId>,
    /// What ties to the table that they come to those in which they find room.
    pub room: Vec<ObjectId>,
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
    /// An object as statements name it: the database's own name is in no address.
    pub fn spelled(&self, id: &ObjectId) -> String {
        if id.kind.concern() == Concern::Database {
            return format!("{id} {}", sql::ident(&self.current.server.database));
        }
        id.to_string()
    }

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
pub struct Slot(pub Space, pub Words);

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
