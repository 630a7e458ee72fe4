//! Loading the desired state into scratch databases.

mod attempts;
mod failures;
mod lending;
mod loading;

use crate::server::{majors, server};
use reconcile::engine::{Scratch, Spec};
use reconcile::source::{self, Beyond, Lender, LoadError, Loaded, Session, Source};

/// The role that loads.
const ROLE: &str = "source_loader";

/// A fresh scratch database on the newest version that tests run on.
fn scratch() -> Scratch {
    scratch_on(majors().into_iter().max().unwrap())
}

fn scratch_on(major: u32) -> Scratch {
    let roles = vec!["source_other".to_owned()];
    server(major).database(&Spec { role: ROLE.to_owned(), roles, ..Spec::default() }).unwrap()
}

fn read(sql: &str) -> Source {
    source::read_text("schema.sql", sql).unwrap()
}

fn load_source(scratch: &Scratch, source: &Source) -> Result<Loaded, LoadError> {
    let mut client = scratch.connect().unwrap();
    let mut lender = scratch.lender().unwrap();
    let lender = lender.as_mut().map(|lender| lender as &mut dyn Lender);
    source::load(source, Session { client: &mut client, lender, beyond: Beyond::Run })
}

fn load(scratch: &Scratch, sql: &str) -> Result<Loaded, LoadError> {
    load_source(scratch, &read(sql))
}

/// One value of the scratch database, as text.
fn value(scratch: &Scratch, sql: &str) -> String {
    let row = scratch.connect().unwrap().query_one(&format!("SELECT ({sql})::text"), &[]).unwrap();
    row.get::<_, Option<String>>(0).unwrap_or_else(|| "NULL".to_owned())
}

/// The SQLSTATEs of the statements that fail, in the order in which they are listed.
fn codes(result: &Result<Loaded, LoadError>) -> Vec<&str> {
    match result {
        Ok(_) => Vec::new(),
        Err(error) => error.failures().iter().map(|failure| failure.sqlstate.as_str()).collect(),
    }
}
