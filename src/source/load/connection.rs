//! The loading role's connection: sends units, each under the settings of its place in the file.

use crate::source::Source;
use crate::source::settings::Settings;
use crate::source::unit::{Text, Unit};
use crate::sql::{ident, literal};
use postgres::Client;
use postgres::error::{DbError, ErrorPosition, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A connection that knows which settings are in force.
pub(super) struct Connection<'a> {
    client: &'a mut Client,
    source: &'a Source,
    role: String,
    /// What the file has set so far.
    settings: Arc<Settings>,
    /// What the session had before, for the settings that the file makes.
    before: BTreeMap<String, Option<String>>,
}

/// Why a message did not run.
#[derive(Debug)]
pub(in crate::source) enum Trouble {
    /// The server refused a statement.
    Refused(Box<Refused>),
    /// The server does not answer any more.
    Lost(postgres::Error),
}

/// A statement that was refused.
#[derive(Clone, Debug)]
pub(in crate::source) struct Refused {
    pub(in crate::source) error: DbError,
    /// Which of the units that were sent, when the server's answer tells.
    pub(super) unit: Option<usize>,
    /// The byte in the unit's file that the server pointed at.
    pub(in crate::source) offset: Option<usize>,
    /// Why superuser was not lent, when the lack of it is the reason.
    pub(in crate::source) not_lent: Option<String>,
}

impl From<postgres::Error> for Trouble {
    fn from(error: postgres::Error) -> Self {
        match error.as_db_error() {
            Some(refused) if refused.parsed_severity().is_none_or(|severity| severity == Severity::Error) => {
                let error = refused.clone();
                Self::Refused(Box::new(Refused { error, unit: None, offset: None, not_lent: None }))
            }
            _ => Self::Lost(error),
        }
    }
}

/// A message, and where each unit's text starts in it.
#[derive(Default)]
struct Message {
    sql: String,
    units: Vec<(usize, Text)>,
}

impl Message {
    /// Finds what the server pointed at: it counts characters of the whole message, from 1.
    fn find(&self, position: u32) -> (Option<usize>, Option<usize>) {
        let character = (position as usize).saturating_sub(1);
        let byte = self.sql.char_indices().nth(character).map_or(self.sql.len(), |(at, _)| at);
        let Some(unit) = self.units.partition_point(|(start, _)| *start <= byte).checked_sub(1) else {
            return (None, None);
        };
        let (start, text) = &self.units[unit];
        // Settings stand between units: what is wrong there is no unit's fault yet.
        if byte > start + text.sql.len() { (None, None) } else { (Some(unit), text.offset(byte - start)) }
    }
}

impl<'a> Connection<'a> {
    /// Prepares a session for loading.
    pub(super) fn open(client: &'a mut Client, source: &'a Source) -> Result<Self, Trouble> {
        let made = source.statements.iter().flat_map(|statement| statement.settings.statements());
        let names: BTreeSet<&str> = made.map(|(name, _)| name).chain(OURS).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let rows = client.query(
            "SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n(name)",
            &[&names],
        )?;
        let before = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        // Bodies are checked once everything is there.
        client.batch_execute("SET check_function_bodies = off; SET client_min_messages = error")?;
        let role = client.query_one("SELECT session_user::pg_catalog.text", &[])?.get(0);
        Ok(Self { client, source, role, settings: Arc::default(), before })
    }

    /// Gives the session its own settings back.
    pub(super) fn close(self) -> Result<(), Trouble> {
        let mut sql = String::new();
        self.switch(&Settings::default(), &mut sql);
        sql.extend(OURS.map(|name| self.restore(name)));
        Ok(self.client.batch_execute(&sql)?)
    }

    pub(super) fn client(&mut self) -> &mut Client {
        self.client
    }

    /// The loading role.
    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// Creates a function without the word LEAKPROOF, which needs a superuser; the function's OID.
    pub(super) fn create_without_leakproof(&mut self, unit: &Unit) -> Result<u32, Trouble> {
        let statement = &self.source.statements[unit.statement];
        let mut cursor = statement.cursor().from(statement.head.after);
        cursor.seek(&["LEAKPROOF"]);
        let text = Unit::without_token(statement, cursor.at);
        self.use_settings(&statement.settings)?;
        let mut transaction = self.client.transaction()?;
        transaction.batch_execute(&text.sql)?;
        let row = transaction.query_one(
            "SELECT pg_catalog.max(oid) FROM pg_catalog.pg_proc WHERE xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid",
            &[],
        )?;
        transaction.commit()?;
        Ok(row.get(0))
    }

