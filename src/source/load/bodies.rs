//! Checks the bodies of routines once everything that they may use is there.

use super::Loader;
use super::connection::{Refused, Trouble};
use crate::source::Source;
use crate::source::body;
use crate::source::cursor::text_of;
use crate::source::report::{Failure, LoadError};
use crate::source::settings::Settings;
use crate::source::statement::Warning;
use crate::sql::{idents, literal};
use postgres::error::SqlState;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A routine that the load made.
struct Routine {
    oid: u32,
    schema: String,
    title: String,
    body: String,
    validator: String,
    /// Settings of its own: `name=value`.
    own: Vec<String>,
    /// The statement that made it, when it shows.
    statement: Option<usize>,
    settings: Arc<Settings>,
}

impl Loader<'_> {
    /// The routines that are there before anything is loaded.
    pub(super) fn routines(&mut self) -> Result<BTreeSet<u32>, Trouble> {
        let rows = self.connection.client().query("SELECT oid FROM pg_catalog.pg_proc WHERE oid >= 16384", &[])?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Checks the routines that are new. What is wrong is an error, or a warning where the file itself switched the check
    /// off, as dumps do: there a body may well name what exists only when it runs.
    pub(super) fn check_bodies(&mut self, before: &BTreeSet<u32>) -> Result<Vec<String>, LoadError> {
        let source = self.source;
        let lost = LoadError::from_trouble;
        let routines = self.new_routines(before).map_err(lost)?;
        let mut groups: Vec<Vec<&Routine>> = Vec::new();
        let mut group_of: HashMap<(String, &[String], &str), usize> = HashMap::new();
        for routine in &routines {
            let settings = routine.settings.statements().map(|(_, sql)| sql).collect::<Vec<_>>().join(";");
            let group = *group_of.entry((settings, &routine.own, &routine.validator)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(routine);
        }
        let mut wrong = Vec::new();
        for group in &groups {
            self.validate(group, None, &mut wrong).map_err(lost)?;
        }
        let mut failures = Vec::new();
        let mut warnings = Vec::new();
        for (routine, refused) in wrong {
            match routine.statement.filter(|at| !source.statements[*at].settings.unchecked_bodies) {
                Some(at) => failures.push(Failure::of_body(source, at, &routine.body, &refused)),
                None => warnings.extend(self.forgive(routine, &refused).map_err(lost)?),
            }
        }
        if failures.is_empty() { Ok(warnings) } else { Err(LoadError::failed(failures)) }
    }

    /// What is wrong with a body that nobody asked to be checked; nothing when it is right in the schemas of the file.
    fn forgive(&mut self, routine: &Routine, refused: &Refused) -> Result<Option<String>, Trouble> {
        let schemas = self.source.schemas();
        let path = idents(
            std::iter::once(routine.schema.as_str()).chain(schemas.iter().map(String::as_str)).chain(["public"]),
        );
        let mut wrong = Vec::new();
        self.validate(&[routine], Some(&path), &mut wrong)?;
        if wrong.is_empty() {
            return Ok(None);
        }
        let message = format!("the body of {} is not valid: {}", routine.title, refused.error.message());
        Ok(Some(routine.statement.map_or(message.clone(), |at| {
            let statement = &self.source.statements[at];
            let at = body::offset(statement, &routine.body, &refused.error).unwrap_or(statement.span.start);
            Warning { location: statement.file.location(at), message }.to_string()
        })))
    }

    /// The routines that the load made, in languages that can check them.
    fn new_routines(&mut self, before: &BTreeSet<u32>) -> Result<Vec<Routine>, Trouble> {
        let rows = self.connection.client().query(
            "SELECT p.oid, n.nspname::text, p.proname::text, p.prosrc::text, pg_catalog.format('%I.%I', vn.nspname, v.proname), \
               coalesce(p.proconfig, '{}') \
             FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
             JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
             JOIN pg_catalog.pg_proc v ON v.oid = l.lanvalidator JOIN pg_catalog.pg_namespace vn ON vn.oid = v.pronamespace \
             WHERE p.oid >= 16384 AND p.prokind <> 'a' AND l.lanname NOT IN ('c', 'internal') \
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.deptype = 'e' AND d.objid = p.oid \
                 AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass) ORDER BY p.oid",
            &[],
        )?;
        let mut statements: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, statement) in self.source.statements.iter().enumerate() {
            if statement.head.is("CREATE", &["FUNCTION", "PROCEDURE"])
                && let Some(name) = statement.head.name.last()
            {
                statements.entry(name).or_default().push(at);
            }
        }
        let routines = rows.iter().filter(|row| !before.contains(&row.get::<_, u32>(0))).map(|row| {
            let (schema, name, body): (String, &str, String) = (row.get(1), row.get(2), row.get(3));
            let candidates = statements.get(name).map_or([].as_slice(), Vec::as_slice);
            let statement = maker(self.source, candidates, &schema, &body);
            let settings = statement.map(|at| Arc::clone(&self.source.statements[at].settings)).unwrap_or_default();
            let title = crate::sql::qualified([schema.as_str(), name]);
            Routine {
                oid: row.get(0),
                schema,
                title,
                body,
                validator: row.get(4),
                own: row.get(5),
                statement,
                settings,
            }
        });
        Ok(routines.collect())
    }

    /// Runs the validator of a group's language on its routines: all at once, and in halves when one is wrong.
    fn validate<'r>(
        &mut self,
        group: &[&'r Routine],
        path: Option<&str>,
        wrong: &mut Vec<(&'r Routine, Box<Refused>)>,
    ) -> Result<(), Trouble> {
        let Some(first) = group.first() else { return Ok(()) };
        self.connection.use_settings(&first.settings)?;
        let mut sql = "BEGIN; SET LOCAL check_function_bodies = on;\n".to_owned();
        for setting in &first.own {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            sql.push_str(&format!("SELECT pg_catalog.set_config({}, {}, true);\n", literal(name), literal(value)));
        }
        if let Some(path) = path {
            sql.push_str(&format!("SET LOCAL search_path = {path};\n"));
        }
        let oids: Vec<_> = group.iter().map(|routine| routine.oid.to_string()).collect();
        sql.push_str(&format!(
            "SELECT {}(oid) FROM pg_catalog.unnest('{{{}}}'::pg_catalog.oid[]) AS r(oid)",
            first.validator,
            oids.join(",")
        ));
        let result = self.connection.client().batch_execute(&sql).map_err(Trouble::from);
        self.connection.client().batch_execute("ROLLBACK")?;
        match result {
            Ok(()) => Ok(()),
            Err(Trouble::Refused(refused)) if group.len() == 1 => {
                // Who may not use the language or call the routine cannot check it either.
                if refused.error.code() != &SqlState::INSUFFICIENT_PRIVILEGE {
                    wrong.push((first, refused));
                }
                Ok(())
            }
            Err(Trouble::Refused(_)) => {
                let (first, second) = group.split_at(group.len() / 2);
                self.validate(first, path, wrong)?;
                self.validate(second, path, wrong)
            }
            Err(lost @ Trouble::Lost(_)) => Err(lost),
        }
    }
}

/// The statement that made a routine: of that name, and with that body where several have it.
fn maker(source: &Source, candidates: &[usize], schema: &str, body: &str) -> Option<usize> {
    let fits = |at: &usize| match source.statements[*at].head.name.as_slice() {
        [written, _] => written == schema,
        _ => true,
    };
    let has_body = |at: &usize| {
        let statement = &source.statements[*at];
        statement.tokens.iter().any(|token| text_of(*token, &statement.file.text).as_deref() == Some(body))
    };
    let fitting = || candidates.iter().copied().filter(fits);
    fitting().find(has_body).or_else(|| fitting().last())
}
