//! Statements that reach beyond the database: on throw-away servers they may create roles, and nothing more.

use super::connection::Trouble;
use super::{Beyond, Loader};
use crate::source::class::Class;
use crate::source::outer::{About, about, title};
use crate::source::statement::Warning;
use crate::sql::ident;

impl Loader<'_> {
    /// Creates the roles that the source creates, where it may, and says what is left out.
    pub(super) fn beyond(&mut self, policy: Beyond) -> Result<Vec<(About, Warning)>, Trouble> {
        let source = self.source;
        let mut left_out = Vec::new();
        for statement in source.statements.iter().filter(|statement| statement.class == Class::Beyond) {
            if policy == Beyond::Run
                && statement.head.is("CREATE", &["ROLE", "USER", "GROUP"])
                && let Some(name) = statement.head.name.first()
            {
                self.create_role(name)?;
            }
            let message = format!("{} is left out: it reaches beyond the database", title(statement));
            left_out.push((about(statement), Warning { location: statement.location(), message }));
        }
        Ok(left_out)
    }

    /// Creates a role with none of the rights that the file may ask for.
    fn create_role(&mut self, name: &str) -> Result<(), Trouble> {
        let mut statements = vec![format!("CREATE ROLE {}", ident(name))];
        if let Some(loans) = &self.loans {
            statements.push(format!("GRANT {} TO {}", ident(name), ident(loans.role())));
        }
        let client = match self.loans.as_mut() {
            Some(loans) => loans.admin(),
            None => self.connection.client(),
        };
        // A role that is there stays as it is; membership comes with a new one only.
        match client.batch_execute(&statements.join("; ")).map_err(Trouble::from) {
            Err(lost @ Trouble::Lost(_)) => Err(lost),
            _ => Ok(()),
        }
    }
}
