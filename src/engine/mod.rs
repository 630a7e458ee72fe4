//! A scratch PostgreSQL: a named server, binaries found on the machine, a download, or the target itself.

mod account;
mod advice;
mod binaries;
mod cache;
mod cluster;
mod download;
mod embedded;
mod error;
mod folder;
mod lender;
mod lock;
mod outer;
mod roles;
mod scratch;
mod server;
mod settings;
mod signals;
mod spec;
mod tablespaces;
mod template;
mod watcher;

pub use binaries::Binaries;
pub use embedded::{Embedded, Running, Status};
pub use error::{Attempt, Error};
pub use lender::SuperuserLender;
pub use outer::Outer;
pub use scratch::Scratch;
pub use settings::{Settings, Trust, Way, ways};
pub use signals::defer_to_signal;
pub use spec::{Locale, Provider, Spec};

use crate::connect::Target;
use account::Account;
use cluster::Cluster;
use server::Server;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A scratch PostgreSQL of one major version.
///
/// It ends when it and all its [`Scratch`] databases are dropped, or when this process ends, however that comes about.
#[derive(Debug)]
pub struct Engine(Arc<Inner>);

struct Inner {
    backend: Backend,
    major: u32,
    description: String,
    trust: Trust,
    admin: Mutex<Option<postgres::Client>>,
}

/// Whose server it is.
#[derive(Debug)]
enum Backend {
    Own(Cluster),
    Server(Box<Server>),
}

impl Engine {
    /// Starts or finds a server of this major version, in the ways and the order of the settings.
    ///
    /// # Errors
    /// [`Error::Missing`] with every way that was tried and what the user can do; with a single way, its own error.
    pub fn start(settings: &Settings, major: u32, target: Option<&Target>) -> Result<Self, Error> {
        let account = Account::current;
        let mut attempts = Vec::new();
        for way in &settings.order {
            let tried = match (way, target) {
                (Way::Found, _) => account().and_then(|account| found(settings, major, &account)),
                (Way::Download, _) => account().and_then(|account| downloaded(settings, major, &account)),
                (Way::Server(place), _) => server(place, major, "scratch server"),
                (Way::Target, Some(target)) => server(target, major, "scratch databases on the target server"),
                (Way::Target, None) => {
                    Err(Error::Setting("no target is known on which to make a scratch database".into()))
                }
            };
            if tried.is_err() {
                // A server that a signal stopped is no reason to look for another one.
                defer_to_signal();
            }
            match tried {
                Ok(inner) => return Ok(Self(Arc::new(inner))),
                Err(error) if matches!((way, settings.order.len()), (Way::Server(_) | Way::Target, 1)) => {
                    return Err(error);
                }
                Err(error) => attempts.push(Attempt::of(way, error)),
            }
        }
        Err(Error::Missing { major, attempts, hints: advice::missing(settings, major) })
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.0.major
    }

    /// One line about the server: `PostgreSQL 15.18 from /usr/lib/postgresql/15/bin`.
    pub fn describe(&self) -> String {
        self.0.description.clone()
    }

    /// The programs of a throw-away cluster of ours.
    pub fn binaries(&self) -> Option<&Binaries> {
        match &self.0.backend {
            Backend::Own(cluster) => Some(cluster.binaries()),
            Backend::Server(_) => None,
        }
    }

    /// Whether the server is a throw-away cluster of ours, where statements that reach past a database do no harm.
    pub fn owned(&self) -> bool {
        matches!(self.0.backend, Backend::Own(_))
    }

    /// Starts a second throw-away cluster, with a database of this name.
    ///
    /// # Errors
    /// [`Error::NotOurs`] where the server is none of ours.
    pub fn outer(&self, database: &str) -> Result<Outer, Error> {
        match &self.0.backend {
            Backend::Own(cluster) => Outer::start(cluster, database),
            Backend::Server(_) => Err(Error::NotOurs),
        }
    }

    /// Drops roles of a cluster of ours, whose databases do not need them any more.
    ///
    /// # Errors
    /// When one does.
    pub fn drop_roles(&self, names: &[&str]) -> Result<(), Error> {
        if !self.owned() {
            return Err(Error::NotOurs);
        }
        self.0.with_admin(|admin| roles::drop_roles(admin, names))
    }

    /// Makes a database.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn database(&self, spec: &Spec) -> Result<Scratch, Error> {
        Scratch::create(&self.0, spec)
    }

    /// The names and default versions of the extensions that the server can create.
    ///
    /// # Errors
    /// When the server is gone.
    pub fn available_extensions(&self) -> Result<std::collections::BTreeMap<String, String>, Error> {
        const QUERY: &str = "SELECT name::text, coalesce(default_version, '') FROM pg_catalog.pg_available_extensions";
        let rows = self.0.with_admin(|admin| admin.query(QUERY, &[]).map_err(Error::server("list the extensions")))?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

/// A throw-away cluster of programs on this machine.
fn found(settings: &Settings, major: u32, account: &Account) -> Result<Inner, Error> {
    let search = binaries::search(&settings.folders, Some(major), account);
    match search.found.first() {
        Some(binaries) => own(binaries, settings, account),
        None => Err(Error::NotFound { major, looked_at: search.looked_at }),
    }
}

/// A throw-away cluster of downloaded programs.
fn downloaded(settings: &Settings, major: u32, account: &Account) -> Result<Inner, Error> {
    own(&download::get(major, settings, account)?, settings, account)
}

fn own(binaries: &Binaries, settings: &Settings, account: &Account) -> Result<Inner, Error> {
    let cache = cache::folder(settings.cache.as_deref(), account)?;
    let backend = Backend::Own(Cluster::start(binaries, &cache, account, &settings.preload)?);
    let description = format!("PostgreSQL {} from {}", binaries.version, binaries.folder.display());
    Ok(Inner::new(backend, binaries.major, description, settings.trust, None))
}

fn server(place: &Target, major: u32, what: &str) -> Result<Inner, Error> {
    let (server, client) = Server::open(place, major)?;
    let description = format!("PostgreSQL {major}, {what} {}", place.url());
    Ok(Inner::new(Backend::Server(Box::new(server)), major, description, Trust::Restricted, Some(client)))
}

impl Inner {
    fn new(backend: Backend, major: u32, description: String, trust: Trust, admin: Option<postgres::Client>) -> Self {
        Self { backend, major, description, trust, admin: Mutex::new(admin) }
    }

    /// Does something over the connection for administration, which all databases of an engine share.
    fn with_admin<T>(&self, act: impl FnOnce(&mut postgres::Client) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match slot.take() {
            Some(client) if !client.is_closed() => client,
            _ => match &self.backend {
                Backend::Own(cluster) => cluster.admin("postgres").connect()?,
                Backend::Server(server) => server.place().connect()?,
            },
        };
        let result = act(&mut client);
        *slot = Some(client);
        result
    }
}

impl Backend {
    fn next_name(&self) -> String {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        match self {
            Self::Own(_) => format!("scratch_{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            Self::Server(_) => Server::next_name(),
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("description", &self.description).finish_non_exhaustive()
    }
}

/// The server's major version.
pub(crate) fn server_major(client: &mut postgres::Client) -> Result<u32, postgres::Error> {
    let row = client.query_one("SELECT pg_catalog.current_setting('server_version_num')::int4 / 10000", &[])?;
    Ok(u32::try_from(row.get::<_, i32>(0)).unwrap_or_default())
}

/// A number that no other process guesses or meets by chance; names of folders and databases need no more.
fn random() -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one((std::process::id(), std::time::SystemTime::now()))
}

/// A password for clusters of ours.
fn secret() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
