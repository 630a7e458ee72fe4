//! Grants that PostgreSQL takes for somebody else's than the owner's.

use super::Loader;
use super::connection::{Refused, Trouble};
use crate::source::cursor::Cursor;
use crate::source::statement::Statement;
use crate::source::unit::Unit;
use crate::sql::qualified;
use postgres::error::SqlState;

/// Whether PostgreSQL let the loading role grant as somebody else whose rights it has: as one who may pass rights on, and
/// is to get them, on a column say, which nobody can grant to themselves.
pub(super) fn is_of_a_grantee(statement: &Statement, refused: &Refused) -> bool {
    let chosen = statement.settings.role().is_none();
    refused.error.code() == &SqlState::INVALID_GRANT_OPERATION && statement.head.verb == "GRANT" && chosen
}

impl Loader<'_> {
    /// Grants rights as the owner of the relations; `refused` says what came of it otherwise.
    pub(super) fn grant_as_owner(&mut self, unit: &Unit, refused: Box<Refused>) -> Result<(), Trouble> {
        let names = relations(self.source.statements[unit.statement].cursor());
        let sql = "SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)::pg_catalog.text
            FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n(name)
            JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(n.name)";
        let owners = self.connection.client().query(sql, &[&names])?;
        let [owner] = owners.as_slice() else { return Err(Trouble::Refused(refused)) };
        match self.connection.run_as(owner.get(0), unit) {
            Err(Trouble::Refused(_)) => Err(Trouble::Refused(refused)),
            result => result,
        }
    }
}

/// What `ON [TABLE] app.t, app.u TO` names.
fn relations(mut cursor: Cursor<'_>) -> Vec<String> {
    let mut names = Vec::new();
    if cursor.seek(&["ON"]) {
        cursor.eat("ON");
        cursor.eat("TABLE");
        loop {
            names.push(qualified(cursor.names()));
            if !cursor.eat_mark(",") {
                break;
            }
        }
    }
    if cursor.is("TO") { names } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::read_text;

    #[test]
    fn only_relations_are_found() {
        let found =
            |sql| read_text("s.sql", sql).map(|source| relations(source.statements[0].cursor())).unwrap_or_default();
        assert_eq!(found("GRANT SELECT (a, b) ON t TO r WITH GRANT OPTION"), ["t"]);
        assert_eq!(
            found("GRANT SELECT, UPDATE (a) ON TABLE app.t, \"My App\".\"T\" TO r"),
            ["app.t", "\"My App\".\"T\""]
        );
        assert!(found("GRANT ALL ON ALL TABLES IN SCHEMA app TO r").is_empty());
        assert!(found("GRANT EXECUTE ON FUNCTION app.f() TO r").is_empty());
        assert!(found("GRANT USAGE ON SCHEMA app TO r").is_empty());
    }
}
