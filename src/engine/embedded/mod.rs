//! The project's own PostgreSQL in `.reconcile/`, for projects that configure no database.

mod home;
mod postmaster;

use super::account::Account;
use super::binaries::{self, Binaries};
use super::signals::{self, Registration};
use super::{Attempt, Error, Settings, Way, advice, download};
use crate::connect::Target;
use crate::sql::ident;
use home::Home;
use postmaster::Postmaster;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The versions that a new database may get: those that this program knows.
const MAJORS: std::ops::RangeInclusive<u32> = 14..=18;
/// The superuser, and the role that everything is done as.
const ROLE: &str = "postgres";

/// A project's own server while it is in use.
///
/// It is started on demand, shared with other runs, and stopped by the last one, unless `db start` keeps it up.
#[derive(Debug)]
pub struct Embedded {
    usage: Arc<Mutex<Option<Usage>>>,
    signal: Registration,
    status: Running,
}

/// What is known about a project's own server.
#[derive(Clone, Debug)]
pub enum Status {
    /// There is no data yet.
    Absent,
    /// It is not running.
    Stopped,
    /// It is running.
    Running(Box<Running>),
}

/// A project's own server that is running.
#[derive(Clone, Debug)]
pub struct Running {
    target: Target,
    version: String,
    folder: PathBuf,
    passfile: PathBuf,
    port: Option<u16>,
    kept: bool,
}

/// The share of one user in the server.
#[derive(Debug)]
struct Usage {
    home: Home,
    users: File,
}

impl Embedded {
    /// Starts the project's server unless it is running, and makes its database on the first use.
    ///
    /// # Errors
    /// When there are no programs, or the server does not start.
    pub fn open(project: &Path, settings: &Settings) -> Result<Self, Error> {
        let (home, lock) = Home::create(project, settings)?;
        let users = home.users()?;
        users.lock_shared().map_err(Error::file("lock", home.state("users")))?;
        let usage = Arc::new(Mutex::new(Some(Usage { home: home.clone(), users })));
        let signal = signals::register({
            let usage = Arc::clone(&usage);
            move || release(&usage)
        });
        let started = start(&home, settings, None);
        drop(lock);
        match started {
            Ok(status) => Ok(Self { usage, signal, status }),
            Err(error) => {
                release(&usage);
                signals::forget(&signal);
                Err(error)
            }
        }
    }

    /// Starts the project's server and keeps it up after this run, until [`Embedded::stop`].
    ///
    /// With a port it listens on 127.0.0.1 too, where a password is asked for: the one in [`Running::passfile`].
    ///
    /// # Errors
    /// As [`Embedded::open`]; [`Error::Busy`] when it runs for somebody else without that port.
    pub fn start_detached(project: &Path, settings: &Settings, port: Option<u16>) -> Result<Running, Error> {
        let (home, _lock) = Home::create(project, settings)?;
        if let Some(server) = Postmaster::running(&home)
            && port.is_some()
            && server.tcp_port() != port
        {
            home.must_be_unused()?;
            server.stop()?;
        }
        let status = start(&home, settings, port)?;
        if let Some(server) = Postmaster::running(&home) {
            server.keep(&home)?;
        }
        Ok(Running { kept: true, ..status })
    }

    /// Stops the project's server; says whether it was running.
    ///
    /// # Errors
    /// [`Error::Busy`] while another run uses it.
    pub fn stop(project: &Path, settings: &Settings) -> Result<bool, Error> {
        let Some(home) = Home::find(project, settings)? else { return Ok(false) };
        let _lock = home.lock()?;
        let Some(server) = Postmaster::running(&home) else { return Ok(false) };
        home.must_be_unused()?;
        server.stop()?;
        Ok(true)
    }

    /// Looks whether the project's server is running.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn status(project: &Path, settings: &Settings) -> Result<Status, Error> {
        let Some(home) = Home::find(project, settings)? else { return Ok(Status::Absent) };
        Ok(match Postmaster::running(&home) {
            Some(server) => Status::Running(Box::new(Running::of(&home, &server))),
            None if home.major().is_some() => Status::Stopped,
            None => Status::Absent,
        })
    }

    /// The server that is in use.
    pub fn running(&self) -> &Running {
        &self.status
    }

    /// Where to connect.
    pub fn target(&self) -> &Target {
        &self.status.target
    }

    /// One line that says what is used, and the URL to reach it.
    pub fn describe(&self) -> String {
        self.status.describe()
    }
}

