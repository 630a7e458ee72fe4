//! Functions, procedures and triggers.

use reconcile::sql;

use super::super::model::{Does, Language, Name, Routine, Schema, Signature, Trigger, Type};
use super::{comment, notes};

impl Schema {
    /// A call with a value for each argument, which leaves no doubt about which of several namesakes is meant.
    pub(super) fn call(&self, signature: &Signature) -> String {
        let values: Vec<String> = signature.arguments.iter().map(|ty| self.value(ty, 1)).collect();
        format!("{}({})", signature.name, sql::join(values, ", "))
    }

    pub(super) fn print_routine(&self, out: &mut Vec<String>, routine: &Routine) {
        let first = routine.arguments.len() - routine.defaults;
        let arguments: Vec<String> = (routine.arguments.iter().enumerate())
            .map(|(at, (name, ty))| {
                let default = if at < first { String::new() } else { format!(" DEFAULT {}", self.value(ty, 2)) };
                format!("{} {}{default}", sql::ident(name), self.spell(ty))
            })
            .collect();
        let (what, returns) = match &routine.does {
            Does::Value(ty, _) => ("FUNCTION", format!(" RETURNS {}", self.spell(ty))),
            Does::Rows(from) => ("FUNCTION", format!(" RETURNS {}", self.row_type(routine, from))),
            Does::Trigger => ("FUNCTION", " RETURNS trigger".to_owned()),
            Does::Procedure(_) => ("PROCEDURE", String::new()),
        };
        let language = if routine.language == Language::Plpgsql { "plpgsql" } else { "sql" };
        let options = if what == "FUNCTION" { function_options(routine) } else { procedure_options(routine) };
        let body = self.body(routine);
        out.push(format!(
            "CREATE {what} {}({}){returns} LANGUAGE {language}{options}\n{body}",
            routine.name,
            sql::join(arguments, ", ")
        ));
        let types: Vec<String> = routine.arguments.iter().map(|(_, ty)| self.spell(ty)).collect();
        let full = format!("{}({})", routine.name, sql::join(types, ", "));
        notes(out, what, &full, "EXECUTE", &routine.notes);
    }

    fn row_type(&self, routine: &Routine, from: &Name) -> String {
        if whole_rows(routine) {
            return format!("SETOF {from}");
        }
        let columns = self.columns_of(from);
        let columns = columns.iter().map(|(name, ty)| format!("{} {}", sql::ident(name), self.spell(ty)));
        format!("TABLE ({})", sql::join(columns.collect::<Vec<_>>(), ", "))
    }

    fn body(&self, routine: &Routine) -> String {
        let query = match &routine.does {
            Does::Value(ty, Some(call)) if routine.form.is_multiple_of(2) => {
                format!("{}::{}", self.call(call), self.spell(ty))
            }
            Does::Value(ty, _) if *ty == Type::builtin("boolean") => {
                let argument =
                    routine.arguments.first().map_or_else(|| "NULL".to_owned(), |(name, _)| sql::ident(name));
                format!("num_nulls({argument}) < {}", routine.form + 2)
            }
            Does::Value(ty, _) => self.value(ty, usize::from(routine.form)),
            Does::Rows(from) if whole_rows(routine) => format!("q.* FROM {from} q"),
            Does::Rows(from) => {
                let columns = self.columns_of(from);
                let columns = columns.iter().map(|(name, _)| format!("q.{}", sql::ident(name)));
                format!("{} FROM {from} q", sql::join(columns.collect::<Vec<_>>(), ", "))
            }
            Does::Procedure(Some(table)) => format!("count(*) FROM {table} q"),
            Does::Procedure(None) => routine.form.to_string(),
            Does::Trigger => return trigger_body(routine.form),
        };
        let text = match (routine.language, &routine.does) {
            (Language::Atomic, _) => return format!("BEGIN ATOMIC\n    SELECT {query};\nEND"),
            (Language::Sql, _) => format!("SELECT {query}"),
            (Language::Plpgsql, Does::Rows(_)) => format!("BEGIN\n    RETURN QUERY SELECT {query};\nEND"),
            (Language::Plpgsql, Does::Procedure(_)) => format!("BEGIN\n    PERFORM {query};\nEND"),
            (Language::Plpgsql, _) => format!("BEGIN\n    RETURN {query};\nEND"),
        };
        format!("AS {}", sql::dollar(&text))
    }

