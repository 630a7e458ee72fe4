//! A schema as SQL, each statement after what it needs.

mod code;
mod tables;
mod views;

use std::fmt;

use reconcile::sql;

use super::model::{Base, Does, Notes, Schema, Sequence, Type};

/// The role that grants and policies name.
const READER: &str = "app_reader";

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in self.statements() {
            writeln!(f, "{statement};")?;
        }
        Ok(())
    }
}

/// A failing property shows the schema as SQL.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Schema {
    /// The statements that make the schema, in an order in which they can be executed.
    pub fn statements(&self) -> Vec<String> {
        let mut out = Vec::new();
        for item in &self.namespaces {
            let name = sql::ident(&item.name);
            out.push(format!("CREATE SCHEMA {name}"));
            notes(&mut out, "SCHEMA", &name, "USAGE", &item.notes);
        }
        self.print_types(&mut out);
        self.sequences.iter().for_each(|sequence| print_sequence(&mut out, sequence));
        for routine in self.routines.iter().filter(|routine| matches!(routine.does, Does::Value(..))) {
            self.print_routine(&mut out, routine);
        }
        self.tables.iter().for_each(|table| self.print_table(&mut out, table));
        self.tables.iter().for_each(|table| self.print_foreign_keys(&mut out, table));
        for sequence in &self.sequences {
            if let Some((table, column)) = &sequence.owner {
                out.push(format!("ALTER SEQUENCE {} OWNED BY {table}.{}", sequence.name, sql::ident(column)));
            }
        }
        self.views.iter().for_each(|view| self.print_view(&mut out, view));
        for routine in self.routines.iter().filter(|routine| !matches!(routine.does, Does::Value(..))) {
            self.print_routine(&mut out, routine);
        }
        self.triggers.iter().for_each(|trigger| self.print_trigger(&mut out, trigger));
        self.tables.iter().for_each(|table| self.print_policies(&mut out, table));
        if !self.others.is_empty() {
            // Whom objects are handed over to may have them there.
            out.push("GRANT USAGE, CREATE ON SCHEMA app TO app_writer".to_owned());
        }
        out.extend(self.others.iter().map(|other| other.sql(self.server.major)));
        out
    }

    fn print_types(&self, out: &mut Vec<String>) {
        for item in &self.enums {
            let labels: Vec<String> = item.labels.iter().map(|label| sql::literal(label)).collect();
            let name = item.name.to_string();
            out.push(format!("CREATE TYPE {name} AS ENUM ({})", sql::join(labels, ", ")));
            notes(out, "TYPE", &name, "USAGE", &item.notes);
        }
        for item in &self.domains {
            let ty = Type { base: item.base.clone(), array: false };
            let name = item.name.to_string();
            let mut text = format!("CREATE DOMAIN {name} AS {}", self.spell(&ty));
            if let Some(form) = item.default {
                text += &format!(" DEFAULT {}", self.default_value(&ty, form));
            }
            for (name, form) in &item.checks {
                text += &format!(" CONSTRAINT {} CHECK ({})", sql::ident(name), self.holds("VALUE", &ty, *form));
            }
            out.push(text);
            notes(out, "DOMAIN", &name, "USAGE", &item.notes);
        }
        for item in &self.composites {
            let fields: Vec<String> =
                item.fields.iter().map(|(name, ty)| format!("{} {}", sql::ident(name), self.spell(ty))).collect();
            let name = item.name.to_string();
            out.push(format!("CREATE TYPE {name} AS ({})", sql::join(fields, ", ")));
            notes(out, "TYPE", &name, "USAGE", &item.notes);
        }
    }
}

fn print_sequence(out: &mut Vec<String>, sequence: &Sequence) {
    let options = match sequence.form {
        0..=2 => "",
        3 => " AS integer",
        4 => " INCREMENT BY 5 START WITH 100",
        5 => " MINVALUE 10 MAXVALUE 1000000 CYCLE",
        6 => " AS smallint CACHE 7",
        _ => " INCREMENT BY -1",
    };
    let name = sequence.name.to_string();
    out.push(format!("CREATE SEQUENCE {name}{options}"));
    notes(out, "SEQUENCE", &name, "USAGE", &sequence.notes);
}

fn comment(out: &mut Vec<String>, what: &str, name: &str, text: Option<&String>) {
    out.extend(text.map(|text| format!("COMMENT ON {what} {name} IS {}", sql::literal(text))));
}

fn notes(out: &mut Vec<String>, what: &str, name: &str, privilege: &str, notes: &Notes) {
    comment(out, what, name, notes.comment.as_ref());
    if notes.granted {
        // `GRANT` knows views as tables.
        let what = if what.ends_with("VIEW") { "TABLE" } else { what };
        out.push(format!("GRANT {privilege} ON {what} {name} TO {READER}"));
    }
}

/// Whether the type is one that `COLLATE` can stand behind.
fn collation(collate_c: bool, ty: &Type) -> &'static str {
    if collate_c && matches!(ty.base, Base::Builtin(_)) { " COLLATE \"C\"" } else { "" }
}
