//! The server process of a project: made, started, found again and stopped by way of its `postmaster.pid`.

use super::super::binaries::Binaries;
use super::super::folder::server_pid;
use super::super::{secret, template};
use super::home::Home;
use super::{Error, ROLE};
use crate::sql::idents;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const PORT: u16 = 5432;
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
#[derive(Debug)]
pub(super) struct Postmaster {
    pid: Pid,
    pid_file: PathBuf,
    /// Lines of `postmaster.pid`: process, data folder, start, port, socket folder, address, memory, state.
    lines: Vec<String>,
}

impl Postmaster {
    /// The server of a home, if it is running.
    pub(super) fn running(home: &Home) -> Option<Self> {
        let pid = server_pid(&home.data())?;
        let pid_file = home.data().join("postmaster.pid");
        let text = std::fs::read_to_string(&pid_file).ok()?;
        Some(Self { pid, pid_file, lines: text.lines().map(|line| line.trim().to_owned()).collect() })
    }

    /// Starts the server in the background, where it outlives this process.
    pub(super) fn start(
        home: &Home,
        binaries: &Binaries,
        port: Option<u16>,
        preload: &[String],
    ) -> Result<Self, Error> {
        collect_zombie(home);
        let program = binaries.program("postgres");
        let log = home.store("log");
        let output = File::options().create(true).append(true).open(&log).map_err(Error::file("open", &log))?;
        let mut command = home.account().command(&program);
        if !preload.is_empty() {
            command.args(["-c", &format!("shared_preload_libraries={}", idents(preload))]);
        }
        let mut server = command
            .arg("-D")
            .arg(home.data())
            .arg("-k")
            .arg(home.socket())
            .args(["-p", &port.unwrap_or(PORT).to_string()])
            .args(["-c", if port.is_some() { "listen_addresses=127.0.0.1" } else { "listen_addresses=" }])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .spawn()
            .map_err(Error::file("run", &program))?;
        wait_until_ready(home, &mut server, &program, &log)?;
        // The child is left to itself: this process may end first.
        drop(server);
        Self::running(home).ok_or_else(|| Error::Program { program, output: "ended after it had started".to_owned() })
    }

    /// Stops the server in good order: sessions are ended, and nothing needs recovery.
    pub(super) fn stop(&self) -> Result<(), Error> {
        let failed = |error: nix::Error| Error::file("stop the server of", &self.pid_file)(error.into());
        kill(self.pid, Signal::SIGINT).map_err(failed)?;
        let start = Instant::now();
        // The file goes last. The process may stay as a zombie of ours, so it says less.
        while self.pid_file.exists() {
            if start.elapsed() > PATIENCE {
                return kill(self.pid, Signal::SIGQUIT).map_err(failed);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = nix::sys::wait::waitpid(self.pid, Some(nix::sys::wait::WaitPidFlag::WNOHANG));
        Ok(())
    }

    /// The port that names the socket.
    pub(super) fn port(&self) -> u16 {
        self.lines.get(3).and_then(|port| port.parse().ok()).unwrap_or(PORT)
    }

    /// The TCP port, if the server listens on one.
    pub(super) fn tcp_port(&self) -> Option<u16> {
        self.lines.get(5).filter(|address| !address.is_empty()).map(|_| self.port())
    }

    /// Marks the server as one that stays up. The mark is void after a restart.
    pub(super) fn keep(&self, home: &Home) -> Result<(), Error> {
        let mark = home.state("kept");
        std::fs::write(&mark, self.identity()).map_err(Error::file("write", mark))
    }

    pub(super) fn is_kept(&self, home: &Home) -> bool {
        std::fs::read_to_string(home.state("kept")).is_ok_and(|mark| mark == self.identity())
    }

    /// The process and the time of its start.
    fn identity(&self) -> String {
        format!("{} {}", self.pid, self.lines.get(2).map_or("", String::as_str))
    }
}

/// Collects a server that this process started and that crashed: as a zombie it still counts as running for PostgreSQL.
fn collect_zombie(home: &Home) {
    let text = std::fs::read_to_string(home.data().join("postmaster.pid")).unwrap_or_default();
    // Not 0 or less: those would mean any child.
    if let Some(pid) = text.lines().next().and_then(|pid| pid.trim().parse().ok()).filter(|pid| *pid > 1) {
        let _ = nix::sys::wait::waitpid(Pid::from_raw(pid), Some(nix::sys::wait::WaitPidFlag::WNOHANG));
    }
}

fn wait_until_ready(home: &Home, server: &mut Child, program: &Path, log: &Path) -> Result<(), Error> {
    let start = Instant::now();
    let pid_file = home.data().join("postmaster.pid");
    // A file that a crash left behind names another process.
    let id = server.id().to_string();
    let ready = |text: String| {
        text.lines().next() == Some(&id) && text.lines().nth(7).is_some_and(|state| state.trim() == "ready")
    };
    while !std::fs::read_to_string(&pid_file).is_ok_and(ready) {
        let ended = server.try_wait().ok().flatten().is_some();
        if ended || start.elapsed() > PATIENCE {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            let output = format!("the server did not start; the end of {}:\n{}", log.display(), last.join("\n"));
            return Err(Error::Program { program: program.to_owned(), output });
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Makes the data folder, and the password for connections over TCP.
pub(super) fn initdb(home: &Home, binaries: &Binaries) -> Result<(), Error> {
    let account = home.account();
    let parent = home.store("");
    let made = template::temporary(&parent, "new-")?;
    let password = secret().map_err(Error::file("read", "/dev/urandom"))?;
    let given = made.path().join("password");
    write_private(&given, &password)?;
    account.own(made.path()).map_err(Error::file("give away", made.path()))?;
    let data = made.path().join("data");
    let attempt = |locale: &str| {
        let mut command = account.command(binaries.program("initdb"));
        command.arg("-D").arg(&data).arg("--pwfile").arg(&given).args(["-U", ROLE, "-E", "UTF8", "--no-instructions"]);
        // There are no rows yet that a crash of the machine could lose: the files need not reach the disk before we go on.
        command.arg("-N");
        command.args(["--auth-local=trust", "--auth-host=scram-sha-256"]).arg(format!("--locale={locale}"));
        command.stdin(Stdio::null()).output()
    };
    let program = binaries.program("initdb");
    let mut output = attempt("C.UTF-8").map_err(Error::file("run", &program))?;
    if !output.status.success() {
        // Not every system has it.
        output = attempt("C").map_err(Error::file("run", &program))?;
    }
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Program { program, output });
    }
    // A large plan is one transaction, and takes a lock for each table and index.
    let settings = data.join("postgresql.conf");
    File::options()
        .append(true)
        .open(&settings)
        .and_then(|mut file| file.write_all(b"\nmax_locks_per_transaction = 1024\n"))
        .map_err(Error::file("write", &settings))?;
    let passfile = home.state("pgpass");
    let _ = std::fs::remove_file(&passfile);
    write_private(&passfile, &format!("127.0.0.1:*:*:{ROLE}:{password}\nlocalhost:*:*:{ROLE}:{password}\n"))?;
    std::fs::rename(&data, home.data()).map_err(Error::file("rename to", home.data()))
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(Error::file("write", path))
}
