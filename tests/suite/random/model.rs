//! What a random schema is made of: objects that name each other, and small numbers (forms) that choose among spellings.
//!
//! Expressions are not stored as text: a check is a column and a form, and is spelled for the type that the column has when
//! the schema is printed. So a change of type changes every expression on it, and all of them stay valid.

use std::fmt;

use reconcile::sql;

use super::kinds::Other;

/// The name of an object that lives in a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The schema.
    pub schema: String,
    /// The name in it.
    pub name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sql::qualified([&self.schema, &self.name]))
    }
}

/// A type as a column has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Type {
    /// What it is, or what its elements are.
    pub base: Base,
    /// Whether it is an array.
    pub array: bool,
}

/// A type that is not an array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// One of [`super::types::BUILTINS`].
    Builtin(&'static str),
    /// An enum, a domain or a composite type of the schema.
    Named(Name),
}

/// What any object may have besides its definition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// Its comment.
    pub comment: Option<String>,
    /// Whether `app_reader` may use it.
    pub granted: bool,
}

/// What a schema is for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Server {
    /// The major version.
    pub major: u32,
    /// Whether the schema belongs to a superuser.
    pub superuser: bool,
}

/// All that a random database holds.
#[derive(Clone, Default, PartialEq)]
pub struct Schema {
    /// The server that it is for.
    pub server: Server,
    /// Its schemas.
    pub namespaces: Vec<Namespace>,
    /// Its enums.
    pub enums: Vec<Enum>,
    /// Its domains.
    pub domains: Vec<Domain>,
    /// Its composite types, each made of built-in types, enums, domains and earlier ones.
    pub composites: Vec<Composite>,
    /// Its sequences, except those of identity columns.
    pub sequences: Vec<Sequence>,
    /// Its functions and procedures; they call earlier ones only.
    pub routines: Vec<Routine>,
    /// Its tables.
    pub tables: Vec<Table>,
    /// Its views and materialized views; they read tables and earlier ones.
    pub views: Vec<View>,
    /// The triggers on its tables and views.
    pub triggers: Vec<Trigger>,
    /// Objects of every other kind.
    pub others: Vec<Other>,
}

/// A schema in the sense of `CREATE SCHEMA`.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    pub name: String,
    pub notes: Notes,
}

/// An enum; [`super::types::BASE_LABEL`] is one of its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Enum {
    pub name: Name,
    pub labels: Vec<String>,
    pub notes: Notes,
}

/// A domain over a built-in type or an enum.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    pub name: Name,
    pub base: Base,
    pub default: Option<u8>,
    /// Names of its constraints, with the forms of their expressions.
    pub checks: Vec<(String, u8)>,
    pub notes: Notes,
}

/// A composite type.
#[derive(Clone, Debug, PartialEq)]
pub struct Composite {
    pub name: Name,
    pub fields: Vec<(String, Type)>,
    pub notes: Notes,
}

/// A sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequence {
    pub name: Name,
    pub form: u8,
    /// The table and the column that it goes along with.
    pub owner: Option<(Name, String)>,
    pub notes: Notes,
}

/// A function or a procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Routine {
    pub name: Name,
    pub arguments: Vec<(String, Type)>,
    /// How many arguments, counted from the last, have a default.
    pub defaults: usize,
    pub language: Language,
    pub does: Does,
    pub form: u8,
    pub notes: Notes,
}

/// How a routine is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// SQL in a string.
    Sql,
    /// SQL between `BEGIN ATOMIC` and `END`, which PostgreSQL tracks.
    Atomic,
    /// PL/pgSQL.
    Plpgsql,
}

/// What a routine is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// Returns a value, which it may get from an earlier function that returns the same type.
    Value(Type, Option<Signature>),
    /// Returns the rows of a table or a view.
    Rows(Name),
    /// Serves triggers.
    Trigger,
    /// A procedure, which may look at a table.
    Procedure(Option<Name>),
}

/// What tells overloaded routines apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub name: Name,
    pub arguments: Vec<Type>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub name: Name,
    pub unlogged: bool,
    pub fillfactor: Option<u8>,
    pub replica_identity_full: bool,
    pub columns: Vec<Column>,
    pub constraints: Vec<Constraint>,
    pub indexes: Vec<Index>,
    pub row_security: bool,
    pub forced: bool,
    pub policies: Vec<Policy>,
    pub notes: Notes,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub ty: Type,
    pub not_null: bool,
    pub source: Source,
    /// Whether a text sorts by its bytes.
    pub collate_c: bool,
    pub statistics: Option<u8>,
    pub comment: Option<String>,
}

/// Where the value of a column comes from when a row does not give it.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Nowhere: it is null.
    Nothing,
    /// A constant, the current time or a random number.
    Default(u8),
    /// The next number of a sequence.
    Sequence(Name),
    /// What a function returns.
    Call(Signature),
    /// An identity, always or by default.
    Identity { always: bool, form: u8 },
    /// Another column of the same row.
    Generated { from: String, form: u8 },
}

