//! However a run ends, its cluster goes away.

use crate::engine::folder_of;
use crate::postgres::Postgres;
use crate::server::majors;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reconcile::engine::{Engine, Settings, Spec};
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Tells the test below to wait, or to panic, while it holds a cluster; the value may name a server to be used instead.
const HOLD: &str = "RECONCILE_TEST_HOLD";
const PANIC: &str = "RECONCILE_TEST_PANIC";

#[test]
fn a_cluster_lives_as_long_as_its_engine() {
    let settings = match std::env::var(HOLD) {
        Ok(url) if !url.is_empty() => url.parse().unwrap(),
        _ => Settings::default(),
    };
    let engine = Engine::start(&settings, majors()[0], None).unwrap();
    let scratch = engine.database(&Spec::default()).unwrap();
    let folder = folder_of(&scratch.target());
    assert!(folder.join(".s.PGSQL.5432").exists() || !engine.owned());
    if std::env::var_os(HOLD).is_some() {
        println!("\nholding {} {}", folder.display(), scratch.name());
        assert!(std::env::var_os(PANIC).is_none(), "panicking as told");
        std::thread::park();
    }
    drop(engine);
    assert!(folder.exists(), "a database keeps its server");
    drop(scratch);
    assert!(!folder.exists());
}

/// Another process that holds a cluster, or a database of a server.
struct Run {
    child: Child,
    folder: PathBuf,
    database: String,
}

impl Run {
    fn start(server: &str, major: u32, panic: bool) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "cleanup::a_cluster_lives_as_long_as_its_engine", "--nocapture"]);
        command.env(HOLD, server).env("MAJORS", major.to_string());
        if panic {
            command.env(PANIC, "1");
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let line = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("holding ").map(str::to_owned));
        let line = line.expect("the run starts");
        let (folder, database) = line.split_once(' ').unwrap();
        Self { folder: PathBuf::from(folder), database: database.to_owned(), child }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
    }

    fn end(&mut self) -> ExitStatus {
        let _ = self.child.stdout.as_mut().unwrap().read_to_end(&mut Vec::new());
        self.child.wait().unwrap()
    }

    fn server(&self) -> Pid {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
    }

    /// The process that watches over the run.
    fn watcher(&self) -> Pid {
        let output = Command::new("ps").args(["-A", "-o", "pid=,args="]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let folder = self.folder.display().to_string();
        let line = text.lines().find(|line| line.contains("reconcile-watcher") && line.contains(&folder)).unwrap();
        Pid::from_raw(line.split_whitespace().next().unwrap().parse().unwrap())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a process serves; a zombie that nobody has collected does not.
fn serves(server: Pid) -> bool {
    let output = Command::new("ps").args(["-o", "stat=", "-p", &server.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn soon(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether this process was started to ignore a signal, which the runs that it starts then do as well.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    bits.and_then(|bits| u64::from_str_radix(bits, 16).ok()).is_some_and(|bits| bits >> (signal as i32 - 1) & 1 == 1)
}

#[test]
fn signals_take_the_cluster_away_before_the_run_ends() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mut run = Run::start("", majors()[0], false);
        let server = run.server();
        assert!(serves(server));
        run.signal(signal);
        if is_ignored(signal) {
            // As under `nohup`, which must go on working.
            std::thread::sleep(std::time::Duration::from_millis(300));
            assert!(serves(server), "{signal} was to be ignored");
            run.signal(Signal::SIGKILL);
            run.end();
            soon("the watcher cleans up", || !run.folder.exists() && !serves(server));
            continue;
        }
        assert_eq!(run.end().signal(), Some(signal as i32), "the caller sees what ended the run");
        assert!(!run.folder.exists(), "{signal}");
        assert!(!serves(server), "{signal}");
    }
}

#[test]
fn a_panic_takes_the_cluster_away() {
    let mut run = Run::start("", majors()[0], true);
    assert_eq!(run.end().code(), Some(101));
    assert!(!run.folder.exists());
}

#[test]
fn a_killed_runs_cluster_goes_away_by_itself() {
    let mut run = Run::start("", majors()[0], false);
    let server = run.server();
    run.signal(Signal::SIGKILL);
    run.end();
    soon("the watcher cleans up", || !run.folder.exists() && !serves(server));
}

#[test]
fn a_later_run_cleans_up_after_one_that_was_killed_with_all_its_helpers() {
    let mut run = Run::start("", majors()[0], false);
    let living = Run::start("", majors()[0], false);
    let server = run.server();
    kill(run.watcher(), Signal::SIGKILL).unwrap();
    run.signal(Signal::SIGKILL);
    run.end();
    assert!(run.folder.exists() && serves(server));
    drop(Engine::start(&Settings::default(), majors()[0], None).unwrap());
    soon("a later run cleans up", || !run.folder.exists() && !serves(server));
    assert!(living.folder.exists() && serves(living.server()), "the clusters of others are left alone");
}

#[test]
fn a_folder_whose_process_number_was_used_again_is_deleted_and_nobody_is_killed() {
    let mut run = Run::start("", majors()[0], false);
    let server = run.server();
    kill(run.watcher(), Signal::SIGKILL).unwrap();
    run.signal(Signal::SIGKILL);
    run.end();
    let mut bystander = Command::new("sleep").arg("60").spawn().unwrap();
    let pid_file = run.folder.join("data/postmaster.pid");
    let text = std::fs::read_to_string(&pid_file).unwrap();
    kill(server, Signal::SIGKILL).unwrap();
    soon("the server ends", || !serves(server));
    std::fs::write(&pid_file, text.replacen(&server.to_string(), &bystander.id().to_string(), 1)).unwrap();
    drop(Engine::start(&Settings::default(), majors()[0], None).unwrap());
    assert!(!Path::new(&run.folder).exists());
    assert_eq!(bystander.try_wait().unwrap(), None);
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn signals_drop_databases_on_servers_of_others() {
    let theirs = Postgres::start("host all all 127.0.0.1/32 trust", &[], &[]);
    let url = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", theirs.port());
    let exists = |name: &str| {
        let rows =
            theirs.admin().connect().unwrap().query("SELECT FROM pg_database WHERE datname = $1", &[&name]).unwrap();
        !rows.is_empty()
    };
    let mut run = Run::start(&url, theirs.major(), false);
    assert!(exists(&run.database));
    run.signal(Signal::SIGTERM);
    assert_eq!(run.end().signal(), Some(Signal::SIGTERM as i32));
    assert!(!exists(&run.database));
}
