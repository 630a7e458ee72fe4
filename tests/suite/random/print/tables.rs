//! Tables with their columns, constraints, indexes and policies.

use reconcile::sql;

use super::super::model::{Column, Condition, Constraint, Index, Key, Name, Policy, Rule, Schema, Source, Table, Type};
use super::super::settle::{Columns, type_in};
use super::super::types::Family;
use super::{READER, collation, comment, notes};

impl Schema {
    pub(super) fn print_table(&self, out: &mut Vec<String>, table: &Table) {
        let name = table.name.to_string();
        let columns = self.columns_of(&table.name);
        let mut lines: Vec<String> = table.columns.iter().map(|column| self.column(table, column)).collect();
        let late = |rule: &Rule| matches!(rule, Rule::Foreign(_) | Rule::Check { valid: false, .. });
        let inline = table.constraints.iter().filter(|constraint| !late(&constraint.rule));
        lines.extend(inline.map(|constraint| self.constraint(constraint, &columns)));
        let unlogged = if table.unlogged { "UNLOGGED " } else { "" };
        let with = table.fillfactor.map(|form| format!(" WITH (fillfactor='{}')", 60 + form)).unwrap_or_default();
        out.push(format!("CREATE {unlogged}TABLE {name} (\n    {}\n){with}", sql::join(lines, ",\n    ")));
        for constraint in &table.constraints {
            if matches!(constraint.rule, Rule::Check { valid: false, .. }) {
                out.push(format!("ALTER TABLE {name} ADD {} NOT VALID", self.constraint(constraint, &columns)));
            }
            if !matches!(constraint.rule, Rule::Foreign(_)) {
                constraint_comment(out, &table.name, constraint);
            }
        }
        if table.replica_identity_full {
            out.push(format!("ALTER TABLE {name} REPLICA IDENTITY FULL"));
        }
        notes(out, "TABLE", &name, "SELECT, INSERT", &table.notes);
        for column in &table.columns {
            let full = format!("{name}.{}", sql::ident(&column.name));
            comment(out, "COLUMN", &full, column.comment.as_ref());
            if let Some(form) = column.statistics {
                let target = 100 + u16::from(form);
                out.push(format!(
                    "ALTER TABLE {name} ALTER COLUMN {} SET STATISTICS {target}",
                    sql::ident(&column.name)
                ));
            }
        }
        table.indexes.iter().for_each(|index| self.print_index(out, &table.name, index));
    }

    fn column(&self, table: &Table, column: &Column) -> String {
        let mut text = format!(
            "{} {}{}",
            sql::ident(&column.name),
            self.spell(&column.ty),
            collation(column.collate_c, &column.ty)
        );
        match &column.source {
            Source::Nothing => {}
            Source::Default(form) => text += &format!(" DEFAULT {}", self.default_value(&column.ty, *form)),
            Source::Sequence(name) => {
                text += &format!(" DEFAULT nextval({}::regclass)", sql::literal(&name.to_string()));
            }
            Source::Call(signature) => text += &format!(" DEFAULT {}", self.call(signature)),
            Source::Identity { always, form } => {
                let when = if *always { "ALWAYS" } else { "BY DEFAULT" };
                let options = [" (START WITH 50)", " (INCREMENT BY 2)", " (CACHE 3)", ""][usize::from((*form).min(3))];
                text += &format!(" GENERATED {when} AS IDENTITY{options}");
            }
            Source::Generated { from, form } => {
                let ty = table.column(from).map_or_else(|| column.ty.clone(), |from| from.ty.clone());
                let (expression, _) = self.derive(&sql::ident(from), &ty, *form);
                text += &format!(" GENERATED ALWAYS AS ({expression}) STORED");
            }
        }
        if column.not_null {
            text += " NOT NULL";
        }
        text
    }