    /// Runs a unit as another role of which the loading role is a member.
    pub(super) fn run_as(&mut self, role: &str, unit: &Unit) -> Result<(), Trouble> {
        let statement = &self.source.statements[unit.statement];
        self.use_settings(&statement.settings)?;
        let mut transaction = self.client.transaction()?;
        transaction.batch_execute(&format!("SET LOCAL ROLE {}", ident(role)))?;
        transaction.batch_execute(&unit.text(statement).sql)?;
        Ok(transaction.commit()?)
    }

    /// Runs units in one message, which is one transaction: all of them, or none.
    pub(super) fn run(&mut self, units: &[&Unit]) -> Result<(), Trouble> {
        let source = self.source;
        if let [only] = units {
            return self.run_one(only);
        }
        let mut message = Message::default();
        let before = Arc::clone(&self.settings);
        for unit in units {
            let statement = &source.statements[unit.statement];
            if self.settings != statement.settings {
                self.switch(&statement.settings, &mut message.sql);
                self.settings = Arc::clone(&statement.settings);
            }
            let text = unit.text(statement);
            let start = message.sql.len();
            message.sql.push_str(&text.sql);
            message.sql.push_str(";\n");
            message.units.push((start, text));
        }
        let result = self.send(&message);
        if result.is_err() {
            self.settings = before;
        }
        result
    }

    /// Runs one unit by itself, as what cannot be part of a transaction has to.
    fn run_one(&mut self, unit: &Unit) -> Result<(), Trouble> {
        let source = self.source;
        let statement = &source.statements[unit.statement];
        let result = self.use_settings(&statement.settings).and_then(|()| {
            let text = unit.text(statement);
            self.send(&Message { sql: text.sql.clone(), units: vec![(0, text)] })
        });
        result.map_err(|trouble| match trouble {
            Trouble::Refused(mut refused) => {
                refused.unit = Some(0);
                Trouble::Refused(refused)
            }
            lost @ Trouble::Lost(_) => lost,
        })
    }

    /// Makes the settings of a place in a file.
    pub(super) fn use_settings(&mut self, settings: &Arc<Settings>) -> Result<(), Trouble> {
        if self.settings != *settings {
            let mut sql = String::new();
            self.switch(settings, &mut sql);
            self.client.batch_execute(&sql)?;
            self.settings = Arc::clone(settings);
        }
        Ok(())
    }

    fn send(&mut self, message: &Message) -> Result<(), Trouble> {
        self.client.batch_execute(&message.sql).map_err(|error| match Trouble::from(error) {
            Trouble::Refused(mut refused) => {
                if let Some(ErrorPosition::Original(position)) = refused.error.position() {
                    (refused.unit, refused.offset) = message.find(*position);
                }
                Trouble::Refused(refused)
            }
            lost @ Trouble::Lost(_) => lost,
        })
    }

    /// Writes the statements that lead from the current settings to others.
    fn switch(&self, to: &Settings, sql: &mut String) {
        let now: BTreeMap<_, _> = self.settings.statements().collect();
        let then: BTreeMap<_, _> = to.statements().collect();
        for name in now.keys().filter(|name| !then.contains_key(*name)) {
            sql.push_str(&self.restore(name));
        }
        for (_, statement) in then.iter().filter(|(name, statement)| now.get(*name) != Some(statement)) {
            sql.push_str(statement);
            sql.push_str(";\n");
        }
    }

    fn restore(&self, name: &str) -> String {
        let value = self.before.get(name).cloned().flatten().unwrap_or_default();
        match name {
            "role" => "RESET ROLE;\n".to_owned(),
            _ => format!("SELECT pg_catalog.set_config({}, {}, false);\n", literal(name), literal(&value)),
        }
    }
}

/// What loading itself sets.
const OURS: [&str; 2] = ["check_function_bodies", "client_min_messages"];