impl Running {
    fn of(home: &Home, server: &Postmaster) -> Self {
        Self {
            target: Target::socket(home.socket(), server.port(), ROLE, home.database()),
            version: home.major().map(|major| major.to_string()).unwrap_or_default(),
            folder: home.data(),
            passfile: home.state("pgpass"),
            port: server.tcp_port(),
            kept: server.is_kept(home),
        }
    }

    /// Where to connect over the private socket, without a password.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The URL to reach it over the private socket.
    pub fn url(&self) -> String {
        self.target.url()
    }

    /// The URL to reach it over TCP, if it listens there. The password is in [`Running::passfile`].
    pub fn tcp_url(&self) -> Option<String> {
        self.port.map(|port| format!("postgres://{ROLE}@127.0.0.1:{port}/{}", self.target.database()))
    }

    /// A `.pgpass` file with the password for TCP; `PGPASSFILE` takes it.
    pub fn passfile(&self) -> &Path {
        &self.passfile
    }

    /// Whether it stays up after the runs that use it.
    pub fn kept(&self) -> bool {
        self.kept
    }

    /// One line that says what it is, and the URL to reach it.
    pub fn describe(&self) -> String {
        format!("PostgreSQL {} of this project in {}: {}", self.version, self.folder.display(), self.url())
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        release(&self.usage);
        signals::forget(&self.signal);
    }
}

/// Ends one use; the last one stops the server, unless it is kept.
fn release(usage: &Mutex<Option<Usage>>) {
    let Some(Usage { home, users }) = usage.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let _ = users.unlock();
    let Some(_lock) = home.lock_soon() else { return };
    if let Some(server) = Postmaster::running(&home)
        && !server.is_kept(&home)
        && home.must_be_unused().is_ok()
    {
        // What cannot be stopped now is found running, and stopped, by the next run.
        let _ = server.stop();
    }
}

/// Starts the server unless it is running, and makes the database unless it is there. The lock must be held.
fn start(home: &Home, settings: &Settings, port: Option<u16>) -> Result<Running, Error> {
    let server = match Postmaster::running(home) {
        Some(server) => server,
        None => {
            let binaries = binaries(home, settings)?;
            if home.major().is_none() {
                postmaster::initdb(home, &binaries)?;
            }
            Postmaster::start(home, &binaries, port, &settings.preload)?
        }
    };
    let running = Running::of(home, &server);
    let database = running.target.database();
    let mut client = running.target.with_database("postgres").connect()?;
    let exists = client
        .query_opt("SELECT FROM pg_catalog.pg_database WHERE datname = $1::text", &[&database])
        .map_err(Error::server("look for the database"))?;
    if exists.is_none() {
        let create = format!("CREATE DATABASE {}", ident(database));
        client.batch_execute(&create).map_err(Error::server("create the database"))?;
    }
    Ok(running)
}

/// The programs for the data that is there; for new data the newest on this machine, else a download. Of the ways to a scratch
/// server, those hold here as well that bring programs.
fn binaries(home: &Home, settings: &Settings) -> Result<Binaries, Error> {
    let account = home.account();
    let wanted = home.major();
    let major = wanted.unwrap_or(*MAJORS.end());
    let bring = |way: &&Way| matches!(way, Way::Found | Way::Download);
    let mut ways: Vec<&Way> = settings.order.iter().filter(bring).collect();
    if ways.is_empty() {
        ways = vec![&Way::Found, &Way::Download];
    }
    let mut attempts = Vec::new();
    for way in ways {
        let tried = if matches!(way, Way::Found) {
            newest(wanted, settings, account).map_err(|looked_at| Error::NotFound { major, looked_at })
        } else {
            download::get(major, settings, account)
        };
        match tried {
            Ok(binaries) => return Ok(binaries),
            Err(error) => attempts.push(Attempt::of(way, error)),
        }
    }
    Err(Error::Missing { major, attempts, hints: advice::missing(settings, major) })
}

/// The programs of this version, or the newest, on this machine; or where they are not.
fn newest(wanted: Option<u32>, settings: &Settings, account: &Account) -> Result<Binaries, Vec<String>> {
    let search = binaries::search(&settings.folders, wanted, account);
    let found = search.found.into_iter().filter(|binaries| MAJORS.contains(&binaries.major));
    // Of those of one major, the first one that was found: that of a folder that is configured.
    found.rev().max_by_key(|binaries| binaries.major).ok_or(search.looked_at)
}
