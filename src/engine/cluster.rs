//! A throw-away cluster: copied from cached `initdb` output, started on a private socket, stopped and deleted.

use super::Error;
use super::account::Account;
use super::binaries::Binaries;
use super::folder::Folder;
use super::signals;
use super::template::{self, Template};
use super::watcher::Watcher;
use crate::connect::Target;
use crate::sql::idents;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The superuser of clusters of ours. No role of a target has this name, so each of them can be an ordinary role here.
pub(super) const SUPERUSER: &str = "reconcile_engine";
const PORT: u16 = 5432;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running cluster; dropping it stops it and deletes its folder.
#[derive(Debug)]
pub(super) struct Cluster {
    running: Arc<Mutex<Option<Running>>>,
    folder: PathBuf,
    binaries: Binaries,
    cache: PathBuf,
    account: Account,
    preload: Vec<String>,
    password: String,
    signal: signals::Registration,
}

/// The parts that end with the cluster; the last two come into being one after the other.
#[derive(Debug)]
struct Running {
    folder: Folder,
    watcher: Option<Watcher>,
    server: Option<Child>,
}

impl Cluster {
    /// Starts a cluster of these programs.
    pub(super) fn start(
        binaries: &Binaries,
        cache: &Path,
        account: &Account,
        preload: &[String],
    ) -> Result<Self, Error> {
        super::folder::clean_leftovers(account);
        let template = template::get(binaries, cache, account)?;
        let folder = Folder::create()?;
        let path = folder.path().to_owned();
        let running = Arc::new(Mutex::new(Some(Running { folder, watcher: None, server: None })));
        let signal = signals::register({
            let running = Arc::clone(&running);
            move || stop(&running)
        });
        let password = template.password.clone();
        let (binaries, cache, account) = (binaries.clone(), cache.to_owned(), account.clone());
        let preload = preload.to_vec();
        let cluster = Self { running, folder: path, binaries, cache, account, preload, password, signal };
        cluster.launch(&template)?;
        cluster.wait_until_ready(&cluster.binaries.program("postgres"))?;
        Ok(cluster)
    }

    /// Starts another cluster of the same programs.
    pub(super) fn another(&self) -> Result<Self, Error> {
        Self::start(&self.binaries, &self.cache, &self.account, &self.preload)
    }

    /// Fills the folder and starts the processes.
    fn launch(&self, template: &Template) -> Result<(), Error> {
        let (account, binaries) = (&self.account, &self.binaries);
        let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = slot.as_mut() else { return Err(Error::Interrupted) };
        let folder = &self.folder;
        let data = self.data();
        template::copy(&template.data, &data).map_err(Error::file("copy a new cluster to", &data))?;
        configure(folder, &data, binaries.major, &self.preload)?;
        let log = folder.join("log");
        let output = File::create(&log).map_err(Error::file("create", &log))?;
        account.own(folder).map_err(Error::file("give away", folder))?;
        running.watcher = Some(Watcher::start(folder, account)?);
        let program = binaries.program("postgres");
        let mut command = account.command(&program);
        command.arg("-D").arg(&data).stdin(Stdio::null()).stdout(Stdio::null()).stderr(output);
        running.server = Some(command.spawn().map_err(Error::file("run", program))?);
        Ok(())
    }

    /// Waits until the server takes connections, which it writes into the last line of `postmaster.pid`.
    fn wait_until_ready(&self, program: &Path) -> Result<(), Error> {
        let start = Instant::now();
        let pid_file = self.data().join("postmaster.pid");
        let ready = |text: String| text.lines().nth(7).is_some_and(|line| line.trim() == "ready");
        while !std::fs::read_to_string(&pid_file).is_ok_and(ready) {
            let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(server) = slot.as_mut().and_then(|running| running.server.as_mut()) else {
                return Err(Error::Interrupted);
            };
            let ended = server.try_wait().ok().flatten().is_some();
            if ended || start.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let why = if ended { "ended at once" } else { "did not get ready" };
                return Err(Error::Program { program: program.to_owned(), output: format!("{why}: {}", said.trim()) });
            }
            drop(slot);
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The superuser's way into a database.
    pub(super) fn admin(&self, database: &str) -> Target {
        self.target(SUPERUSER, database)
    }

    /// A role's way into a database; all roles of the cluster that may log in share its password.
    pub(super) fn target(&self, role: &str, database: &str) -> Target {
        Target::socket(&self.folder, PORT, role, database).with_password(&self.password)
    }

    /// The programs that it runs.
    pub(super) fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        stop(&self.running);
        signals::forget(&self.signal);
    }
}

/// Stops the server at once (nothing of it is kept) and deletes its folder.
fn stop(running: &Mutex<Option<Running>>) {
    let Some(running) = running.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let Running { folder, watcher, server } = running;
    if let Some(mut server) = server {
        if let Ok(pid) = i32::try_from(server.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGQUIT);
        }
        let start = Instant::now();
        while let Ok(None) = server.try_wait() {
            if start.elapsed() > Duration::from_secs(5) {
                let _ = server.kill();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    // What cannot be deleted now is a leftover that the watcher or a later run cleans.
    let _ = std::fs::remove_dir_all(folder.path());
    drop(watcher);
}

/// Writes the settings: nothing that makes a crash survivable, no TCP, no workers that outlive their session.
///
/// Nobody gets in without the password, although only the account can reach the socket: otherwise SQL that makes the server
/// connect to itself (`dblink`) could become another role.
fn configure(folder: &Path, data: &Path, major: u32, preload: &[String]) -> Result<(), Error> {
    let socket = folder.display().to_string().replace('\'', "''");
    let mut text = format!("unix_socket_directories = '{socket}'\nport = {PORT}\n{SETTINGS}");
    if major >= 16 {
        // The password is random: guessing it need not be made slow.
        text.push_str("scram_iterations = 1\n");
    }
    if !preload.is_empty() {
        text.push_str(&format!("shared_preload_libraries = '{}'\n", idents(preload).replace('\'', "''")));
    }
    let path = data.join("postgresql.conf");
    std::fs::write(&path, text).map_err(Error::file("write", &path))?;
    let path = data.join("pg_hba.conf");
    std::fs::write(&path, "local all all password\n").map_err(Error::file("write", &path))
}

const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 30
max_locks_per_transaction = 4096
shared_buffers = 64MB
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 256MB
checkpoint_timeout = 1h
autovacuum = off
bgwriter_lru_maxpages = 0
max_worker_processes = 0
max_logical_replication_workers = 0
max_parallel_workers_per_gather = 0
jit = off
restart_after_crash = off
update_process_title = off
log_min_messages = fatal
log_min_error_statement = panic
lc_messages = 'C'
timezone = 'UTC'
";
