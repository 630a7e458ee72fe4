//! Superuser for single statements of a file that may come from anybody.
//!
//! The role is made a superuser inside a transaction that ends before anybody else can see it: not the role's own sessions,
//! and no worker of the server that runs its functions. In the transaction runs the one statement, over the extended
//! protocol, in a session that the file never had to itself, with event triggers off. It runs once to see what it changes,
//! and again if all of that may stay.

mod effects;
mod libraries;
mod loan;
mod rules;

use super::connection::{Refused, Trouble};
use crate::source::class::Class;
use crate::source::statement::Statement;
use crate::source::unit::Text;
use crate::source::{Source, read_text};
use crate::sql::{ident, idents};
use effects::{Touched, before, denied_after, denied_before, plain, touched};
use libraries::Libraries;
use loan::{Loan, REFUSED_EXTENSIONS};
use postgres::Client;
use postgres::error::{DbError, ErrorPosition};

/// Lends superuser to the loading role, on throw-away servers of ours.
pub trait Lender {
    /// A superuser's connection to the database that is being loaded, on which nothing of a file ever runs.
    fn admin(&mut self) -> &mut Client;

    /// A superuser's connection to a database of the same server in which nothing of anybody's is.
    ///
    /// # Errors
    /// What keeps it from being reached, in words.
    fn elsewhere(&mut self) -> Result<Client, String>;
}

/// Why a statement of ours did not run with superuser.
#[derive(Debug)]
pub enum NotLent {
    /// It failed with it as well.
    Failed(Box<DbError>),
    /// It does not get it, and why.
    Denied(String),
    /// The server does not answer any more.
    Lost(postgres::Error),
}

/// Runs a statement that `role` was refused as that role with superuser, if it may have it: in a transaction of its own on
/// the lender's connection, with an empty `search_path`.
///
/// # Errors
/// See [`NotLent`]; nothing has changed then.
pub fn lend(lender: &mut dyn Lender, role: &str, sql: &str) -> Result<(), NotLent> {
    let denied = |why: &str| NotLent::Denied(why.to_owned());
    let source = read_text("", &format!("SET search_path = '';\n{sql}")).map_err(|why| denied(&why.to_string()))?;
    let made: Vec<usize> =
        (0..source.statements.len()).filter(|at| source.statements[*at].class == Class::Definition).collect();
    let [at] = made.as_slice() else { return Err(denied("this is not one statement")) };
    let statement = &source.statements[*at];
    let libraries = Libraries::learn(lender, &source).map_err(NotLent::Lost)?;
    let mut loans = Loans { admin: lender.admin(), role: role.to_owned(), libraries };
    match loans.lend(statement, &Text::of_ours(sql.to_owned()), true) {
        Ok(Lent::Done) => Ok(()),
        Ok(Lent::Leakproof) => Err(denied("only a superuser can make a function leakproof")),
        Ok(Lent::Denied(why)) => Err(NotLent::Denied(why)),
        Ok(Lent::Failed(refused)) | Err(Trouble::Refused(refused)) => Err(NotLent::Failed(Box::new(refused.error))),
        Err(Trouble::Lost(error)) => Err(NotLent::Lost(error)),
    }
}

/// Whether a statement is of a kind that superuser may be lent to.
pub fn lendable(sql: &str) -> bool {
    read_text("", sql).is_ok_and(|source| match source.statements.as_slice() {
        [only] => Loan::of(only).is_ok(),
        _ => false,
    })
}

/// What can be lent during one load.
pub(super) struct Loans<'a> {
    admin: &'a mut Client,
    role: String,
    libraries: Libraries,
}

/// What came of lending.
pub(super) enum Lent {
    Done,
    /// The function may be created without LEAKPROOF first.
    Leakproof,
    /// Superuser is not lent for this, and why.
    Denied(String),
    /// The statement fails for another reason.
    Failed(Box<Refused>),
}

/// The outcome of one run of a statement.
enum Run {
    Failed(Box<Refused>),
    Touched(Touched),
}

