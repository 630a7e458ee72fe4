//! The one integration test binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod apply;
mod cli;
mod connect;
mod engine;
mod fixtures;
mod handmade;
mod history;
mod plans;
mod postgres;
mod project;
mod report;
mod server;
mod tls;
