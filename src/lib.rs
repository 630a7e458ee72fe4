//! `reconcile` keeps PostgreSQL databases equal to a `schema.sql`.
//!
//! The modules, in the order in which data flows:
//!
//! - [`source`]: schema.sql, directories and standard input become statements with spans, and are loaded.
//! - [`connect`]: connection strings, the PG* environment, TLS.
//! - [`catalog`]: the typed model of what a database holds.
//! - [`engine`]: a scratch PostgreSQL on which the desired state is loaded and plans are proved.
//! - [`diff`]: two catalogs become changes.
//! - [`plan`]: changes become ordered steps, proved on a copy.
//! - [`history`]: the ledger in the target database: revisions and their steps.
//! - [`apply`]: gates, transactions, resuming, verification.
//! - [`report`]: a plan for people, and as an SQL script.
//! - [`config`]: reconcile.yaml, environment and flags.
//! - [`cli`]: the commands, which compose the others; [`error`] is what they end with.
//! - [`sql`]: quoting and joining SQL text.

pub mod apply;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod connect;
pub mod diff;
pub mod engine;
pub mod error;
pub mod history;
pub mod plan;
pub mod report;
pub mod source;
pub mod sql;