/// A condition on a column that holds for every value that the generator makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub column: String,
    pub form: u8,
    /// A function that judges the value instead.
    pub call: Option<Signature>,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    pub name: String,
    pub rule: Rule,
    pub comment: Option<String>,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    Primary(Vec<String>),
    Unique { columns: Vec<String>, deferrable: bool },
    Check { condition: Condition, valid: bool },
    Exclude { column: String, form: u8 },
    Foreign(Foreign),
}

/// A foreign key to a primary or unique key.
#[derive(Clone, Debug, PartialEq)]
pub struct Foreign {
    pub columns: Vec<String>,
    pub table: Name,
    /// The constraint on the other side.
    pub key: String,
    pub on_delete: u8,
    pub deferrable: bool,
    pub valid: bool,
}

/// An index of a table or a materialized view.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    pub name: String,
    pub method: &'static str,
    pub unique: bool,
    pub keys: Vec<Key>,
    pub include: Vec<String>,
    pub predicate: Option<Condition>,
    pub comment: Option<String>,
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub column: String,
    /// The form of an expression on the column; none for the column itself.
    pub derived: Option<u8>,
    pub order: u8,
}

/// A policy of row security.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub name: String,
    pub command: u8,
    pub restrictive: bool,
    pub for_reader: bool,
    pub condition: Condition,
    /// A table that must not be empty for the policy to hold.
    pub exists: Option<Name>,
    pub comment: Option<String>,
}

/// A view.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub name: Name,
    pub materialized: bool,
    pub from: Name,
    pub join: Option<Name>,
    pub columns: Vec<ViewColumn>,
    pub shape: Shape,
    pub filter: Option<Condition>,
    pub security_barrier: bool,
    pub check_option: bool,
    /// Indexes of a materialized view.
    pub indexes: Vec<Index>,
    pub notes: Notes,
}

/// A column of a view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewColumn {
    pub name: String,
    /// Whether it comes from the joined relation.
    pub joined: bool,
    pub column: String,
    /// The form of an expression on the column; none for the column itself.
    pub derived: Option<u8>,
    /// The form of a default for inserts through the view.
    pub default: Option<u8>,
}

/// How a view's query is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Plain,
    Distinct,
    Grouped,
    Union,
    Nested,
}

/// A trigger of a table, or an `INSTEAD OF` trigger of a view.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub name: String,
    pub on: Name,
    pub function: Name,
    pub form: u8,
    /// Bits: insert, update, delete.
    pub events: u8,
    pub each_row: bool,
    /// The column of `UPDATE OF`.
    pub of: Option<String>,
    pub when: Option<Condition>,
    pub disabled: bool,
    pub comment: Option<String>,
}

impl Type {
    /// A built-in type.
    pub fn builtin(name: &'static str) -> Self {
        Self { base: Base::Builtin(name), array: false }
    }
}

impl Routine {
    /// What tells it apart from its namesakes.
    pub fn signature(&self) -> Signature {
        Signature {
            name: self.name.clone(),
            arguments: self.arguments.iter().map(|(_, argument)| argument.clone()).collect(),
        }
    }
}

impl Signature {
    /// Whether PostgreSQL takes the two for one: it looks past the modifiers of types.
    pub fn is_like(&self, other: &Self) -> bool {
        let bare = |ty: &Type| match ty.base {
            Base::Builtin(name) => {
                let (before, rest) = name.split_once('(').unwrap_or((name, ""));
                Some((format!("{before}{}", rest.split_once(')').unwrap_or_default().1), ty.array))
            }
            _ => None,
        };
        let same = |(one, another): (&Type, &Type)| one == another || bare(one).is_some() && bare(one) == bare(another);
        self.name == other.name
            && self.arguments.len() == other.arguments.len()
            && self.arguments.iter().zip(&other.arguments).all(same)
    }
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns of the primary or unique key that a foreign key may refer to.
    pub fn key(&self, name: &str) -> Option<&[String]> {
        self.constraints.iter().find(|constraint| constraint.name == name).and_then(|constraint| {
            match &constraint.rule {
                Rule::Primary(columns) | Rule::Unique { columns, deferrable: false } => Some(columns.as_slice()),
                _ => None,
            }
        })
    }
}

impl Column {
    /// Whether it is computed from another column.
    pub fn generated(&self) -> bool {
        matches!(self.source, Source::Generated { .. })
    }

    /// Whether it fills itself with numbers that do not repeat.
    pub fn counts(&self) -> bool {
        matches!(self.source, Source::Sequence(_) | Source::Identity { .. })
    }
}

impl Schema {
    /// The table of this name.
    pub fn table(&self, name: &Name) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == *name)
    }

    /// The view of this name.
    pub fn view(&self, name: &Name) -> Option<&View> {
        self.views.iter().find(|view| view.name == *name)
    }

    /// The routine of this signature.
    pub fn routine(&self, signature: &Signature) -> Option<&Routine> {
        self.routines.iter().find(|routine| routine.signature() == *signature)
    }
}
