//! Views and materialized views.

use reconcile::sql;

use super::super::model::{Schema, Shape, View, ViewColumn};
use super::super::settle::{Columns, GROUP_SIZE, type_in};
use super::notes;

impl Schema {
    pub(super) fn print_view(&self, out: &mut Vec<String>, view: &View) {
        let name = view.name.to_string();
        let what = if view.materialized { "MATERIALIZED VIEW" } else { "VIEW" };
        let with = if view.security_barrier { " WITH (security_barrier)" } else { "" };
        let check = if view.check_option { "\nWITH LOCAL CHECK OPTION" } else { "" };
        out.push(format!("CREATE {what} {name}{with} AS\n{}{check}", self.query(view)));
        for column in &view.columns {
            if let (Some(form), Some(ty)) = (column.default, type_in(&self.columns_of(&view.name), &column.name)) {
                let default = self.default_value(ty, form);
                out.push(format!("ALTER VIEW {name} ALTER COLUMN {} SET DEFAULT {default}", sql::ident(&column.name)));
            }
        }
        notes(out, what, &name, "SELECT", &view.notes);
        view.indexes.iter().for_each(|index| self.print_index(out, &view.name, index));
    }

    fn query(&self, view: &View) -> String {
        let from = self.columns_of(&view.from);
        let join = view.join.as_ref().map(|name| self.columns_of(name)).unwrap_or_default();
        let columns: Vec<String> = view.columns.iter().map(|column| self.view_column(column, &from, &join)).collect();
        let columns = sql::join(columns, ", ");
        let mut source = match view.shape {
            Shape::Nested => format!("(SELECT * FROM {}) q", view.from),
            _ => format!("{} q", view.from),
        };
        if let (Some(other), Some((a, _)), Some((b, _))) = (&view.join, from.first(), join.first()) {
            // No row finds a partner, so views on views do not grow.
            let (a, b) = (sql::ident(a), sql::ident(b));
            source += &format!(" LEFT JOIN {other} r ON q.{a} IS NULL AND r.{b} IS NULL AND false");
        }
        if let Some(filter) = &view.filter {
            let column = format!("q.{}", sql::ident(&filter.column));
            source += &format!(" WHERE {}", self.condition(filter, &column, &from));
        }
        match view.shape {
            Shape::Plain | Shape::Nested => format!("SELECT {columns} FROM {source}"),
            Shape::Distinct => format!("SELECT DISTINCT {columns} FROM {source}"),
            Shape::Union => format!("SELECT {columns} FROM {source} UNION ALL SELECT {columns} FROM {source}"),
            Shape::Grouped => {
                let numbers: Vec<String> = (1..=view.columns.len()).map(|n| n.to_string()).collect();
                format!(
                    "SELECT {columns}, count(*) AS {GROUP_SIZE} FROM {source} GROUP BY {}",
                    sql::join(numbers, ", ")
                )
            }
        }
    }

    fn view_column(&self, column: &ViewColumn, from: &Columns, join: &Columns) -> String {
        let (alias, columns) = if column.joined { ("r", join) } else { ("q", from) };
        let x = format!("{alias}.{}", sql::ident(&column.column));
        let expression = match (column.derived, type_in(columns, &column.column)) {
            (Some(form), Some(ty)) => self.derive(&x, ty, form).0,
            _ => x,
        };
        format!("{expression} AS {}", sql::ident(&column.name))
    }
}
