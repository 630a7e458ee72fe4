//! The plan as a file: a public, versioned format that can be read without this program.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::{Digest, Encoding, Fingerprint, Guard, Hazard, Transaction};

/// The version of the format that this program writes.
pub const FORMAT: u32 = 1;

/// A plan: everything that `apply` uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the format.
    pub format: u32,
    /// The version of the program that wrote the plan.
    pub program: String,
    /// SHA-256 over everything else in the plan.
    pub id: Digest,
    /// The revision that applying the plan makes: the first twelve digits of a sum over what the plan does.
    pub revision: String,
    /// The revision that the target had when the plan was made.
    pub parent: Option<String>,
    /// What the author says about the change.
    pub message: Option<String>,
    /// The database that the plan is for.
    pub target: Target,
    /// Where the desired state was read from.
    pub source: Source,
    /// What the plan manages, and so what is compared.
    pub scope: Scope,
    /// The state from which the plan starts.
    pub current: Fingerprint,
    /// The state in which the plan ends.
    pub desired: Fingerprint,
    /// Other sums that an object may have in the end: PostgreSQL's deparsed text is not a fixed point.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub equivalent: BTreeMap<String, BTreeSet<Digest>>,
    /// How the plan was checked.
    pub proof: Proof,
    /// What the plan does, counted.
    pub summary: Summary,
    /// What changes, object by object.
    pub changes: Vec<Change>,
    /// The statements, in order.
    pub steps: Vec<Step>,
    /// Runs of steps that are committed together.
    pub groups: Vec<Group>,
}

/// The database that a plan is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The database's name.
    pub database: String,
    /// The server's major version.
    pub major: u32,
    /// `pg_control_system().system_identifier`.
    pub system_identifier: String,
}

/// Where a desired state was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The paths, as given.
    pub paths: Vec<String>,
    /// SHA-256 over the files.
    pub sha256: Digest,
    /// The commit, where the files are in a git work tree and unchanged in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// What is managed: compared, changed, dropped where it is not desired.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Everything in the database.
    pub all: bool,
    /// The managed schemas.
    pub schemas: BTreeSet<String>,
    /// The managed objects that live in no schema, by address.
    pub global: BTreeSet<String>,
    /// Patterns of addresses that are left alone; `*` stands for any text.
    pub ignore: BTreeSet<String>,
    /// The schema of the ledger, which is never managed.
    pub ledger: String,
    /// Whose grants are managed.
    pub privileges: Roles,
    /// Which owners are managed.
    pub owners: Roles,
    /// Whether roles are managed; which ones, `global` says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub roles: bool,
    /// Whether the database itself is managed: its owner, settings, comment and grants.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub database: bool,
    /// The options whose values come from variables, by object: they are part of no sum, as if they were secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub concealed: BTreeMap<String, BTreeSet<String>>,
}

/// A choice of roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Roles {
    /// Every role.
    All,
    /// No role.
    #[default]
    None,
    /// The roles that the desired state names; the empty name is `PUBLIC`.
    Declared(BTreeSet<String>),
}

/// How a plan was checked before it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Proof {
    /// Whether the plan was executed on a copy, and the copy equalled the desired state.
    pub proved: bool,
    /// Which server it was proved on: `PostgreSQL 17.11`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How many rows were put into each table of the copy, and had to survive.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, u64>,
    /// Tables for which no row could be made, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub without_rows: BTreeMap<String, String>,
}

/// What a plan does, counted in objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Objects that are created.
    pub create: usize,
    /// Objects that are changed, in place or by replacement.
    pub change: usize,
    /// Objects that are dropped.
    pub drop: usize,
    /// Objects outside the managed scope.
    pub unmanaged: usize,
    /// What is lost, as `--allow-loss` names it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub losses: BTreeSet<String>,
}

/// What happens to one object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The object's address.
    pub object: String,
    /// What happens to it.
    pub action: Action,
    /// Why: the fields that differ, or the object on whose account this one moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Where the desired state asks for it: `schema.sql:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed in place.
    Alter,
    /// It is dropped and created in another form.
    Replace,
    /// It is dropped and comes back as it was, because something that it depends on changes.
    StepAside,
    /// It moves over to the new definition of a type, rows included.
    Follow,
    /// It is dropped.
    Drop,
}

/// Why an object changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A field differs.
    Field {
        /// The field's name.
        name: String,
        /// Its value before.
        before: serde_json::Value,
        /// Its value after.
        after: serde_json::Value,
    },
    /// Another object changes.
    Because(String),
}

/// One statement of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The statement, without a final semicolon.
    pub sql: String,
    /// The variables whose values `apply` puts in the place of `${NAME}`, in string constants, and how they are escaped there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub variables: BTreeMap<String, Encoding>,
    /// The objects that it creates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub creates: Vec<String>,
    /// The objects that it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// The objects that it destroys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destroys: Vec<String>,
    /// Where the desired state asks for it: `schema.sql:12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// How it stands to transactions.
    pub transaction: Transaction,
    /// What people should know before it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hazards: Vec<Hazard>,
    /// Queries that must return no row before it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guard>,
    /// What was observed while it ran on the copy.
    #[serde(default, skip_serializing_if = "Observed::is_nothing")]
    pub observed: Observed,
}

/// What a statement did on the copy, beyond its purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observed {
    /// The strongest lock on each relation that was there before the plan, in `pg_locks`' spelling.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locks: BTreeMap<String, String>,
    /// Relations whose files were written anew.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub rewrites: BTreeSet<String>,
    /// Tables that were read in full.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub scans: BTreeSet<String>,
}

impl Observed {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A run of steps that are committed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The index of the first step.
    pub first: usize,
    /// How many steps.
    pub count: usize,
    /// Whether they run in one transaction; otherwise PostgreSQL refuses one, and the group is a single step.
    pub transaction: bool,
}

/// Why a plan file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not JSON of the right shape.
    #[error("not a plan: {0}")]
    Json(#[from] serde_json::Error),
    /// It is of a format that this program does not know.
    #[error("the plan has format {0}, this program reads format {FORMAT}")]
    Format(u64),
    /// Its content is not what its id was computed from.
    #[error("the plan has been changed after it was made: its id is {said}, its content gives {found}")]
    Edited {
        /// The id in the file.
        said: Digest,
        /// The id of the content.
        found: Digest,
    },
}

impl Plan {
    /// The SHA-256 over everything but the id itself, as compact JSON with the fields in their order.
    pub fn digest(&self) -> Digest {
        if !self.id.0.is_empty() {
            return Self { id: Digest(String::new()), ..self.clone() }.digest();
        }
        Digest::of_json(self)
    }

    /// The plan with the id that its content gives.
    #[must_use]
    pub fn sealed(self) -> Self {
        let id = self.digest();
        Self { id, ..self }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Reads a plan and checks that it is what was written.
    pub fn from_json(text: &str) -> Result<Self, FileError> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if format != u64::from(FORMAT) {
            return Err(FileError::Format(format));
        }
        let plan: Self = serde_json::from_str(text)?;
        let found = plan.digest();
        if found == plan.id { Ok(plan) } else { Err(FileError::Edited { said: plan.id, found }) }
    }

    /// The plan as a file: indented JSON with a final newline.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}
