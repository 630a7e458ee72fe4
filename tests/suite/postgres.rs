//! An ordinary server over TCP, as a user has one: with roles, access rules and TLS of the test's choice.

use crate::server::{majors, server};
use nix::unistd::User;
use reconcile::connect::{Environment, Target};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Runs the server until standard input is closed, which happens however this process ends.
const SCRIPT: &str = r#""$@" > log 2>&1 & pid=$!; read -r _; kill -INT "$pid"; wait "$pid""#;

/// A running server; its superuser is `postgres`, without a password over the socket.
pub struct Postgres {
    folder: TempDir,
    child: Child,
    port: u16,
    major: u32,
}

impl Postgres {
    /// Starts a server with lines of `pg_hba.conf` for TCP, with files in its data folder and with settings.
    pub fn start(access: &str, files: &[(&str, &Path)], settings: &[&str]) -> Self {
        let version = majors().into_iter().find(|major| *major >= 15).unwrap_or(14);
        let binaries = server(version).binaries().expect("a cluster of ours");
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        give_away(folder.path());
        let initdb = as_postgres(&binaries.program("initdb"), folder.path())
            .args(["-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(initdb.status.success(), "{}", String::from_utf8_lossy(&initdb.stderr));
        for (name, from) in files {
            let to = data.join(name);
            std::fs::copy(from, &to).unwrap();
            std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
            give_away(&to);
        }
        std::fs::write(data.join("pg_hba.conf"), format!("local all all trust\n{access}\n")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = as_postgres(Path::new("/bin/sh"), folder.path())
            .args(["-c", SCRIPT, "server"])
            .arg(binaries.program("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
            .args(settings.iter().flat_map(|setting| ["-c", setting]))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { folder, child, port, major: version };
        let start = Instant::now();
        while server.admin().connect().is_err() {
            let log = std::fs::read_to_string(server.folder.path().join("log")).unwrap_or_default();
            assert!(start.elapsed() < Duration::from_secs(20), "the server does not start: {log}");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    /// The superuser's way in.
    pub fn admin(&self) -> Target {
        Target::socket(self.folder.path(), self.port, "postgres", "postgres")
    }

    /// Runs statements as superuser.
    pub fn run(&self, sql: &str) {
        self.admin().connect().unwrap().batch_execute(sql).unwrap();
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The TCP port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string over TCP, resolved in an empty environment.
    pub fn tcp(&self, parameters: &str) -> Target {
        self.tcp_in(parameters, &Environment::default())
    }

    /// A connection string over TCP.
    pub fn tcp_in(&self, parameters: &str, environment: &Environment) -> Target {
        let host = if parameters.contains("host=") { "" } else { "host=127.0.0.1" };
        let text = format!("{host} port={} dbname=postgres {parameters}", self.port);
        Target::resolve(Some(&text), environment).unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// PostgreSQL refuses to run as root.
fn unprivileged() -> Option<User> {
    let user = |name: &str| User::from_name(name).unwrap();
    nix::unistd::geteuid().is_root().then(|| user("postgres").or_else(|| user("nobody")).expect("an unprivileged user"))
}

fn as_postgres(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).process_group(0);
    if let Some(user) = unprivileged() {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}

/// Gives a file to the user that runs servers.
pub fn give_away(path: &Path) {
    if let Some(user) = unprivileged() {
        chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    }
}

/// Writes a file with a mode, and returns its path.
pub fn file(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}
