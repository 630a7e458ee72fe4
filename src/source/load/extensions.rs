//! Extensions that need a superuser come first, while nothing that the files bring along is there.

use super::Loader;
use super::connection::Trouble;
use crate::source::statement::Statement;
use crate::source::unit::Unit;

impl Loader<'_> {
    /// Runs the statements about schemas and extensions, when one of the extensions needs a superuser; those that ran are
    /// taken out of the units.
    pub(super) fn extensions(&mut self, units: &mut Vec<Unit>) -> Result<(), Trouble> {
        let source = self.source;
        let names: Vec<&str> = units
            .iter()
            .map(|unit| &source.statements[unit.statement].head)
            .filter(|head| head.is("CREATE", &["EXTENSION", "LANGUAGE"]))
            .filter_map(|head| head.name.first().map(String::as_str))
            .collect();
        if !self.need_superuser(&names)? {
            return Ok(());
        }
        let mut rest = Vec::with_capacity(units.len());
        for unit in units.drain(..) {
            let ran = is_plain(&source.statements[unit.statement])
                && match self.run_alone(&unit) {
                    Ok(()) => true,
                    Err(Trouble::Refused(_)) => false,
                    Err(lost @ Trouble::Lost(_)) => return Err(lost),
                };
            if !ran {
                rest.push(unit);
            }
        }
        *units = rest;
        Ok(())
    }

    fn need_superuser(&mut self, names: &[&str]) -> Result<bool, Trouble> {
        let Some(loans) = self.loans.as_mut().filter(|_| !names.is_empty()) else { return Ok(false) };
        let row = loans.admin().query_one(
            "SELECT pg_catalog.bool_or(superuser AND NOT trusted) FROM pg_catalog.pg_available_extension_versions \
             WHERE name = ANY ($1)",
            &[&names],
        )?;
        Ok(row.get::<_, Option<bool>>(0).unwrap_or(false))
    }
}

/// Whether a statement is about a mere schema or about an extension, and so brings along no code of the file's.
pub(super) fn is_plain(statement: &Statement) -> bool {
    let head = &statement.head;
    let mut cursor = statement.cursor().from(head.after);
    match (head.verb.as_str(), head.kind) {
        ("CREATE", "SCHEMA") => {
            if cursor.eat("AUTHORIZATION") {
                cursor.names();
            }
            cursor.done()
        }
        ("DROP", "SCHEMA") | ("CREATE" | "ALTER" | "DROP" | "COMMENT", "EXTENSION") => true,
        ("CREATE", "LANGUAGE") => !cursor.has("HANDLER"),
        _ => false,
    }
}
