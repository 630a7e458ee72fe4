//! Lends superuser to the loading role of a cluster of ours, for one statement at a time.

use crate::sql::ident;
use postgres::{Client, Error};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Whether superuser is lent on a cluster at this moment: two databases may be loaded at once as the same role.
#[derive(Default)]
pub(super) struct Loan {
    out: Mutex<bool>,
    back: Condvar,
}

impl Loan {
    fn take(&self) {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        *self.back.wait_while(out, |out| *out).unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn give_back(&self) {
        *self.out.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.back.notify_one();
    }
}

/// Makes a role a superuser and takes that back.
///
/// While the role is one, event triggers of the database are off: their functions are the schema's own, and would run as
/// superuser too.
pub struct SuperuserLender {
    admin: Client,
    role: String,
    loan: Arc<Loan>,
    lent: bool,
    silenced: Vec<(String, &'static str)>,
}

impl SuperuserLender {
    /// Lends to `role` over a superuser's connection to the same database.
    pub(super) fn new(admin: Client, role: &str, loan: &Arc<Loan>) -> Self {
        Self { admin, role: role.to_owned(), loan: Arc::clone(loan), lent: false, silenced: Vec::new() }
    }

    /// Makes the role a superuser, once nobody else on this cluster is lent it.
    ///
    /// To be called outside a transaction of the loading role: an event trigger that it has not committed yet cannot be
    /// turned off from here, and would run as superuser.
    ///
    /// # Errors
    /// Whatever the server says; nothing is lent then.
    pub fn lend(&mut self) -> Result<(), Error> {
        if !self.lent {
            self.loan.take();
            self.lent = true;
        }
        let lent = self.raise();
        if lent.is_err() {
            self.lent = false;
            self.loan.give_back();
        }
        lent
    }

    fn raise(&mut self) -> Result<(), Error> {
        let rows = self.admin.query(
            "SELECT evtname::text, evtenabled::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 1",
            &[],
        )?;
        let silenced: Vec<(String, &'static str)> = rows.iter().map(|row| (row.get(0), enabled(row.get(1)))).collect();
        let mut statements: Vec<String> =
            silenced.iter().map(|(name, _)| format!("ALTER EVENT TRIGGER {} DISABLE", ident(name))).collect();
        statements.push(format!("ALTER ROLE {} SUPERUSER", ident(&self.role)));
        // One message is one transaction.
        self.admin.batch_execute(&crate::sql::join(statements, "; "))?;
        self.silenced = silenced;
        Ok(())
    }

    /// Makes the role an ordinary one again.
    ///
    /// # Errors
    /// Whatever the server says.
    pub fn take_back(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.lent) {
            return Ok(());
        }
        let lowered = self.lower();
        self.loan.give_back();
        lowered
    }

    fn lower(&mut self) -> Result<(), Error> {
        // First and by itself: a trigger that the lent statement dropped must not keep the role a superuser.
        self.admin.batch_execute(&format!("ALTER ROLE {} NOSUPERUSER", ident(&self.role)))?;
        for (name, state) in std::mem::take(&mut self.silenced) {
            let exists =
                self.admin.query_opt("SELECT FROM pg_catalog.pg_event_trigger WHERE evtname = $1::text", &[&name])?;
            if exists.is_some() {
                self.admin.batch_execute(&format!("ALTER EVENT TRIGGER {} {state}", ident(&name)))?;
            }
        }
        Ok(())
    }
}

impl crate::source::Lender for SuperuserLender {
    fn admin(&mut self) -> &mut Client {
        &mut self.admin
    }
}

fn enabled(state: &str) -> &'static str {
    match state {
        "R" => "ENABLE REPLICA",
        "A" => "ENABLE ALWAYS",
        _ => "ENABLE",
    }
}

/// Never leaves the role a superuser; a failure here means that the server is gone.
impl Drop for SuperuserLender {
    fn drop(&mut self) {
        let _ = self.take_back();
    }
}
