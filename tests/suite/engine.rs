//! The ways to a scratch PostgreSQL, each of them real.

use crate::postgres::Postgres;
use crate::server::{majors, server};
use reconcile::engine::{Engine, Error, Settings, Spec, Way};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use tempfile::TempDir;

/// A folder that the user who runs PostgreSQL for root can read.
fn open_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn only(way: Way) -> Settings {
    Settings { order: vec![way], ..Settings::default() }
}

fn databases(server: &Postgres) -> Vec<String> {
    let rows =
        server.admin().connect().unwrap().query("SELECT datname::text FROM pg_database ORDER BY 1", &[]).unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn every_major_version_starts_and_holds_databases() {
    for major in majors() {
        let engine = server(major);
        assert!(engine.owned() && engine.major() == major);
        assert!(engine.describe().starts_with(&format!("PostgreSQL {major}.")), "{}", engine.describe());
        assert!(engine.available_extensions().unwrap().contains_key("plpgsql"));
        let scratch = engine.database(&Spec::default()).unwrap();
        let mut client = scratch.connect().unwrap();
        client.batch_execute("CREATE TABLE t AS SELECT 7 AS a").unwrap();
        drop(client);
        let copy = scratch.copy().unwrap();
        assert_eq!(copy.connect().unwrap().query_one("SELECT a FROM t", &[]).unwrap().get::<_, i32>(0), 7);
        let target = copy.target();
        drop(copy);
        assert_eq!(
            target.connect().err().and_then(|error| error.sqlstate().map(str::to_owned)).as_deref(),
            Some("3D000")
        );
        let open = scratch.connect().unwrap();
        assert!(matches!(scratch.copy(), Err(Error::InUse(_))));
        drop(open);
    }
}

#[test]
fn servers_do_not_run_as_root_and_nobody_else_reaches_them() {
    let scratch = server(majors()[0]).database(&Spec::default()).unwrap();
    let folder = folder_of(&scratch.target());
    let about = folder.metadata().unwrap();
    assert_ne!(about.uid(), 0);
    assert_eq!(about.permissions().mode() & 0o777, 0o700);
    let show =
        |name: &str| -> String { scratch.connect().unwrap().query_one(&format!("SHOW {name}"), &[]).unwrap().get(0) };
    assert_eq!(show("listen_addresses"), "");
    assert_eq!(show("fsync"), "off");
}

/// The folder in which a server of ours has its socket.
pub fn folder_of(target: &reconcile::connect::Target) -> PathBuf {
    let host = target.variables().into_iter().find_map(|(name, value)| (name == "PGHOST").then_some(value));
    PathBuf::from(host.unwrap())
}

#[test]
fn programs_are_found_in_named_folders() {
    let major = majors()[0];
    let bin = server(major).binaries().unwrap().folder.clone();
    let prefix = bin.parent().unwrap().to_owned();
    let several = prefix.parent().unwrap().to_owned();
    for folder in [&bin, &prefix, &several] {
        let settings = Settings { folders: vec![folder.clone()], ..only(Way::Found) };
        let engine = Engine::start(&settings, major, None).unwrap();
        assert_eq!(engine.binaries().unwrap().folder, bin.canonicalize().unwrap(), "{}", folder.display());
    }
}

#[test]
fn a_missing_version_is_told_with_every_place_and_every_way_out() {
    let folder = open_folder();
    let broken = folder.path().join("broken");
    std::fs::create_dir(&broken).unwrap();
    for program in ["postgres", "initdb"] {
        std::os::unix::fs::symlink("/bin/false", broken.join(program)).unwrap();
    }
    let folders = vec![folder.path().join("empty"), broken.clone()];
    let cache = Some(folder.path().join("cache"));
    let settings = Settings { folders: folders.clone(), cache, offline: true, ..Settings::default() };
    let error = Engine::start(&settings, 99, None).unwrap_err();
    let text = error.to_string();
    for wanted in [
        "no scratch PostgreSQL 99 could be had",
        "programs on this machine: no PostgreSQL 99 in any of these places",
        &format!("{}: not there", folders[0].display()),
        &format!("{}: `postgres --version` says: ", broken.display()),
        "/usr/lib/postgresql/99/bin: not there",
        "/usr/pgsql-99/bin: not there",
        "/opt/homebrew/opt/postgresql@99/bin: not there",
        "/Applications/Postgres.app/Contents/Versions/99/bin: not there",
        "download: cannot download PostgreSQL 99: `offline` is set",
    ] {
        assert!(text.contains(wanted), "{wanted}\n{text}");
    }
    let hints = error.hints().join("\n");
    for wanted in
        ["install it", "engine: {folders", "engine: {offline: false}", "--engine postgres://", "--engine target"]
    {
        assert!(hints.contains(wanted), "{wanted}\n{hints}");
    }
    assert!(!folder.path().join("cache/postgresql").exists());
}

#[test]
fn a_version_that_nobody_publishes_is_no_panic() {
    let cache = open_folder();
    let settings = Settings { cache: Some(cache.path().to_owned()), ..only(Way::Download) };
    let text = Engine::start(&settings, 99, None).unwrap_err().to_string();
    assert!(text.contains("cannot download PostgreSQL 99: "), "{text}");
}

#[test]
fn programs_are_downloaded_once_into_a_cache_that_parallel_runs_share() {
    let cache = open_folder();
    let settings = Settings { cache: Some(cache.path().to_owned()), ..only(Way::Download) };
    std::thread::scope(|scope| {
        let start = || {
            let engine = Engine::start(&settings, 18, None).unwrap();
            engine.database(&Spec::default()).unwrap().connect().unwrap().batch_execute("SELECT 1").unwrap();
        };
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        runs.into_iter().for_each(|run| run.join().unwrap());
    });
    let names = |folder: &str| -> Vec<String> {
        let entries = std::fs::read_dir(cache.path().join(folder)).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".lock")).collect()
    };
    assert!(matches!(names("postgresql").as_slice(), [one] if one.starts_with("18.")), "{:?}", names("postgresql"));
    assert!(matches!(names("clusters").as_slice(), [one] if one.starts_with("18.")), "{:?}", names("clusters"));
    // From now on no network is needed.
    let offline = Settings { offline: true, ..settings };
    assert_eq!(Engine::start(&offline, 18, None).unwrap().major(), 18);
    let engine = Engine::start(&Settings { offline: false, ..offline }, 14, None).unwrap();
    assert!(engine.describe().starts_with("PostgreSQL 14."), "{}", engine.describe());
}

