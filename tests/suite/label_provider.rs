//! A provider of security labels, which no stock server has: compiled here once for each version, and loaded by the servers of
//! tests at their start.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex},
};

use reconcile::{
    catalog::Digest,
    engine::{Scratch, Spec},
};

use crate::{
    project::Project,
    server::{majors, server},
};

/// Its source; the library's name has a sum over it, so that another source is compiled anew.
const SOURCE: &str = include_str!("label_provider/provider.rs");

/// Where root puts it when the account that runs its servers cannot reach the build's own folder.
const OF_ROOT: &str = "/var/cache/reconcile";

/// The library for servers of a version, compiled unless it is there.
pub fn library(major: u32) -> PathBuf {
    static COMPILING: Mutex<()> = Mutex::new(());
    let library = folder().join(format!("label_provider-{major}-{}.so", Digest::of(SOURCE).short()));
    let _one_at_a_time = COMPILING.lock().expect("whoever failed to compile it has said so");
    if !library.exists() {
        compile(major, &library);
    }
    library
}

fn compile(major: u32, library: &Path) {
    // Another process may do the same: each makes a file of its own, and puts it in place whole.
    let made = tempfile::Builder::new().tempfile_in(library.parent().unwrap()).unwrap().into_temp_path();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/label_provider/provider.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "-C",
            "panic=abort",
            "-C",
            "opt-level=s",
            "-C",
            "strip=symbols",
        ])
        // What is called in the server is found when the server loads the library.
        .args(if cfg!(target_os = "macos") { ["-C", "link-arg=-Wl,-undefined,dynamic_lookup"].as_slice() } else { &[] })
        .args(["--check-cfg", "cfg(major, values(any()))", "--cfg", &format!("major=\"{major}\""), "-o"])
        .args([made.as_ref(), source.as_path()])
        .output()
        .unwrap_or_else(|why| panic!("{rustc:?}, which compiles the label provider of tests: {why}"));
    assert!(output.status.success(), "the label provider of tests: {}", String::from_utf8_lossy(&output.stderr));
    fs::set_permissions(&made, fs::Permissions::from_mode(0o755)).unwrap();
    made.persist(library).unwrap();
}

/// A folder that the account which runs servers can read.
fn folder() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let own = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let open = |folder: &Path| folder.metadata().is_ok_and(|about| about.mode() & 0o001 != 0);
        let by_root = nix::unistd::geteuid().is_root();
        let folder = if by_root && !own.ancestors().all(open) { Path::new(OF_ROOT) } else { own };
        fs::create_dir_all(folder).unwrap();
        folder.to_owned()
    });
    &FOLDER
}

/// What a project is told whose scratch server has no provider.
const HINT: &str = "engine: {preload: [LIBRARY]}; or name a server that has it: --engine URL";

/// A schema, and a label on it.
const LABELLED: &str = "CREATE SCHEMA app;\nSECURITY LABEL FOR guard ON SCHEMA app IS 'secret';\n";

fn database(major: u32) -> Scratch {
    server(major).database(&Spec { role: "labeller".to_owned(), ..Spec::default() }).unwrap()
}

#[test]
fn a_scratch_server_without_the_provider_says_where_the_label_stands_and_what_to_do() {
    let database = database(majors()[0]);
    let project = Project::new().on(&database).schema(LABELLED);
    project
        .run(["plan"])
        .code(1)
        .stderr_has("schema.sql:2:")
        .stderr_has("provider \"guard\" is not loaded")
        .stderr_has(HINT);
}

#[test]
fn labels_of_the_target_alone_say_it_too() {
    let database = database(majors()[0]);
    database.connect().unwrap().batch_execute(LABELLED).unwrap();
    let project = Project::new().on(&database).schema("CREATE SCHEMA app; CREATE TABLE app.t ();");
    project.run(["plan"]).code(1).stderr_has("provider \"guard\" is not loaded").stderr_has(HINT);
}

#[test]
fn labels_on_roles_say_it_too() {
    let database = database(majors()[0]);
    let project = Project::new().on(&database).config("manage: {roles: true}\n");
    project.write("schema.sql", "CREATE ROLE labelled;\nSECURITY LABEL FOR guard ON ROLE labelled IS 'secret';\n");
    project
        .run(["plan"])
        .code(1)
        .stderr_has("schema.sql:2:1: SECURITY LABEL ON ROLE labelled: security label provider \"guard\" is not loaded")
        .stderr_has(HINT);
}

#[test]
fn the_library_of_a_provider_is_named_in_the_configuration() {
    let major = majors()[0];
    let database = database(major);
    let preload = format!("engine: {{preload: ['{}']}}\n", library(major).display());
    let project = Project::new().on(&database).schema(LABELLED).config(&preload);
    project.run(["apply", "--yes"]).code(0);
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
    let inspected =
        project.run(["inspect"]).code(0).stdout_has("SECURITY LABEL FOR guard ON SCHEMA app IS 'secret';").stdout();
    project.write("schema.sql", &inspected);
    project.run(["plan"]).code(0).stdout_has("Nothing to do");
}

#[test]
fn the_projects_own_server_loads_the_library_as_well() {
    let preload = format!("engine: {{order: [download], preload: ['{}']}}\n", library(18).display());
    let project = Project::new().schema(LABELLED).config(&preload);
    project.run(["apply", "--yes"]).code(0);
}
