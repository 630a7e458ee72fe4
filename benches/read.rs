//! Reads a database's catalogs once, and nothing else: what `benches/run.sh` compares with `pg_dump -s`.
//!
//!     read URL

use std::{error::Error, io::Write};

use reconcile::{
    catalog,
    connect::{Environment, Target},
};

fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).ok_or("the database's URL is wanted")?;
    let target = Target::resolve(Some(&url), &Environment::current())?;
    let catalog = catalog::read(&mut target.connect()?, "reconcile")?;
    writeln!(std::io::stdout(), "{} objects", catalog.len())?;
    Ok(())
}