    fn constraint(&self, constraint: &Constraint, columns: &Columns) -> String {
        let rule = match &constraint.rule {
            Rule::Primary(columns) => format!("PRIMARY KEY ({})", sql::idents(columns)),
            Rule::Unique { columns, deferrable } => {
                format!("UNIQUE ({}){}", sql::idents(columns), if *deferrable { " DEFERRABLE" } else { "" })
            }
            Rule::Check { condition, .. } => {
                let column = sql::ident(&condition.column);
                format!("CHECK ({})", self.condition(condition, &column, columns))
            }
            Rule::Exclude { column, form } => {
                let range = type_in(columns, column).is_some_and(|ty| self.family(ty) == Family::Range);
                let (method, operator) = if range { ("gist", "&&") } else { ("btree", "=") };
                let tail = ["", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED", ""][usize::from((*form).min(3))];
                let column = sql::ident(column);
                let predicate = if *form == 4 { format!(" WHERE ({column} IS NOT NULL)") } else { String::new() };
                format!("EXCLUDE USING {method} ({column} WITH {operator}){predicate}{tail}")
            }
            Rule::Foreign(foreign) => {
                let key = self.table(&foreign.table).and_then(|table| table.key(&foreign.key)).unwrap_or_default();
                let action = [
                    "",
                    " ON DELETE CASCADE",
                    " ON DELETE SET NULL",
                    " ON DELETE RESTRICT ON UPDATE CASCADE",
                    " ON DELETE SET DEFAULT",
                    " MATCH FULL",
                    "",
                    "",
                ][usize::from(foreign.on_delete)];
                let (table, columns, key) = (&foreign.table, sql::idents(&foreign.columns), sql::idents(key));
                let deferrable = if foreign.deferrable { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
                // PostgreSQL wants MATCH before the actions; only one of them stands here.
                format!("FOREIGN KEY ({columns}) REFERENCES {table} ({key}){action}{deferrable}")
            }
        };
        format!("CONSTRAINT {} {rule}", sql::ident(&constraint.name))
    }

    /// The condition on `x`, which stands for its column.
    pub(super) fn condition(&self, condition: &Condition, x: &str, columns: &[(String, Type)]) -> String {
        match (&condition.call, type_in(columns, &condition.column)) {
            (Some(call), _) => format!("{}({x})", call.name),
            (None, Some(ty)) => self.holds(x, ty, condition.form),
            (None, None) => "true".to_owned(),
        }
    }

    pub(super) fn print_foreign_keys(&self, out: &mut Vec<String>, table: &Table) {
        for constraint in &table.constraints {
            if let Rule::Foreign(foreign) = &constraint.rule {
                let valid = if foreign.valid { "" } else { " NOT VALID" };
                let rule = self.constraint(constraint, &Columns::new());
                out.push(format!("ALTER TABLE {} ADD {rule}{valid}", table.name));
                constraint_comment(out, &table.name, constraint);
            }
        }
    }

    pub(super) fn print_index(&self, out: &mut Vec<String>, on: &Name, index: &Index) {
        let columns = self.columns_of(on);
        let keys: Vec<String> = index.keys.iter().map(|key| self.index_key(index, key, &columns)).collect();
        let unique = if index.unique { "UNIQUE " } else { "" };
        let name = sql::ident(&index.name);
        let mut text =
            format!("CREATE {unique}INDEX {name} ON {on} USING {} ({})", index.method, sql::join(keys, ", "));
        if !index.include.is_empty() {
            text += &format!(" INCLUDE ({})", sql::idents(&index.include));
        }
        if let Some(predicate) = &index.predicate {
            text += &format!(" WHERE {}", self.condition(predicate, &sql::ident(&predicate.column), &columns));
        }
        out.push(text);
        let full = sql::qualified([&on.schema, &index.name]);
        comment(out, "INDEX", &full, index.comment.as_ref());
    }

    fn index_key(&self, index: &Index, key: &Key, columns: &Columns) -> String {
        let column = sql::ident(&key.column);
        let ty = type_in(columns, &key.column).cloned().unwrap_or_else(|| Type::builtin("text"));
        let (mut text, ty) = match key.derived {
            Some(form) => {
                let (expression, ty) = self.derive(&column, &ty, form);
                (format!("({expression})"), ty)
            }
            None => (column, ty),
        };
        if index.method == "btree" {
            if key.order >= 6 && self.family(&ty) == Family::Text && self.spell(&ty) == "text" {
                text += " text_pattern_ops";
            }
            text += ["", "", "", " DESC", " DESC NULLS LAST", " NULLS FIRST", "", " DESC"][usize::from(key.order)];
        }
        text
    }

    pub(super) fn print_policies(&self, out: &mut Vec<String>, table: &Table) {
        if table.row_security {
            out.push(format!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table.name));
        }
        if table.forced {
            out.push(format!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table.name));
        }
        table.policies.iter().for_each(|policy| self.print_policy(out, table, policy));
    }

    fn print_policy(&self, out: &mut Vec<String>, table: &Table, policy: &Policy) {
        let columns = self.columns_of(&table.name);
        let mut condition = self.condition(&policy.condition, &sql::ident(&policy.condition.column), &columns);
        if let Some(other) = &policy.exists {
            condition = format!("{condition} AND EXISTS (SELECT FROM {other} q)");
        }
        let (command, using, check) = [
            ("ALL", true, false),
            ("ALL", true, true),
            ("SELECT", true, false),
            ("INSERT", false, true),
            ("UPDATE", true, true),
            ("UPDATE", true, false),
            ("DELETE", true, false),
            ("ALL", true, false),
        ][usize::from(policy.command)];
        let name = sql::ident(&policy.name);
        let mut text = format!("CREATE POLICY {name} ON {}", table.name);
        text += if policy.restrictive { " AS RESTRICTIVE" } else { "" };
        text += &format!(" FOR {command} TO {}", if policy.for_reader { READER } else { "PUBLIC" });
        text += &if using { format!(" USING ({condition})") } else { String::new() };
        text += &if check { format!(" WITH CHECK ({condition})") } else { String::new() };
        out.push(text);
        comment(out, "POLICY", &format!("{name} ON {}", table.name), policy.comment.as_ref());
    }
}

fn constraint_comment(out: &mut Vec<String>, on: &Name, constraint: &Constraint) {
    let full = format!("{} ON {on}", sql::ident(&constraint.name));
    comment(out, "CONSTRAINT", &full, constraint.comment.as_ref());
}
