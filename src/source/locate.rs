//! Finds the line that made an object, by the object's kind and name.

use super::Source;
use super::class::Class;
use super::outer::{About, about};
use super::parts::{What, parts};
use super::statement::{Location, Statement};
use std::collections::HashMap;

/// Where objects are made: a statement, and the byte in its file.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By kind and last name: the names as they are written, the statement, and where in its file.
    made: HashMap<(&'static str, String), Vec<Made>>,
}

#[derive(Debug)]
struct Made {
    /// The names before the last one: the schema where one is written or set, and the table of a column.
    scope: Vec<String>,
    statement: usize,
    start: usize,
}

impl Source {
    /// The place of the statement that makes an object, or of the column or constraint inside it.
    ///
    /// `keyword` is the kind as DDL writes it, `names` the address as `pg_identify_object_as_address` spells it.
    /// Best effort: an object that was made in a way that does not show (by a function, say) has no place.
    pub fn locate(&self, keyword: &str, names: &[String]) -> Option<Location> {
        if names.is_empty() {
            // The database itself, which is not made: what is said about it first.
            let of_database = |it: &&Statement| it.class == Class::Beyond && about(it) == About::Database;
            return self.statements.iter().find(of_database).map(Statement::location);
        }
        let index = self.index.get_or_init(|| Index::of(self));
        let made = index.find(kind(keyword), names)?;
        Some(self.statements.get(made.statement)?.file.location(made.start))
    }
}

/// One word for kinds that the files may call by another.
fn kind(keyword: &str) -> &'static str {
    match keyword {
        "PROCEDURE" | "FUNCTION" | "AGGREGATE" | "ROUTINE" => "FUNCTION",
        "TYPE" | "DOMAIN" => "TYPE",
        "COLUMN" | "DEFAULT" | "DEFAULT VALUE" => "COLUMN",
        "GROUP" | "ROLE" | "USER" => "ROLE",
        "CHECK" | "PRIMARY KEY" | "UNIQUE" | "FOREIGN KEY" | "EXCLUDE" => "CONSTRAINT",
        _ if keyword.ends_with("CONSTRAINT") => "CONSTRAINT",
        _ => super::head::kind_of(keyword).unwrap_or("TABLE"),
    }
}

impl Index {
    fn of(source: &Source) -> Self {
        let mut index = Self::default();
        for (at, statement) in source.statements.iter().enumerate() {
            let head = &statement.head;
            let first = statement.settings.search_path().and_then(<[String]>::first);
            let complete = |names: &[String]| match (names, first) {
                ([name], Some(schema)) if kind(head.kind) != "ROLE" => vec![schema.clone(), name.clone()],
                _ => names.to_vec(),
            };
            if head.verb == "CREATE" {
                let mut names =
                    complete(if head.on.is_empty() || head.kind == "INDEX" { &head.name } else { &head.on });
                if head.kind == "INDEX" && head.name.len() == 1 {
                    let table = complete(&head.on);
                    names = table[..table.len().saturating_sub(1)].iter().chain(&head.name).cloned().collect();
                } else if !head.on.is_empty() && head.kind != "INDEX" {
                    names.extend(head.name.iter().cloned());
                }
                index.add(kind(head.kind), names, at, statement.span.start);
            }
            let table = complete(&head.name);
            for part in parts(statement) {
                let (kind, name) = match part.what {
                    What::Column(name) => ("COLUMN", name),
                    What::Constraint(Some(name)) => ("CONSTRAINT", name),
                    What::Constraint(None) | What::Like => continue,
                };
                let start =
                    statement.tokens.get(part.tokens.0).map_or(statement.span.start, |token| token.start as usize);
                index.add(kind, table.iter().cloned().chain([name]).collect(), at, start);
            }
        }
        index
    }

    fn add(&mut self, kind: &'static str, mut names: Vec<String>, statement: usize, start: usize) {
        if let Some(last) = names.pop() {
            self.made.entry((kind, last)).or_default().push(Made { scope: names, statement, start });
        }
    }

    /// Looks for the object itself, then for what brings it along.
    fn find(&self, kind: &'static str, names: &[String]) -> Option<&Made> {
        self.exact(kind, names).or_else(|| match (kind, names) {
            ("CONSTRAINT" | "COLUMN" | "TRIGGER" | "POLICY" | "RULE", [table @ .., name]) => {
                self.column_in(table, name).or_else(|| self.relation(table))
            }
            ("INDEX" | "SEQUENCE", [schema @ .., name]) => {
                self.exact("CONSTRAINT", names).or_else(|| self.owner(schema, name))
            }
            ("TABLE", _) => self.relation(names),
            ("USER MAPPING", [server, everybody]) if everybody.is_empty() => {
                self.exact(kind, &[server.clone(), "public".to_owned()])
            }
            _ => None,
        })
    }