impl<'a> Loans<'a> {
    /// Lends to `role` what the statements of a source may have.
    pub(super) fn new(lender: &'a mut dyn Lender, role: String, source: &Source) -> Result<Self, Trouble> {
        let libraries = Libraries::learn(lender, source)?;
        Ok(Self { admin: lender.admin(), role, libraries })
    }

    pub(super) fn admin(&mut self) -> &mut Client {
        self.admin
    }

    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// Runs a statement that was refused, with superuser, if it may have it. `clean` says that nothing of the file but
    /// schemas and extensions is there.
    pub(super) fn lend(&mut self, statement: &Statement, text: &Text, clean: bool) -> Result<Lent, Trouble> {
        match Loan::of(statement) {
            Err(why) => Ok(Lent::Denied(why.to_owned())),
            Ok(Loan::Extension { script: true }) if !clean => {
                Ok(Lent::Denied("extensions have to be there before everything else".to_owned()))
            }
            Ok(Loan::Extension { .. }) => self.extension(statement, text),
            Ok(Loan::Role(catalogs)) => self.as_role(statement, text, catalogs),
            Ok(Loan::Leakproof) => Ok(Lent::Leakproof),
        }
    }

    /// Makes a function of the loading role LEAKPROOF.
    pub(super) fn make_leakproof(&mut self, statement: &Statement, function: u32) -> Result<Lent, Trouble> {
        self.admin.batch_execute("SET search_path = pg_catalog, pg_temp")?;
        let row = self.admin.query_one(&format!("SELECT {function}::pg_catalog.regprocedure::pg_catalog.text"), &[])?;
        let text = Text::of_ours(format!("ALTER ROUTINE {} LEAKPROOF", row.get::<_, String>(0)));
        self.as_role(statement, &text, &["pg_proc"])
    }

    /// Runs a statement about an extension as the superuser, who then owns what it brings along.
    fn extension(&mut self, statement: &Statement, text: &Text) -> Result<Lent, Trouble> {
        let silenced = self.begin(statement)?;
        if let Err(error) = self.admin.query_typed(&text.sql, &[]) {
            return Ok(Lent::Failed(self.failed(error, text)?));
        }
        self.calm()?;
        self.wake(&silenced)?;
        let refused = format!(
            "SELECT extname::text FROM pg_catalog.pg_extension WHERE extname IN ({}) \
             AND xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid",
            crate::sql::join(REFUSED_EXTENSIONS.iter().map(|name| crate::sql::literal(name)), ", ")
        );
        let refused = self.admin.query(&refused, &[])?;
        self.admin.batch_execute(if refused.is_empty() { "COMMIT" } else { "ROLLBACK" })?;
        Ok(match refused.first() {
            Some(row) => {
                Lent::Denied(format!("extension {} hands files or programs to every user", row.get::<_, String>(0)))
            }
            None => Lent::Done,
        })
    }

    /// Runs a statement as the loading role, or as the role that the file sets, with superuser.
    fn as_role(&mut self, statement: &Statement, text: &Text, catalogs: &[&str]) -> Result<Lent, Trouble> {
        let role = statement.settings.role().unwrap_or(&self.role).to_owned();
        if !self.may_act_as(&role)? {
            return Ok(Lent::Denied(format!("role {role} has more power")));
        }
        let rehearsed = match self.run(statement, text, &role)? {
            Run::Failed(refused) => return Ok(Lent::Failed(refused)),
            Run::Touched(rehearsed) => rehearsed,
        };
        self.admin.batch_execute("ROLLBACK; SET search_path = pg_catalog, pg_temp")?;
        let before = before(self.admin, &rehearsed)?;
        let rights = matches!(statement.head.verb.as_str(), "GRANT" | "REVOKE");
        if let Some(why) = denied_before(self.admin, &rehearsed, &before, catalogs, rights)? {
            return Ok(Lent::Denied(why));
        }
        let touched = match self.run(statement, text, &role)? {
            Run::Failed(refused) => return Ok(Lent::Failed(refused)),
            Run::Touched(touched) => touched,
        };
        let why = denied_after(self.admin, &touched, &before, &self.libraries)?;
        self.admin.batch_execute(if why.is_none() { "COMMIT" } else { "ROLLBACK" })?;
        Ok(why.map_or(Lent::Done, Lent::Denied))
    }

