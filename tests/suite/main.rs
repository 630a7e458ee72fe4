//! The one integration test binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod engine;
mod fixtures;
mod history;
mod server;
