//! Addresses of objects: by kind and name, never by OID.

use std::{
    cmp::Ordering,
    fmt,
    hash::{BuildHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};

use super::{
    Kind,
    definition::{Concern, Shape},
};
use crate::sql;

/// Words in their order, shared by all clones.
///
/// Their hash is computed once, and what is shared is not compared word by word: addresses are looked up for every tie.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Words {
    words: Arc<[String]>,
    hash: u64,
}

impl Words {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.words, &other.words) || self.words == other.words)
    }
}

impl Eq for Words {}

impl PartialOrd for Words {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Words {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.words, &other.words) { Ordering::Equal } else { self.words.cmp(&other.words) }
    }
}

impl Hash for Words {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

impl Deref for Words {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.words
    }
}

impl From<Vec<String>> for Words {
    fn from(words: Vec<String>) -> Self {
        words.into_iter().collect()
    }
}

impl From<Words> for Vec<String> {
    fn from(words: Words) -> Self {
        words.to_vec()
    }
}

impl FromIterator<String> for Words {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let words: Arc<[String]> = words.into_iter().collect();
        let hash = if words.is_empty() { 0 } else { FixedState::default().hash_one(&words) };
        Self { words, hash }
    }
}

impl<'a> IntoIterator for &'a Words {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.words.iter()
    }
}

/// A name-based address, in the spirit of `pg_identify_object_as_address`.
///
/// Displays as DDL writes it: `TABLE app.users`, `TRIGGER audit ON app.users`, `FUNCTION app.f(integer)`. A clone shares
/// its words with the original.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// What sort of object this is.
    pub kind: Kind,
    /// The unquoted parts of its name, outermost first: schema, relation, part of the relation.
    #[serde(default, skip_serializing_if = "Words::is_empty")]
    pub names: Words,
    /// The types of a routine's arguments, as `format_type` writes them with an empty `search_path`.
    #[serde(default, skip_serializing_if = "Words::is_empty")]
    pub args: Words,
    /// The object that this one says something about: an owner, a comment, a grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<Arc<ObjectId>>,
}

impl ObjectId {
    /// An address by kind and name.
    pub fn new<S: Into<String>>(kind: Kind, names: impl IntoIterator<Item = S>) -> Self {
        Self { kind, names: names.into_iter().map(Into::into).collect(), args: Words::default(), of: None }
    }

    /// The address of what is said about an object without further names: its owner, its comment.
    pub fn about(kind: Kind, of: &ObjectId) -> Self {
        Self { kind, names: Words::default(), args: Words::default(), of: Some(Arc::new(of.clone())) }
    }

    /// The last part of the name.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The object that this one is about, followed to its end.
    pub fn root(&self) -> &ObjectId {
        self.of.as_deref().map_or(self, ObjectId::root)
    }

    /// Whether it stands beside the objects of the database, in catalogs that all databases share: a role, or the database
    /// itself, and what is said about either.
    pub fn is_beside(&self) -> bool {
        matches!(self.root().kind.concern(), Concern::Role | Concern::Database)
    }

    /// The schema in which the object lives, where its kind lives in schemas; a schema lives in itself.
    pub fn schema(&self) -> Option<&str> {
        let root = self.root();
        root.kind.in_schema().then(|| root.names.first().map(String::as_str)).flatten()
    }

    /// The address of the relation that this is a part of: `app.users` for a column, a trigger, a constraint.
    pub fn relation(&self) -> String {
        sql::qualified(self.names.iter().take(2))
    }

    /// The address without its keyword, as DDL writes it: `app.f(integer)`.
    pub fn address(&self) -> String {
        self.kind.address(self)
    }

    /// The address that the shape of its kind makes.
    pub(super) fn shaped(&self) -> String {
        let part = || sql::ident(self.name());
        match self.kind.shape() {
            Shape::Plain | Shape::Column => sql::qualified(&self.names),
            Shape::OnRelation => format!("{} ON {}", part(), self.relation()),
            Shape::OnDomain => format!("{} ON DOMAIN {}", part(), self.relation()),
            Shape::Routine => format!("{}({})", sql::qualified(&self.names), sql::join(&self.args, ", ")),
            Shape::About => self.of.as_ref().map_or_else(String::new, ToString::to_string),
            Shape::Granted => {
                let grantee = self.names.first().map_or_else(|| "OWNER".to_owned(), |role| grantee(role));
                let of = self.of.as_ref().map_or_else(String::new, ToString::to_string);
                format!("TO {grantee} ON {of}")
            }
        }
    }
}

impl Kind {
    /// A kind whose addresses begin as this one does; several kinds share a keyword (`TYPE`) and are spelled alike.
    pub fn of_address(address: &str) -> Option<Self> {
        let begins = |kind: &&Self| {
            address.strip_prefix(kind.keyword()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        Self::ALL.iter().filter(begins).max_by_key(|kind| kind.keyword().len()).copied()
    }
}

/// Spells a grantee; the empty name stands for `PUBLIC`.
pub fn grantee(role: &str) -> String {
    if role.is_empty() { "PUBLIC".to_owned() } else { sql::ident(role) }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.keyword())?;
        match self.address() {
            // The database itself.
            address if address.is_empty() => Ok(()),
            address => write!(f, " {address}"),
        }
    }
}
