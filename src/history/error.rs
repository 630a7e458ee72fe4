//! What can go wrong with the ledger.

use postgres::error::SqlState;

use super::VERSION;

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// PostgreSQL refused, or the connection broke.
    #[error("cannot {doing} the ledger in schema {schema}: {}", crate::plan::describe(source))]
    Postgres {
        /// What was tried: `read`, `write`.
        doing: &'static str,
        /// The ledger's schema.
        schema: String,
        /// PostgreSQL's answer.
        source: postgres::Error,
    },
    /// A later program has changed the ledger.
    #[error("the ledger in schema {schema} has version {found}, this program knows version {VERSION}")]
    Newer {
        /// The ledger's schema.
        schema: String,
        /// The version that was found.
        found: i32,
    },
    /// The schema holds something else.
    #[error("schema {schema} holds a relation \"{relation}\" that is not the ledger's")]
    Taken {
        /// The schema.
        schema: String,
        /// The relation in the way.
        relation: String,
    },
    /// No revision has the id.
    #[error("no revision {0} is recorded")]
    Unknown(String),
    /// Several revisions have ids that begin like this.
    #[error("several revisions begin with {prefix}: {}", ids.join(", "))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that begin like it.
        ids: Vec<String>,
    },
    /// A recorded plan cannot be understood.
    #[error("the plan of revision {id} cannot be read: {why}")]
    Plan {
        /// The revision.
        id: String,
        /// What does not fit.
        why: String,
    },
}

impl Error {
    /// What the user can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Postgres { doing, schema, source } if source.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let schema = crate::sql::ident(schema);
                vec![if *doing == "create" {
                    "the ledger is created by the first apply: give the role CREATE on the database, or create the schema \
                     for it"
                        .to_owned()
                } else {
                    format!(
                        "the role that created the ledger can share it: GRANT USAGE ON SCHEMA {schema} TO …; \
                         GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {schema} TO …"
                    )
                }]
            }
            Self::Newer { .. } | Self::Plan { .. } => vec!["a newer version of this program wrote it: use that".into()],
            Self::Taken { .. } => vec!["choose another schema for the ledger: `ledger:` in reconcile.yaml".into()],
            Self::Unknown(_) => vec!["`reconcile log` lists the revisions".into()],
            Self::Ambiguous { .. } => vec!["give more digits".into()],
            Self::Postgres { .. } => Vec::new(),
        }
    }
}