    fn exact(&self, kind: &'static str, names: &[String]) -> Option<&Made> {
        let (last, scope) = names.split_last()?;
        let all = self.made.get(&(kind, last.clone()))?;
        let same = all.iter().find(|made| made.scope == scope);
        same.or_else(|| {
            // Not written with its schema: then it must be the only one that it can be.
            let mut fits = all.iter().filter(|made| scope.ends_with(&made.scope));
            fits.next().filter(|_| fits.next().is_none())
        })
    }

    fn relation(&self, names: &[String]) -> Option<&Made> {
        ["TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "TYPE"].iter().find_map(|kind| self.exact(kind, names))
    }

    /// The column of a constraint that PostgreSQL named after it: `users_email_key`.
    fn column_in(&self, table: &[String], constraint: &str) -> Option<&Made> {
        let rest = constraint.strip_prefix(table.last()?.as_str())?.strip_prefix('_')?;
        let column = rest.rsplit_once('_')?.0;
        self.exact("COLUMN", &[table, &[column.to_owned()]].concat())
    }

    /// The table of an index or a sequence that PostgreSQL named after it.
    fn owner(&self, schema: &[String], name: &str) -> Option<&Made> {
        name.match_indices('_').rev().find_map(|(at, _)| {
            let table = [schema, &[name[..at].to_owned()]].concat();
            self.column_in(&table, name).or_else(|| self.exact("TABLE", &table))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};

    #[test]
    fn objects_are_found_where_they_are_made() -> Result<(), Error> {
        let source = read_text(
            "s.sql",
            "CREATE SCHEMA app;\n\
             CREATE TABLE app.users (\n  id bigserial PRIMARY KEY,\n  email text UNIQUE,\n  CONSTRAINT long CHECK (true)\n);\n\
             ALTER TABLE app.users\n  ADD COLUMN age int;\n\
             CREATE TRIGGER audit AFTER INSERT ON app.users EXECUTE FUNCTION f();\n\
             CREATE INDEX i ON app.users (id);\n\
             SET search_path = other;\nCREATE FUNCTION f() RETURNS int AS '' LANGUAGE sql;\nCREATE DOMAIN d AS int;\n\
             CREATE TABLE app2.users (id int);\nDROP DATABASE d;\nCREATE USER ann;\nALTER DATABASE d SET work_mem = 1;",
        )?;
        let line = |keyword: &str, names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            source.locate(keyword, &names).map(|at| format!("{}:{}", at.line, at.column))
        };
        let found = |line: &str| Some(line.to_owned());
        assert_eq!(line("TABLE", &["app", "users"]), found("2:1"));
        assert_eq!(line("TABLE", &["app2", "users"]), found("14:1"));
        assert_eq!(line("COLUMN", &["app", "users", "email"]), found("4:3"));
        assert_eq!(line("COLUMN", &["app", "users", "age"]), found("8:14"));
        assert_eq!(line("DEFAULT VALUE", &["app", "users", "age"]), found("8:14"));
        assert_eq!(line("TABLE CONSTRAINT", &["app", "users", "long"]), found("5:3"));
        assert_eq!(line("CONSTRAINT", &["app", "users", "users_email_key"]), found("4:3"));
        assert_eq!(line("CONSTRAINT", &["app", "users", "users_pkey"]), found("2:1"));
        assert_eq!(line("SEQUENCE", &["app", "users_id_seq"]), found("3:3"));
        assert_eq!(line("INDEX", &["app", "users_pkey"]), found("2:1"));
        assert_eq!(line("TRIGGER", &["app", "users", "audit"]), found("9:1"));
        assert_eq!(line("INDEX", &["app", "i"]), found("10:1"));
        assert_eq!(line("FUNCTION", &["other", "f"]), found("12:1"));
        assert_eq!(line("DOMAIN", &["other", "d"]), found("13:1"));
        assert_eq!(line("DATABASE", &[]), found("17:1"));
        assert_eq!(line("ROLE", &["ann"]), found("16:1"));
        assert_eq!(line("FUNCTION", &["app", "f"]), None);
        assert_eq!(line("TABLE", &["app", "nothing"]), None);
        Ok(())
    }
}
