//! The steps of a plan that are about roles and the database itself: they are executed on the server that holds nothing else,
//! and what they do to the names of roles is done on the copy as well.

use std::cell::RefCell;

use crate::{
    catalog::{self, Catalog, ObjectId},
    engine::{Engine, Scratch},
    plan::{
        draft::{Draft, Planned},
        rehearsal::{RehearsalError, Session, StatementError},
        surroundings::Surroundings,
    },
    sql,
};

/// What such steps are executed on.
pub(in crate::plan) struct Beside<'a> {
    pub surroundings: &'a RefCell<Surroundings>,
    /// The scratch server, on which roles have names and nothing more.
    pub engine: &'a Engine,
    /// The roles and the database before the plan.
    pub current: &'a Catalog,
    /// By step: what it is about, if not the objects of the database.
    pub reaches: Vec<Option<Reach>>,
}

/// A step about roles or the database itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::plan) struct Reach {
    /// The roles that it creates; only the first of the steps that create a role has it.
    makes: Vec<String>,
    drops: Vec<String>,
}

impl Reach {
    /// What each step of a draft is about.
    pub fn of(draft: &Draft) -> Vec<Option<Self>> {
        let mut made = Vec::new();
        draft.steps.iter().map(|planned| Self::of_step(planned, &mut made)).collect()
    }

    fn of_step(planned: &Planned, made: &mut Vec<String>) -> Option<Self> {
        let Planned { step: _, creates, changes, destroys } = planned;
        creates.iter().chain(changes).chain(destroys).next().filter(|id| id.is_beside())?;
        let roles = |ids: &[ObjectId]| -> Vec<String> {
            let role = ids.iter().filter(|id| **id == catalog::role(id.name()));
            role.map(|id| id.name().to_owned()).collect()
        };
        let makes: Vec<String> = roles(creates).into_iter().filter(|name| !made.contains(name)).collect();
        made.extend(makes.iter().cloned());
        Some(Self { makes, drops: roles(destroys) })
    }
}

impl Beside<'_> {
    /// Makes everything as it is before the plan: also the roles of the scratch server, of which the plan makes some.
    pub fn begin(&self) -> Result<(), RehearsalError> {
        self.surroundings.borrow_mut().become_like(self.current)?;
        let makes: Vec<&str> =
            self.reaches.iter().flatten().flat_map(|reach| &reach.makes).map(String::as_str).collect();
        Ok(self.engine.drop_roles(&makes)?)
    }

    /// What a step is about, where that is not on the copy.
    pub fn reach(&self, number: usize) -> Option<&Reach> {
        self.reaches.get(number).and_then(Option::as_ref)
    }

    /// Executes a step.
    pub fn run(&self, step: &str, reach: &Reach, session: &mut Session, copy: &Scratch) -> Result<(), StatementError> {
        for role in &reach.drops {
            let needed = needed(session, role)?;
            if !needed.is_empty() {
                return Err(StatementError::Needed(needed));
            }
        }
        self.surroundings.borrow_mut().run(step)?;
        for role in &reach.makes {
            copy.make_role(role).map_err(|error| StatementError::Beside(error.to_string()))?;
        }
        Ok(())
    }

    /// The roles and the database as the plan leaves them.
    pub fn end(&self) -> Result<Catalog, RehearsalError> {
        self.surroundings.borrow_mut().read()
    }
}

/// What of the copy needs a role, at most a few of all.
fn needed(session: &mut Session, role: &str) -> Result<Vec<String>, postgres::Error> {
    let query = format!(
        "SELECT pg_catalog.pg_describe_object(s.classid, s.objid, s.objsubid) FROM pg_catalog.pg_shdepend s \
         JOIN pg_catalog.pg_database d ON d.oid = s.dbid AND d.datname = pg_catalog.current_database() \
         WHERE s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass \
         AND s.refobjid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = {}) ORDER BY 1 LIMIT 10",
        sql::literal(role)
    );
    Ok(session.client.query(&query, &[])?.iter().map(|row| row.get(0)).collect())
}
