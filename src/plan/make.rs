//! From a source and a target to a proved plan.

use std::{cell::RefCell, collections::BTreeSet};

use super::{
    draft::{Draft, draft},
    dropped::released,
    equivalence::{Equivalence, Reread},
    file::{self, Plan, Roles, Scope},
    load::{Desired, load},
    moved::Moved,
    proof::{self, Beside, ProofError, Reach, Rehearsal, Rehearsed},
    rehearsal::{self, RehearsalError},
    rights::rights,
    scope::touched,
    script::statements,
    secrets::{Held, Variables},
    surroundings::{Surroundings, SurroundingsError, surround},
};
use crate::{
    catalog::{self, Catalog, Concern, Kind, Object, ObjectId},
    connect::{self, Target},
    engine::{Engine, Scratch, Spec},
    source::Source,
};

/// What to plan.
pub struct Request<'a> {
    /// The database to change.
    pub target: &'a Target,
    /// The desired state.
    pub source: &'a Source,
    /// Where the desired state was read from, for the file.
    pub origin: file::Source,
    /// The scratch server, of the target's major version.
    pub engine: &'a Engine,
    /// What is managed, as the user says.
    pub manage: &'a Manage,
    /// The schema of the ledger.
    pub ledger: &'a str,
    /// The last revision, and what it managed.
    pub parent: Option<(String, Scope)>,
    /// What the author says about the change.
    pub message: Option<String>,
    /// Whether to execute the plan on a copy.
    pub prove: bool,
    /// The environment, from which secrets come.
    pub variables: &'a Variables,
}

/// What is managed, as the user says.
#[derive(Clone, Debug, Default)]
pub struct Manage {
    /// Everything in the database.
    pub all: bool,
    /// Only these schemas.
    pub schemas: Option<BTreeSet<String>>,
    /// Patterns of addresses that are left alone.
    pub ignore: BTreeSet<String>,
    /// Whose grants; `None`: the roles that the desired state names.
    pub privileges: Option<Roles>,
    /// Which owners; `None`: those that the desired state names.
    pub owners: Option<Roles>,
    /// Whether the roles that the desired state creates are.
    pub roles: bool,
    /// Whether the database itself is.
    pub database: bool,
}

