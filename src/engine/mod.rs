//! A scratch PostgreSQL: a named server, binaries found on the machine, a download, or the target itself.

mod account;
mod binaries;
mod cache;
mod cluster;
mod download;
mod error;
mod folder;
mod lender;
mod scratch;
mod settings;
mod signals;
mod spec;
mod template;
mod watcher;

pub use binaries::Binaries;
pub use error::{Attempt, Error};
pub use lender::SuperuserLender;
pub use scratch::Scratch;
pub use settings::{Settings, Trust, Way, ways};
pub use signals::defer_to_signal;
pub use spec::{Locale, Provider, Spec};

use crate::connect::Target;
use account::Account;
use cluster::Cluster;
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
}

impl Engine {
    /// Starts or finds a server of this major version, in the ways and the order of the settings.
    ///
    /// # Errors
    /// [`Error::Missing`] with every way that was tried and what the user can do.
    pub fn start(settings: &Settings, major: u32, target: Option<&Target>) -> Result<Self, Error> {
        let account = Account::current()?;
        let mut attempts = Vec::new();
        for way in &settings.order {
            let tried = match way {
                Way::Found => found(settings, major, &account),
                Way::Download => downloaded(settings, major, &account),
                Way::Target | Way::Server(_) => {
                    let _ = target;
                    Err(Attempt { way: "other".into(), why: "not available".into(), looked_at: Vec::new() })
                }
            };
            match tried {
                Ok(inner) => return Ok(Self(Arc::new(inner))),
                Err(attempt) => attempts.push(attempt),
            }
        }
        Err(Error::Missing { major, attempts, hints: Vec::new() })
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.0.major
    }

    /// One line about the server: `PostgreSQL 15.18 from /usr/lib/postgresql/15/bin`.
    pub fn describe(&self) -> String {
        self.0.description.clone()
    }

    /// Whether the server is a throw-away cluster of ours, where statements that reach past a database do no harm.
    pub fn owned(&self) -> bool {
        matches!(self.0.backend, Backend::Own(_))
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
fn found(settings: &Settings, major: u32, account: &Account) -> Result<Inner, Attempt> {
    let failed = |why: String, looked_at| Attempt { way: "binaries on this machine".to_owned(), why, looked_at };
    let search = binaries::search(&settings.folders, Some(major), account);
    let Some(binaries) = search.found.first() else {
        return Err(failed(format!("no PostgreSQL {major} in any of these places"), search.looked_at));
    };
    own(binaries, settings, account).map_err(|error| failed(error.to_string(), Vec::new()))
}

/// A throw-away cluster of downloaded programs.
fn downloaded(settings: &Settings, major: u32, account: &Account) -> Result<Inner, Attempt> {
    let start = || {
        let cache = cache::folder(settings.cache.as_deref(), account)?;
        own(&download::get(major, &cache, settings.offline, account)?, settings, account)
    };
    start().map_err(|error: Error| Attempt {
        way: "download".to_owned(),
        why: error.to_string(),
        looked_at: Vec::new(),
    })
}

fn own(binaries: &Binaries, settings: &Settings, account: &Account) -> Result<Inner, Error> {
    let cache = cache::folder(settings.cache.as_deref(), account)?;
    Ok(Inner {
        backend: Backend::Own(Cluster::start(binaries, &cache, account)?),
        major: binaries.major,
        description: format!("PostgreSQL {} from {}", binaries.version, binaries.folder.display()),
        trust: settings.trust,
        admin: Mutex::new(None),
    })
}

impl Inner {
    /// Does something over the connection for administration, which all databases of an engine share.
    fn with_admin<T>(&self, act: impl FnOnce(&mut postgres::Client) -> Result<T, Error>) -> Result<T, Error> {
        let mut slot = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        let mut client = match slot.take() {
            Some(client) if !client.is_closed() => client,
            _ => match &self.backend {
                Backend::Own(cluster) => cluster.admin("postgres").connect()?,
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
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        match self {
            Self::Own(_) => format!("scratch_{number}"),
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