    pub(super) fn print_trigger(&self, out: &mut Vec<String>, trigger: &Trigger) {
        let (name, on) = (sql::ident(&trigger.name), &trigger.on);
        let of = trigger.of.as_ref().map(|column| format!(" OF {}", sql::ident(column))).unwrap_or_default();
        let mut events = Vec::new();
        for (bit, event) in [(1, "INSERT".to_owned()), (2, format!("UPDATE{of}")), (4, "DELETE".to_owned())] {
            if trigger.events & bit != 0 {
                events.push(event);
            }
        }
        let single = events.len() == 1 && trigger.of.is_none() && trigger.when.is_none();
        let (constraint, timing, tail) = match (self.view(on).is_some(), trigger.each_row, trigger.form) {
            (true, ..) => ("", "INSTEAD OF", ""),
            (_, true, 0) => ("CONSTRAINT ", "AFTER", " DEFERRABLE INITIALLY DEFERRED"),
            (_, true, 1) => ("CONSTRAINT ", "AFTER", ""),
            (_, _, 2) if single && trigger.events == 4 => ("", "AFTER", " REFERENCING OLD TABLE AS gone"),
            (_, _, 2) if single => ("", "AFTER", " REFERENCING NEW TABLE AS come"),
            (_, _, 3..=5) => ("", "AFTER", ""),
            _ => ("", "BEFORE", ""),
        };
        let each = if trigger.each_row { "ROW" } else { "STATEMENT" };
        let columns = self.columns_of(on);
        let when = trigger.when.as_ref().map(|when| {
            let row = if trigger.events & 4 != 0 { "OLD" } else { "NEW" };
            format!(" WHEN ({})", self.condition(when, &format!("{row}.{}", sql::ident(&when.column)), &columns))
        });
        out.push(format!(
            "CREATE {constraint}TRIGGER {name} {timing} {} ON {on}{tail} FOR EACH {each}{} EXECUTE FUNCTION {}({})",
            sql::join(events, " OR "),
            when.unwrap_or_default(),
            trigger.function,
            if trigger.form == 7 { "'it''s', 2" } else { "" },
        ));
        if trigger.disabled && self.table(on).is_some() {
            out.push(format!("ALTER TABLE {on} DISABLE TRIGGER {name}"));
        }
        comment(out, "TRIGGER", &format!("{name} ON {on}"), trigger.comment.as_ref());
    }
}

/// Whether a function returns the rows as they are; never a tracked body, which would fix the order of the columns.
fn whole_rows(routine: &Routine) -> bool {
    routine.form.is_multiple_of(3) && routine.language != Language::Atomic
}

fn function_options(routine: &Routine) -> &'static str {
    match routine.form {
        0 => " IMMUTABLE",
        1 => " STABLE STRICT",
        2 => " STABLE SECURITY DEFINER SET search_path TO 'pg_catalog'",
        3 => " COST 7 PARALLEL SAFE",
        4 => " PARALLEL RESTRICTED COST 50",
        _ => "",
    }
}

fn procedure_options(routine: &Routine) -> &'static str {
    if routine.form == 2 { " SECURITY DEFINER" } else { "" }
}

fn trigger_body(form: u8) -> String {
    let text = match form % 3 {
        0 => "BEGIN\n    RETURN NEW;\nEND".to_owned(),
        1 => format!(
            "BEGIN\n    IF TG_OP = 'DELETE' THEN\n        RETURN OLD; -- {form}\n    END IF;\n    RETURN NEW;\nEND"
        ),
        _ => format!("DECLARE\n    n integer := {form};\nBEGIN\n    RETURN NEW;\nEND"),
    };
    format!("AS {}", sql::dollar(&text))
}