    /// Opens a transaction, makes the role a superuser in it, runs the statement, takes superuser back, and looks at what
    /// was written; the transaction stays open, unless the statement fails.
    fn run(&mut self, statement: &Statement, text: &Text, role: &str) -> Result<Run, Trouble> {
        let silenced = self.begin(statement)?;
        // Databases of one cluster may be loaded side by side, as the same role.
        let lock = "LOCK TABLE pg_catalog.pg_authid IN SHARE ROW EXCLUSIVE MODE";
        self.admin.batch_execute(&format!("{lock}; ALTER ROLE {0} SUPERUSER; SET LOCAL ROLE {0}", ident(role)))?;
        if let Err(error) = self.admin.query_typed(&text.sql, &[]) {
            return Ok(Run::Failed(self.failed(error, text)?));
        }
        self.admin.batch_execute(&format!("RESET ROLE; ALTER ROLE {} NOSUPERUSER", ident(role)))?;
        self.calm()?;
        let oids: Vec<u32> = silenced.iter().map(|(oid, ..)| *oid).collect();
        let written = touched(self.admin, &oids)?;
        self.wake(&silenced)?;
        Ok(Run::Touched(written))
    }

    /// Opens a transaction without event triggers, in which names mean what they mean at the statement's place.
    fn begin(&mut self, statement: &Statement) -> Result<Vec<(u32, String, String)>, Trouble> {
        self.admin.batch_execute("BEGIN; SET LOCAL search_path = pg_catalog, pg_temp")?;
        let rows = self.admin.query(
            "SELECT oid, evtname::text, evtenabled::text FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' ORDER BY 2",
            &[],
        )?;
        let silenced: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
        let mut sql = String::new();
        for (_, name, _) in &silenced {
            let name: &String = name;
            sql.push_str(&format!("ALTER EVENT TRIGGER {} DISABLE; ", ident(name)));
        }
        sql.push_str("SET LOCAL check_function_bodies = off; ");
        sql.push_str(&match statement.settings.search_path() {
            Some([]) => "SET LOCAL search_path = ''".to_owned(),
            Some(path) => format!("SET LOCAL search_path = {}", idents(path)),
            None => format!("SET LOCAL search_path = {}, public", ident(&self.role)),
        });
        self.admin.batch_execute(&sql)?;
        Ok(silenced)
    }

    /// From here on, names are PostgreSQL's own.
    fn calm(&mut self) -> Result<(), Trouble> {
        Ok(self.admin.batch_execute("SET LOCAL search_path = pg_catalog, pg_temp")?)
    }

    fn wake(&mut self, silenced: &[(u32, String, String)]) -> Result<(), Trouble> {
        let mut sql = String::new();
        for (_, name, state) in silenced {
            let state = match state.as_str() {
                "R" => "ENABLE REPLICA",
                "A" => "ENABLE ALWAYS",
                _ => "ENABLE",
            };
            sql.push_str(&format!("ALTER EVENT TRIGGER {} {state}; ", ident(name)));
        }
        Ok(self.admin.batch_execute(&sql)?)
    }

    /// A superuser, or a role that can become one, does not need a loan and does not get one.
    fn may_act_as(&mut self, role: &str) -> Result<bool, Trouble> {
        let sql = format!("SELECT FROM pg_catalog.pg_roles o WHERE o.rolname = $1 AND {}", plain("o.oid"));
        Ok(!self.admin.query(&sql, &[&role])?.is_empty())
    }

    /// Ends a transaction in which the statement failed.
    fn failed(&mut self, error: postgres::Error, text: &Text) -> Result<Box<Refused>, Trouble> {
        let trouble = Trouble::from(error);
        let Trouble::Refused(mut refused) = trouble else { return Err(trouble) };
        self.admin.batch_execute("ROLLBACK")?;
        refused.unit = Some(0);
        if let Some(ErrorPosition::Original(position)) = refused.error.position() {
            let at = text.sql.char_indices().nth((*position as usize).saturating_sub(1));
            refused.offset = at.and_then(|(at, _)| text.offset(at));
        }
        Ok(refused)
    }
}
