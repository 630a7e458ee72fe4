//! The `reconcile` program: parses arguments, runs one command, prints its error and sets the exit code.

fn main() {}
