//! What several commands do: reach the target, read the desired state, make a plan.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{Context, git};
use crate::{
    config::{self, Choice, Config, Managed},
    connect::{Environment, Target},
    engine::{self, Embedded, Engine},
    error::Error,
    history::Ledger,
    plan::{
        self, Manage, Request,
        file::{Plan, Roles, Source},
    },
    source,
};

/// The database that a command works on; the project's own server runs as long as this is held.
pub(super) struct Place {
    pub target: Target,
    _embedded: Option<Embedded>,
}

/// What the one who plans says beside the configuration.
pub(super) struct Wish<'a> {
    pub message: Option<&'a str>,
    pub prove: bool,
}

/// The configured database; without one, the project's own, which is then said in one line.
pub(super) fn place(context: &Context) -> Result<Place, Error> {
    // Settings that mean nothing are told before anything is reached.
    let settings = settings(&context.config)?;
    if let Some(target) = configured(&context.config)? {
        for warning in target.warnings() {
            context.terminal.warn(&warning);
        }
        return Ok(Place { target, _embedded: None });
    }
    let embedded = Embedded::open(&context.config.root, &settings)?;
    context.terminal.note(&format!("no database is configured; using {}\n", embedded.describe()));
    Ok(Place { target: embedded.target().clone(), _embedded: Some(embedded) })
}

/// The target that flags, environment or reconcile.yaml name.
pub(super) fn configured(config: &Config) -> Result<Option<Target>, Error> {
    let environment = Environment::current();
    let environment = match config.timeouts.connect {
        // libpq counts whole seconds, and 0 waits for ever.
        Some(timeout) => environment.with_variable("PGCONNECT_TIMEOUT", timeout.as_millis().div_ceil(1000).to_string()),
        None => environment,
    };
    match &config.db {
        Some(text) => Ok(Some(Target::resolve(Some(text), &environment)?)),
        None if environment.names_a_server() => Ok(Some(Target::resolve(None, &environment)?)),
        None => Ok(None),
    }
}

/// The engine's settings.
pub(super) fn settings(config: &Config) -> Result<engine::Settings, Error> {
    let config::Engine { order, folders, cache, offline, trust, preload } = &config.engine;
    let mut settings = engine::Settings {
        folders: folders.clone(),
        cache: cache.clone(),
        offline: *offline,
        trust: match trust {
            config::Trust::Restricted => engine::Trust::Restricted,
            config::Trust::Full => engine::Trust::Full,
        },
        preload: preload.clone(),
        tell: super::terminal::tell,
        ..engine::Settings::default()
    };
    if !order.is_empty() {
        settings.order.clear();
        for way in order {
            settings.order.extend(engine::ways(way)?);
        }
    }
    Ok(settings)
}

/// Makes a plan: reads the desired state and the target, and proves what leads from one to the other.
pub(super) fn plan(context: &Context, place: &Place, wish: &Wish) -> Result<Plan, Error> {
    let config = &context.config;
    let (source, origin) = desired(config)?;
    let mut client = place.target.connect()?;
    let major = engine::server_major(&mut client).map_err(plan::PlanError::from)?;
    let ledger = Ledger::new(&config.ledger);
    let head = ledger.head(&mut client)?.map(|revision| revision.id);
    let parent = head.zip(ledger.scope(&mut client)?);
    drop(client);
    let engine = Engine::start(&settings(config)?, major, Some(&place.target))?;
    let made = plan::make(&Request {
        target: &place.target,
        source: &source,
        origin,
        engine: &engine,
        manage: &manage(config, &source),
        ledger: &config.ledger,
        parent,
        message: wish.message.map(str::to_owned),
        prove: wish.prove,
        variables: &config::Variables::of_process().all(),
    })?;
    for warning in &made.warnings {
        context.terminal.warn(warning);
    }
    Ok(made.plan)
}

/// Reads the desired state. Its places are told relative to the project's folder, wherever the program was started.
fn desired(config: &Config) -> Result<(source::Source, Source), Error> {
    let paths: Vec<String> = config.schema.iter().map(|path| config.shown(path)).collect();
    let source = within(&config.root, || source::read(&paths.iter().map(PathBuf::from).collect::<Vec<_>>()))?;
    let files: Vec<&str> = source.files.iter().map(|file| file.path.as_str()).collect();
    let commit = git::commit(&config.root, &files);
    let origin = Source { paths, sha256: source.sha256(), commit };
    Ok((source, origin))
}

/// Does something with the project's folder as the current one.
fn within<T, E>(folder: &Path, act: impl FnOnce() -> Result<T, E>) -> Result<T, Error>
where
    Error: From<E>,
{
    let here = env::current_dir().map_err(config::Error::Here)?;
    env::set_current_dir(folder).map_err(|why| Error::file("cannot enter", folder, &why))?;
    let done = act();
    env::set_current_dir(&here).map_err(|why| Error::file("cannot go back to", &here, &why))?;
    Ok(done?)
}

fn manage(config: &Config, source: &source::Source) -> Manage {
    let config::Manage { what, ignore, privileges, owners, roles: manages_roles, database } = &config.manage;
    let roles = |choice: Option<Choice>| {
        choice.map(|choice| match choice {
            Choice::Declared => Roles::Declared(source.named_roles(*manages_roles, *database)),
            Choice::All => Roles::All,
            Choice::None => Roles::None,
        })
    };
    Manage {
        all: *what == Managed::All,
        schemas: match what {
            Managed::Schemas(schemas) => Some(schemas.clone()),
            Managed::Declared | Managed::All => None,
        },
        ignore: ignore.clone(),
        privileges: roles(*privileges),
        owners: roles(*owners),
        roles: *manages_roles,
        database: *database,
    }
}