#[test]
fn a_cache_that_the_servers_user_cannot_read_is_refused() {
    let cache = TempDir::new().unwrap();
    std::fs::set_permissions(cache.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let settings = Settings { cache: Some(cache.path().join("below")), ..Settings::default() };
    let started = Engine::start(&settings, majors()[0], None);
    if nix::unistd::geteuid().is_root() {
        let text = started.unwrap_err().to_string();
        assert!(text.contains("cannot be read by user"), "{text}");
    } else {
        started.unwrap();
    }
}

#[test]
fn a_server_that_the_user_names_holds_scratch_databases() {
    let theirs = Postgres::start("host all all 127.0.0.1/32 trust", &[], &[]);
    theirs.run("CREATE ROLE bob LOGIN CREATEDB; CREATE ROLE app; GRANT app TO bob; CREATE ROLE eve LOGIN");
    let before = databases(&theirs);
    let major = theirs.major();
    let bob = Way::Server(Box::new(theirs.tcp("user=bob")));
    let engine = Engine::start(&only(bob.clone()), major, None).unwrap();
    assert!(!engine.owned());
    assert!(engine.describe().contains("scratch server postgres://bob@127.0.0.1:"), "{}", engine.describe());

    // The role that the target's role is called like, where the user may act as it.
    for (wanted, got) in [("app", "app"), ("bob", "bob"), ("postgres", "bob"), ("nobody_here", "bob")] {
        let scratch = engine.database(&Spec { role: wanted.to_owned(), ..Spec::default() }).unwrap();
        let row = scratch.connect().unwrap().query_one("SELECT current_user::text", &[]).unwrap();
        assert_eq!(row.get::<_, &str>(0), got);
        assert_eq!(scratch.role(), got);
        scratch.connect().unwrap().batch_execute("CREATE SCHEMA s; CREATE TABLE s.t (a int)").unwrap();
        let copy = scratch.copy().unwrap();
        copy.connect().unwrap().batch_execute("SELECT a FROM s.t").unwrap();
        assert!(copy.name().starts_with(&format!("reconcile_scratch_{}_", std::process::id())));
        assert!(scratch.lender().unwrap().is_none());
    }
    assert_eq!(databases(&theirs), before);

    let version = Engine::start(&only(bob.clone()), major + 1, None).unwrap_err();
    assert!(matches!(version, Error::Version { .. }), "{version}");
    assert!(version.hints()[0].contains(&format!("version {}", major + 1)));
    let eve = Engine::start(&only(Way::Server(Box::new(theirs.tcp("user=eve")))), major, None).unwrap();
    let refused = eve.database(&Spec::default()).unwrap_err();
    assert!(refused.hints()[0].contains("CREATEDB"), "{refused} {:?}", refused.hints());
    // With another way behind it, a server that fails is one attempt among others.
    let mut settings = Settings { order: vec![bob, Way::Found, Way::Download], ..Settings::default() };
    drop(theirs);
    assert!(Engine::start(&settings, majors()[0], None).unwrap().owned());
    settings.order.truncate(1);
    assert!(matches!(Engine::start(&settings, major, None), Err(Error::Connect(_))));
}

#[test]
fn the_target_server_may_hold_scratch_databases() {
    let theirs = Postgres::start("host all all 127.0.0.1/32 trust", &[], &[]);
    theirs.run("CREATE ROLE bob LOGIN CREATEDB");
    theirs.run("CREATE DATABASE shop OWNER bob");
    let target = theirs.tcp("user=bob dbname=shop");
    let spec = Spec::of(&mut target.connect().unwrap()).unwrap();
    let engine = Engine::start(&only(Way::Target), theirs.major(), Some(&target)).unwrap();
    let scratch = engine.database(&spec).unwrap();
    let found = Spec::of(&mut scratch.connect().unwrap()).unwrap();
    assert_eq!(found, spec);
    drop(scratch);
    assert!(databases(&theirs).iter().all(|name| !name.starts_with("reconcile_")));
    assert!(Engine::start(&only(Way::Target), theirs.major(), None).is_err());
}

#[test]
fn scratch_databases_of_killed_runs_are_dropped_and_others_are_not() {
    let theirs = Postgres::start("host all all 127.0.0.1/32 trust", &[], &[]);
    let (dead, locked, used) =
        ("reconcile_scratch_1_00000000000a", "reconcile_scratch_1_00000000000b", "reconcile_scratch_1_00000000000c");
    let similar = "reconcile_scratch_of_mine";
    for name in [dead, locked, used, similar] {
        theirs.run(&format!("CREATE DATABASE {name}"));
    }
    let mut owner = theirs.admin().connect().unwrap();
    owner.batch_execute(&format!("SELECT pg_advisory_lock(hashtextextended('{locked}', 0))")).unwrap();
    let session = theirs.admin().with_database(used).connect().unwrap();
    let place = Way::Server(Box::new(theirs.tcp("user=postgres")));
    let engine = Engine::start(&only(place.clone()), theirs.major(), None).unwrap();
    let mine = engine.database(&Spec::default()).unwrap();
    let _other = Engine::start(&only(place), theirs.major(), None).unwrap();
    let names = databases(&theirs);
    let there = |name: &str| names.iter().any(|found| found == name);
    assert!(!there(dead) && there(locked) && there(used) && there(similar) && there(mine.name()), "{names:?}");
    drop(session);
}

#[test]
fn engines_are_chosen_by_one_word() {
    let ways = |text: &str| {
        text.parse::<Settings>().map(|settings| settings.order.iter().map(Way::to_string).collect::<Vec<_>>())
    };
    assert_eq!(ways("auto").unwrap(), ["programs on this machine", "download"]);
    assert_eq!(ways("installed").unwrap(), ["programs on this machine"]);
    assert_eq!(ways("target").unwrap(), ["target server"]);
    assert_eq!(ways("postgres://bob:pw@db/x").unwrap(), ["scratch server postgres://bob@db/x"]);
    assert!(ways("sometimes").unwrap_err().to_string().contains("expected `auto`, `target`"));
}