/// Why no plan came about.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The target cannot be reached.
    #[error(transparent)]
    Connect(#[from] connect::Error),
    /// The target cannot be read.
    #[error(transparent)]
    Read(#[from] catalog::ReadError),
    /// The target broke off.
    #[error("the target: {}", rehearsal::describe(.0))]
    Postgres(#[from] postgres::Error),
    /// There is no scratch server.
    #[error(transparent)]
    Engine(#[from] crate::engine::Error),
    /// The desired state does not load.
    #[error(transparent)]
    Load(#[from] crate::source::LoadError),
    /// Something is there that cannot be managed yet.
    #[error("{side} holds objects of kinds that are not supported yet:\n  {}", objects.join("\n  "))]
    Unmodelled {
        /// Which side.
        side: &'static str,
        /// The objects.
        objects: Vec<String>,
    },
    /// The desired state holds secrets that would stand in the plan.
    #[error("secrets that are not in the database yet cannot come from schema.sql, since no plan may hold them:\n  {}", _0.join("\n  "))]
    Literal(Vec<String>),
    /// A statement would have to hold a secret.
    #[error("{object} would have to come back with its {name}, which no plan may hold")]
    Hidden {
        /// The object.
        object: String,
        /// The option that holds the secret.
        name: String,
    },
    /// A scratch database failed.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
    /// What is said about roles and the database cannot be.
    #[error(transparent)]
    Surroundings(#[from] SurroundingsError),
    /// A role would go that something needs which stays.
    #[error("role {role} is not created any more, but what stays needs it:\n  {}", objects.join("\n  "))]
    RoleNeeded {
        /// The role.
        role: String,
        /// What needs it.
        objects: Vec<String>,
    },
    /// The changes could not be ordered.
    #[error(transparent)]
    Cycle(#[from] super::Cycle),
    /// The plan did not hold on a copy.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// A plan, and what was noticed on the way.
#[derive(Debug)]
pub struct Made {
    /// The plan; empty when there is nothing to do.
    pub plan: Plan,
    /// Warnings about the source and the scratch server, for people.
    pub warnings: Vec<String>,
}

/// Plans the way from what the target is to what the source says, and proves it.
pub fn make(request: &Request) -> Result<Made, PlanError> {
    let mut client = request.target.connect()?;
    let spec = Spec::of(&mut client)?;
    let Request { engine, source, .. } = request;
    let extent = request.extent()?;
    // What the desired state names and does not create any more is not there.
    let loading = Spec { roles: request.remaining(&spec), ..spec.clone() };
    // The target is read while the source is loaded.
    let (current, loaded) = std::thread::scope(|scope| {
        let reading = scope.spawn(move || catalog::read(&mut client, extent));
        let loaded = load(engine, &loading, source, extent);
        (reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), loaded)
    });
    let versions = source.extension_versions();
    let mut current = named_versions(current?, &versions);
    let held = Held::take(&mut current);
    let mut loaded = match loaded? {
        Ok(loaded) => loaded,
        Err(stuck) => {
            let scope = scope(request, &current, &stuck.empty, &stuck.partial);
            stuck.load_beside(engine, &loading, source, &current, &scope)?
        }
    };
    let surroundings = surround(request, extent, &current, &mut loaded)?;
    loaded.catalog = named_versions(loaded.catalog, &versions);
    let settled = held.settle(&mut current, &mut loaded.catalog, source, request.variables)?;
    let scope = Scope { concealed: settled.concealed, ..scope(request, &current, &loaded.baseline, &loaded.catalog) };
    let current = scope.without_rights_on_members(current);
    loaded.warnings.extend(settled.warnings);
    supported("schema.sql", &scope, &loaded.catalog)?;
    supported("the database", &scope, &current)?;
    let Desired { empty, warnings, baseline, catalog, scratch } = loaded;
    let moved = Moved::new(engine, &spec, &scope, (&empty, &current, &catalog))?;
    let start = moved.as_ref().map_or(&current, |moved| &moved.catalog);
    let desired = released(start, scope.complete(start, &catalog))?;
    // Of a large database, each catalog takes tens of megabytes.
    drop((baseline, catalog));
    let making = Making {
        request,
        spec: &spec,
        empty: &empty,
        current: &current,
        moved: moved.as_ref(),
        desired: &desired,
        scope: &scope,
        surroundings: surroundings.as_ref(),
    };
    std::thread::scope(|scope| {
        scope.spawn(move || drop(scratch));
        Ok(Made { plan: making.plan()?, warnings })
    })
}

/// A catalog without the versions of extensions for which nobody names one.
fn named_versions(catalog: Catalog, named: &BTreeSet<String>) -> Catalog {
    let is_named = |id: &ObjectId| id.kind.concern() != Concern::Version || named.contains(id.root().name());
    if catalog.iter().all(|(id, _)| is_named(id)) { catalog } else { catalog.filtered(is_named) }
}

/// The scope: what the source touches and what the last revision managed, as far as the user lets it.
fn scope(request: &Request, current: &Catalog, baseline: &Catalog, loaded: &Catalog) -> Scope {
    let manage = request.manage;
    let (mut schemas, mut global) = touched(baseline, loaded);
    if let Some((_, before)) = &request.parent {
        schemas.extend(before.schemas.iter().cloned());
        global.extend(before.global.iter().cloned());
    }
    // That the database is managed is said otherwise; and what is managed no more was not managed by this revision.
    let elsewhere = |address: &String| match Kind::of_address(address).map(Kind::concern) {
        Some(Concern::Version | Concern::Database) => true,
        Some(Concern::Role) => !manage.roles,
        _ => false,
    };
    let stays = [&current.server.user, &current.server.maker].map(|name| catalog::role(name).to_string());
    global.retain(|address| !elsewhere(address) && !stays.contains(address));
    let versions = loaded.iter().map(|(id, _)| id).filter(|id| id.kind.concern() == Concern::Version);
    global.extend(versions.map(ToString::to_string));
    // What belongs to a superuser does not change hands by the word of anybody else.
    if manage.all && current.server.superuser && loaded.server.superuser {
        let rights = current.iter().map(|(id, _)| id).filter(|id| id.kind.of_members());
        global.extend(rights.map(|id| id.root().to_string()));
    }
    if let Some(only) = &manage.schemas {
        schemas.clone_from(only);
    }
    let named = |choice: &Option<Roles>| match choice {
        Some(choice) => choice.clone(),
        None if manage.all => Roles::All,
        None => Roles::Declared(request.source.named_roles(manage.roles, manage.database)),
    };
    // What is a dropped role's, and what it may do, goes before it.
    let named = |choice: &Option<Roles>| match named(choice) {
        Roles::Declared(mut roles) if manage.roles => {
            roles.extend(current.roles.iter().filter(|name| request.was_managed(&catalog::role(name))).cloned());
            Roles::Declared(roles)
        }
        choice => choice,
    };
    Scope {
        all: manage.all,
        schemas,
        global,
        ignore: manage.ignore.clone(),
        ledger: request.ledger.to_owned(),
        privileges: named(&manage.privileges),
        owners: named(&manage.owners),
        roles: manage.roles,
        database: manage.database,
        concealed: std::collections::BTreeMap::new(),
    }
}

/// Refuses, by name, what is in the scope and of no kind that is modelled.
fn supported(side: &'static str, scope: &Scope, catalog: &Catalog) -> Result<(), PlanError> {
    let objects: Vec<String> = catalog
        .unmodelled
        .iter()
        .filter(|it| scope.all || it.schema.as_ref().is_none_or(|schema| scope.schemas.contains(schema)))
        .map(|it| it.address.clone())
        .collect();
    if objects.is_empty() { Ok(()) } else { Err(PlanError::Unmodelled { side, objects }) }
}

/// What a plan is made of.
pub(super) struct Making<'a> {
    pub request: &'a Request<'a>,
    spec: &'a Spec,
    empty: &'a Catalog,
    pub current: &'a Catalog,
    moved: Option<&'a Moved>,
    pub desired: &'a Catalog,
    pub scope: &'a Scope,
    surroundings: Option<&'a RefCell<Surroundings>>,
}

impl Making<'_> {
    fn plan(&self) -> Result<Plan, PlanError> {
        let changes = crate::diff::diff(self.current, self.desired, |_, _, _| false);
        if changes.is_empty() {
            return self.write(&Draft::default(), None, None);
        }
        let altered = changes.iter().any(|change| change.before.is_some() && change.after.is_some());
        let current = if altered || self.request.prove {
            Some(self.copy(self.current, "while the current state was copied")?)
        } else {
            None
        };
        let desired =
            if altered { Some(self.copy(self.desired, "while the desired state was copied")?.1) } else { None };
        let equivalence = Equivalence { current: current.as_ref().map(|(_, read)| read), desired: desired.as_ref() };
        let mut draft = self.draft(&equivalence)?;
        let rehearsed = match &current {
            Some((scratch, _)) if self.request.prove && !draft.steps.is_empty() => {
                Some(self.prove(scratch, &mut draft, &equivalence)?)
            }
            _ => None,
        };
        self.write(&draft, rehearsed.as_ref(), Some(&equivalence))
    }

    fn draft(&self, equivalence: &Equivalence) -> Result<Draft, PlanError> {
        let Some(Moved { draft: first, catalog }) = self.moved else {
            return Ok(draft(self.current, self.desired, |id, a, b| equivalence.same(id, a, b))?);
        };
        let (_, read) = self.copy(catalog, "while what has moved was copied")?;
        let equivalence = Equivalence { current: Some(&read), ..*equivalence };
        let mut whole = first.clone();
        whole.extend(draft(catalog, self.desired, |id, a, b| equivalence.same(id, a, b))?);
        Ok(whole)
    }

    fn copy(&self, of: &Catalog, what: &'static str) -> Result<(Scratch, Reread), RehearsalError> {
        let (scratch, copy) =
            rehearsal::copy(self.request.engine, self.spec, self.empty, of, self.request.ledger, what)?;
        Ok((scratch, Reread::new(of, &copy)))
    }

    /// Executes the draft on a copy; what comes out must be what is desired.
    fn prove(&self, scratch: &Scratch, draft: &mut Draft, equivalence: &Equivalence) -> Result<Rehearsed, PlanError> {
        let shared = statements(&self.current.filtered(|id| !id.root().kind.shared()), self.current)?;
        let surroundings = self.current.surroundings();
        let rehearse = |draft: &Draft| -> Result<Rehearsed, PlanError> {
            let steps = self.steps(draft, None)?;
            let beside = self.surroundings.map(|server| Beside {
                surroundings: server,
                engine: self.request.engine,
                current: &surroundings,
                reaches: Reach::of(draft),
            });
            let on = Rehearsal { scratch, shared: &shared, beside, ledger: self.request.ledger };
            Ok(proof::rehearse(&on, &steps, &self.groups(&steps))?)
        };
        let mut rehearsed = rehearse(draft)?;
        let rights = rights(self.scope, self.current, self.desired, &rehearsed.after)?;
        if !rights.steps.is_empty() {
            draft.extend(rights);
            rehearsed = rehearse(draft)?;
        }
        // What the copy reads as before the plan says nothing of what the plan has changed.
        let plain = Equivalence { current: None, desired: equivalence.desired };
        if self.remaining(&rehearsed.after, equivalence.current, &plain).is_empty() {
            return Ok(rehearsed);
        }
        // The text that a change leaves behind may be another round trip away from the desired one, or the other way.
        let (_, after) = self.copy(&rehearsed.after, "while the outcome was copied")?;
        let copied;
        let desired = match equivalence.desired {
            Some(desired) => desired,
            None => {
                copied = self.copy(self.desired, "while the desired state was copied")?.1;
                &copied
            }
        };
        let both = Equivalence { current: Some(&after), desired: Some(desired) };
        let remaining = self.remaining(&rehearsed.after, equivalence.current, &both);
        if remaining.is_empty() {
            return Ok(rehearsed);
        }
        let steps = draft.steps.iter().map(|planned| planned.step.sql.clone()).collect();
        Err(ProofError::Differs { remaining, steps }.into())
    }

    /// What differs between an outcome and the desired state; `copy` is the copy as it read before the plan.
    fn remaining(&self, after: &Catalog, copy: Option<&Reread>, equivalence: &Equivalence) -> Vec<String> {
        let same = |id: &ObjectId, after: &Object, desired: &Object| {
            // What the plan did not touch may read as it did on the copy before.
            let untouched =
                self.current.get(id) == Some(desired) && copy.is_some_and(|it| it.get(id, desired) == after);
            untouched || equivalence.same(id, after, desired)
        };
        crate::diff::diff(after, self.desired, same)
            .into_iter()
            .filter(|change| !self.is_beside(change))
            .map(|change| match (change.before, change.after) {
                (None, _) => format!("  {} is missing", change.id),
                (_, None) => format!("  {} is still there", change.id),
                (Some(before), Some(after)) => {
                    format!("  {}: {} instead of {}", change.id, before.to_json(), after.to_json())
                }
            })
            .collect()
    }

    /// Whether a difference is about something that nobody asked for: the owner of what was created, where owners are not
    /// managed; or that of a sequence, which has none of its own once a column owns it.
    fn is_beside(&self, change: &crate::diff::Change) -> bool {
        let managed = |object| self.scope.manages(change.id, object);
        // Under what name it came about is nobody's concern.
        if change.before.or(change.after).is_some_and(Object::incidental)
            && (change.before.is_none() || change.after.is_none())
        {
            return true;
        }
        match (change.before, change.after) {
            (Some(after), None) => !managed(after),
            (None, Some(desired)) => change.id.kind.concern() == Concern::Owner && !managed(desired),
            _ => false,
        }
    }
}
