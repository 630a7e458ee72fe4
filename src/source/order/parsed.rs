//! What sqlparser sees of a query: the relations, functions and types that it refers to, where the words alone show only
//! that a name occurs.

use sqlparser::ast::{self, Expr, ObjectName, Visit, Visitor};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// Every part of every name that a view's query refers to; nothing when the statement makes no view, or when sqlparser
/// does not know all of it.
pub(super) fn references(sql: &str) -> Option<BTreeSet<String>> {
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).ok()?;
    let [statement @ ast::Statement::CreateView(_)] = statements.as_slice() else { return None };
    let mut names = Names::default();
    let _: ControlFlow<()> = statement.visit(&mut names);
    Some(names.0)
}

#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, name: &ObjectName) {
        let idents = name.0.iter().filter_map(|part| part.as_ident());
        self.0.extend(idents.map(|ident| match ident.quote_style {
            Some(_) => ident.value.clone(),
            None => ident.value.to_lowercase(),
        }));
    }

    fn add_type(&mut self, data_type: &ast::DataType) {
        match data_type {
            ast::DataType::Custom(name, _) => self.add(name),
            ast::DataType::Array(
                ast::ArrayElemTypeDef::AngleBracket(inner)
                | ast::ArrayElemTypeDef::SquareBracket(inner, _)
                | ast::ArrayElemTypeDef::Parenthesis(inner),
            ) => self.add_type(inner),
            _ => {}
        }
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.add(relation);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::Function { name, .. } = factor {
            self.add(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => self.add(&function.name),
            Expr::Cast { data_type, .. } => self.add_type(data_type),
            Expr::Collate { collation, .. } => self.add(collation),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::references;

    fn names(sql: &str) -> Option<String> {
        Some(references(sql)?.into_iter().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn columns_and_aliases_are_no_references() {
        let sql =
            r#"CREATE VIEW v AS SELECT Id AS other, f(x)::app.mood, '1'::"T"[] FROM app.Orders o JOIN "Q" USING (id)"#;
        assert_eq!(names(sql).as_deref(), Some("Q T app f mood orders v"));
    }

    #[test]
    fn what_is_no_view_or_not_understood_says_nothing() {
        assert_eq!(names("CREATE TABLE t (a int)"), None);
        assert_eq!(names("CREATE VIEW v AS SELECT a |> b FROM t WINDOW ("), None);
    }
}
