//! The project's own PostgreSQL, for projects that configure no database.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reconcile::connect::{Environment, Target};
use reconcile::engine::{Embedded, Error, Running, Settings, Status};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Tells the first test to wait while it uses the server of this project.
const HOLD: &str = "RECONCILE_TEST_HOLD_PROJECT";

fn project(name: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let project = folder.path().join(name);
    std::fs::create_dir(&project).unwrap();
    (folder, project)
}

fn open(project: &Path) -> Embedded {
    Embedded::open(project, &Settings::default()).unwrap()
}

fn running(project: &Path) -> Option<Running> {
    match Embedded::status(project, &Settings::default()).unwrap() {
        Status::Running(running) => Some(*running),
        Status::Stopped | Status::Absent => None,
    }
}

fn run(target: &Target, sql: &str) {
    target.connect().unwrap().batch_execute(sql).unwrap();
}

fn value(target: &Target, sql: &str) -> String {
    target.connect().unwrap().query_one(sql, &[]).unwrap().get(0)
}

fn server_of(project: &Path) -> Pid {
    let text = std::fs::read_to_string(project.join(".reconcile/pg/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

#[test]
fn it_is_made_started_and_stopped_on_demand_and_keeps_its_data() {
    if let Some(project) = std::env::var_os(HOLD) {
        let _used = open(Path::new(&project));
        println!("\nholding");
        std::thread::park();
    }
    let (_folder, project) = project("Web-Shop");
    assert!(matches!(Embedded::status(&project, &Settings::default()).unwrap(), Status::Absent));
    assert!(!project.join(".reconcile").exists(), "looking makes nothing");
    let used = open(&project);
    assert_eq!(used.target().database(), "web_shop");
    assert_eq!(std::fs::read_to_string(project.join(".reconcile/.gitignore")).unwrap(), "*\n");
    let url = used.target().url();
    assert!(used.describe().ends_with(&url) && used.describe().contains(".reconcile/pg"), "{}", used.describe());
    // The URL is what an application uses.
    run(&Target::resolve(Some(&url), &Environment::default()).unwrap(), "CREATE TABLE kept AS SELECT 'yes' AS a");
    assert!(!running(&project).unwrap().kept());
    drop(used);
    assert!(matches!(Embedded::status(&project, &Settings::default()).unwrap(), Status::Stopped));
    let again = open(&project);
    assert_eq!(value(again.target(), "SELECT a FROM kept"), "yes");
    assert_eq!(value(again.target(), "SHOW fsync"), "on");
    assert_eq!(value(again.target(), "SHOW listen_addresses"), "");
}

#[test]
fn several_runs_share_it_and_the_last_one_stops_it() {
    let (_folder, project) = project("shared");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run(open(&project).target(), "SELECT 1"));
        }
    });
    assert!(running(&project).is_none());
    let (first, second) = (open(&project), open(&project));
    assert!(matches!(Embedded::stop(&project, &Settings::default()), Err(Error::Busy(_))));
    drop(first);
    run(second.target(), "SELECT 1");
    drop(second);
    assert!(running(&project).is_none());
}

#[test]
fn its_programs_come_by_the_ways_of_the_settings() {
    let (_folder, project) = project("fetched");
    let only = |way: &str| way.parse::<Settings>().unwrap();
    let offline = Settings { offline: true, cache: Some(project.join("cache")), ..only("download") };
    let error = Embedded::open(&project, &offline).unwrap_err().to_string();
    assert!(error.contains("download: cannot download PostgreSQL 18: `offline` is set"), "{error}");
    assert!(!project.join(".reconcile/pg").exists(), "nothing is made without programs");
    // Where nothing is installed, the newest version is downloaded.
    let used = Embedded::open(&project, &only("download")).unwrap();
    assert_eq!(value(used.target(), "SELECT split_part(current_setting('server_version'), '.', 1)"), "18");
    drop(used);
    // Its data stays with its version, whatever is installed.
    assert!(value(open(&project).target(), "SELECT version()").starts_with("PostgreSQL 18"));
}

