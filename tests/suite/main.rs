//! The one integration test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod alter_forms;
mod apply;
mod architecture;
mod beside;
mod cleanup;
mod cli;
mod commands;
mod completeness;
mod connect;
mod convergence;
mod coverage;
mod dump;
mod embedded;
mod engine;
mod extension_moves;
mod fixtures;
mod handmade;
mod history;
mod inherited;
mod label_provider;
mod migration;
mod plan_snap;
mod plans;
mod postgres;
mod project;
mod proof;
mod random;
mod real;
mod rebuilds;
mod report;
mod sample;
mod schema;
mod scratch;
mod secrets;
mod server;
mod source;
mod survival;
mod tls;