#[test]
fn it_can_be_kept_up_for_an_application() {
    let (_folder, project) = project("app");
    let settings = Settings::default();
    assert!(!Embedded::stop(&project, &settings).unwrap());
    let started = Embedded::start_detached(&project, &settings, None).unwrap();
    assert!(started.kept() && started.tcp_url().is_none());
    drop(open(&project));
    assert!(running(&project).unwrap().kept());
    run(started.target(), "SELECT 1");
    assert!(Embedded::stop(&project, &settings).unwrap());
    assert!(!Embedded::stop(&project, &settings).unwrap());

    // Kept up while in use, it stays; after a crash the mark is void.
    let used = open(&project);
    Embedded::start_detached(&project, &settings, None).unwrap();
    drop(used);
    assert!(running(&project).unwrap().kept());
    kill(server_of(&project), Signal::SIGKILL).unwrap();
    while running(&project).is_some() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    drop(open(&project));
    assert!(running(&project).is_none());
}

#[test]
fn over_tcp_it_asks_for_the_password_of_the_password_file() {
    let (_folder, project) = project("tcp");
    let settings = Settings::default();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let plain = Embedded::start_detached(&project, &settings, None).unwrap();
    assert!(plain.tcp_url().is_none());
    let started = Embedded::start_detached(&project, &settings, Some(port)).unwrap();
    let url = started.tcp_url().unwrap();
    assert_eq!(url, format!("postgres://postgres@127.0.0.1:{port}/tcp"));
    assert!(Target::resolve(Some(&url), &Environment::default()).unwrap().connect().is_err());
    let passfile = started.passfile().to_str().unwrap();
    run(&Target::resolve(Some(&url), &Environment::of([("PGPASSFILE", passfile)])).unwrap(), "SELECT 1");
    // The private socket is named after the port, and found all the same.
    run(open(&project).target(), "SELECT 1");
    let used = open(&project);
    let other = port.wrapping_add(1).max(1024);
    assert!(matches!(Embedded::start_detached(&project, &settings, Some(other)), Err(Error::Busy(_))));
    drop(used);
    assert!(Embedded::stop(&project, &settings).unwrap());
}

#[test]
fn a_long_path_has_its_socket_elsewhere() {
    let (_folder, project) = project(&"long".repeat(30));
    let used = open(&project);
    assert!(used.target().url().contains("host=/tmp/reconcile-"), "{}", used.target());
    run(used.target(), "SELECT 1");
    let host = PathBuf::from(used.target().variables()[0].1.clone());
    assert_eq!(host.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    drop(used);
    std::fs::remove_dir_all(host).unwrap();
}

#[test]
fn a_project_that_the_servers_user_cannot_enter_has_its_data_in_the_cache() {
    let (_folder, project) = project("private");
    let cache = TempDir::new().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&project, std::fs::Permissions::from_mode(0o700)).unwrap();
    let settings = Settings { cache: Some(cache.path().to_owned()), ..Settings::default() };
    let used = Embedded::open(&project, &settings).unwrap();
    run(used.target(), "CREATE TABLE kept ()");
    drop(used);
    let in_cache = cache.path().join("projects").exists();
    assert_eq!(in_cache, nix::unistd::geteuid().is_root());
    assert_eq!(project.join(".reconcile/pg").exists(), !in_cache);
    // Where the data is stays known when the configuration changes.
    run(open(&project).target(), "SELECT FROM kept");
    if in_cache {
        // A copy of the project is another project.
        let copy = project.with_file_name("copy");
        let copied = Command::new("cp").arg("-R").args([&project, &copy]).status().unwrap();
        assert!(copied.success());
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o700)).unwrap();
        let other = Embedded::open(&copy, &settings).unwrap();
        assert!(other.target().connect().unwrap().batch_execute("SELECT FROM kept").is_err());
    }
}

/// Another process that uses a project's server.
fn hold(project: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "embedded::it_is_made_started_and_stopped_on_demand_and_keeps_its_data", "--nocapture"])
        .env(HOLD, project)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    lines.map_while(Result::ok).find(|line| line == "holding").expect("the run starts");
    child
}

#[test]
fn interrupted_runs_stop_it_and_killed_ones_leave_that_to_the_next() {
    let (_folder, project) = project("held");
    let mut child = hold(&project);
    assert!(running(&project).is_some());
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
    child.wait().unwrap();
    assert!(running(&project).is_none());

    let mut child = hold(&project);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(running(&project).is_some_and(|running| !running.kept()));
    run(open(&project).target(), "SELECT 1");
    assert!(running(&project).is_none());
}
