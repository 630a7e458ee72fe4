//! Schemas that others wrote, as Debian's packages ship them: they come and go, are inspected, and are upgraded as by their own
//! scripts.
//!
//! `tests/run` fetches them; without them these tests say so and do nothing.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use reconcile::{
    catalog,
    engine::Spec,
    plan::{describe, file::Plan},
};

use crate::{migration::Texts, project::Project, server::server};

/// Apart from the workers of other tests, which may run at the same time.
const WORKER: usize = 30;

/// The package and the file of each schema.
const SCHEMAS: &[(&str, &str)] = &[
    ("zabbix-server-pgsql", "zabbix-server-pgsql/schema.sql"),
    ("kea-admin", "kea/scripts/pgsql/dhcpdb_create.pgsql"),
    ("icinga2-ido-pgsql", "icinga2-ido-pgsql/schema/pgsql.sql"),
    ("pdns-backend-pgsql", "pdns-backend-pgsql/schema/schema.pgsql.sql"),
    ("roundcube-core", "roundcube/SQL/postgres.initial.sql"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/real")
}

/// A file of a package, below its `/usr/share`.
fn file(package: &str, path: &str) -> String {
    let path = root().join(package).join("usr/share").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

fn is_here() -> bool {
    let here = root().is_dir();
    if !here {
        println!("no schemas of Debian's packages are here: they are not tested (tests/run fetches them)");
    }
    here
}

/// The version to test on: the first one of `MAJORS`.
fn major() -> u32 {
    std::env::var("MAJORS").ok().and_then(|text| text.split([',', ' ']).next()?.parse().ok()).unwrap_or(15)
}

/// Migrates from what a script makes, rows included, to what a schema says.
fn migrate(worker: usize, script: &str, goal: &str) -> Result<Plan, String> {
    let texts = Texts { start: String::new(), goal: goal.to_owned(), rows: script.to_owned() };
    texts.migrate(major(), false, WORKER + worker)
}

/// Does something with every item, two at a time; the failures by name.
fn each<T: Sync>(items: &[(String, T)], act: impl Fn(usize, &T) -> Result<(), String> + Sync) {
    let failures: BTreeMap<String, String> = std::thread::scope(|scope| {
        let act = &act;
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let part = items.iter().skip(worker).step_by(2);
                scope.spawn(move || {
                    part.filter_map(|(name, it)| Some((name.clone(), act(worker, it).err()?))).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let report: Vec<String> = failures.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    assert!(report.is_empty(), "{} of {} failed:\n{}", report.len(), items.len(), report.join("\n"));
}

#[test]
fn real_schemas_come_from_nothing_and_go_back_to_nothing() {
    if !is_here() {
        return;
    }
    let schemas: Vec<(String, String)> =
        SCHEMAS.iter().map(|(package, path)| ((*package).to_owned(), file(package, path))).collect();
    each(&schemas, |worker, schema| {
        migrate(worker, "", schema).map_err(|error| format!("from nothing: {error}"))?;
        migrate(worker, schema, "").map_err(|error| format!("back to nothing: {error}"))?;
        Ok(())
    });
}

#[test]
fn what_inspect_says_of_real_schemas_leaves_nothing_to_plan() {
    if !is_here() {
        return;
    }
    for (number, (package, path)) in SCHEMAS.iter().enumerate() {
        let spec = Spec { role: format!("inspector_{number}"), ..Spec::default() };
        let database = server(major()).database(&spec).unwrap();
        let mut client = database.connect().unwrap();
        client.batch_execute(&file(package, path)).unwrap_or_else(|error| panic!("{package}: {}", describe(&error)));
        let project = Project::new().on(&database);
        let schema = project.run(["inspect"]).code(0).stdout();
        assert!(schema.contains("CREATE TABLE"), "{package}: {schema}");
        let project = project.file("schema.sql", &schema);
        project.run(["plan", "--manage", "all"]).code(0);
    }
}

/// The upgrades of a package: for each its name, the script that makes the state before it with rows in it, and the script.
type Upgrades = Vec<(String, (String, String))>;

/// Kea's script makes the first version and upgrades it step by step; each step is a script of its own, too.
fn upgrades_of_kea() -> Upgrades {
    let create = file("kea-admin", "kea/scripts/pgsql/dhcpdb_create.pgsql");
    let folder = root().join("kea-admin/usr/share/kea/scripts/pgsql");
    let mut scripts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("upgrade_"))
        .collect();
    scripts.sort();
    let first = create.find("INSERT INTO schema_version").unwrap();
    let steps = create.match_indices("UPDATE schema_version").map(|(at, _)| at);
    let ends = std::iter::once(first).chain(steps).map(|at| at + create[at..].find(';').unwrap() + 1);
    let upgrade = |(name, end): (String, usize)| {
        let script = file("kea-admin", &format!("kea/scripts/pgsql/{name}"));
        let (_, text) = script.split_once("<<EOF\n").unwrap();
        let (text, _) = text.split_once("\nEOF\n").unwrap();
        // A shell takes these backslashes away.
        let text = text.replace("\\$", "$").replace("\\`", "`").replace("\\\\", "\\");
        (name, (format!("{}\nCOMMIT;\n", &create[..end]), text))
    };
    scripts.into_iter().zip(ends).map(upgrade).collect()
}

/// The upgrades whose state before is made of the newest one by taking them back: `real/<package>.sql` has a part for each,
/// the newest first, under `-- undo FILE`; what follows `-- rows` goes into every state.
fn upgrades_of(package: &str, schema: &str, folder: &str, undo: &str) -> Upgrades {
    let (undo, rows) = undo.split_once("-- rows\n").unwrap();
    let mut before = file(package, schema);
    let mut upgrades = Vec::new();
    for part in undo.split("-- undo ").skip(1) {
        let (name, statements) = part.split_once('\n').unwrap();
        before.push_str(statements);
        upgrades.push((
            format!("{package} {name}"),
            (format!("{before}{rows}"), file(package, &format!("{folder}/{name}"))),
        ));
    }
    upgrades
}

/// What a database holds once a script has run as it is written.
fn definitions(worker: usize, script: &str) -> BTreeMap<String, String> {
    let spec = Spec { role: format!("owner_{}", WORKER + worker), ..Spec::default() };
    let database = server(major()).database(&spec).unwrap();
    let mut client = database.connect().unwrap();
    client.batch_execute(script).unwrap_or_else(|error| panic!("{}", describe(&error)));
    let catalog = catalog::read(&mut client, "reconcile").unwrap();
    catalog.iter().map(|(id, object)| (id.to_string(), object.to_json().to_string())).collect()
}

#[test]
fn upgrades_of_real_schemas_are_planned_as_they_are_written() {
    if !is_here() {
        return;
    }
    let mut upgrades = upgrades_of_kea();
    upgrades.extend(upgrades_of(
        "pdns-backend-pgsql",
        "pdns-backend-pgsql/schema/schema.pgsql.sql",
        "pdns-backend-pgsql/schema",
        include_str!("real/pdns.sql"),
    ));
    upgrades.extend(upgrades_of(
        "roundcube-core",
        "roundcube/SQL/postgres.initial.sql",
        "roundcube/SQL/postgres",
        include_str!("real/roundcube.sql"),
    ));
    upgrades.extend(upgrades_of(
        "icinga2-ido-pgsql",
        "icinga2-ido-pgsql/schema/pgsql.sql",
        "icinga2-ido-pgsql/schema/upgrade",
        include_str!("real/icinga.sql"),
    ));
    let only = std::env::var("UPGRADES").unwrap_or_default();
    upgrades.retain(|(name, _)| name.contains(&only));
    each(&upgrades, |worker, (before, script)| {
        let after = format!("{before}\n{script}");
        let plan = migrate(worker, before, &after)?;
        // Some scripts are about rows only.
        let says = definitions(worker, before) != definitions(worker, &after);
        if says == plan.is_empty() { Err(format!("{} statements were planned", plan.steps.len())) } else { Ok(()) }
    });
}

/// Extensions that need settings of the server, or that stand for another one.
const APART: &[&str] = &["plpgsql", "pg_cron"];

#[test]
fn what_contrib_extensions_bring_along_stays_untouched() {
    let engine = server(major());
    let database = engine.database(&Spec { role: "contributor".to_owned(), ..Spec::default() }).unwrap();
    let mut admin = database.admin().unwrap();
    let mut extensions = Vec::new();
    for name in engine.available_extensions().unwrap().into_keys().filter(|name| !APART.contains(&name.as_str())) {
        let create = format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE");
        // Some need a language or a library that this machine lacks.
        if admin.batch_execute(&create).is_ok() {
            extensions.push(name);
        }
    }
    assert!(extensions.len() > 20, "only {extensions:?} could be created");
    let members =
        "SELECT count(*), md5(string_agg(pg_describe_object(classid, objid, objsubid), ',' ORDER BY classid, objid))
        FROM pg_depend WHERE deptype = 'e'";
    let before: (i64, String) = admin.query_one(members, &[]).map(|row| (row.get(0), row.get(1))).unwrap();
    let own = "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, words hstore, name citext, place ltree);
        CREATE INDEX ON app.t USING gist (words);";
    database.connect().unwrap().batch_execute(own).unwrap();
    let project = Project::new().on(&database).variable("RECONCILE_TRUST", "full");
    let schema = project.run(["inspect"]).code(0).never_says("hstore_in").stdout();
    assert_eq!(schema.matches("CREATE EXTENSION").count(), extensions.len(), "{schema}");
    assert_eq!(schema.matches("CREATE TABLE").count(), 1, "{schema}");
    let project = project.file("schema.sql", &schema);
    project.run(["plan", "--manage", "all"]).code(0);
    let more = format!("{schema}\nALTER TABLE app.t ADD COLUMN more hstore;\nDROP INDEX app.t_words_idx;");
    let project = project.file("schema.sql", &more);
    project.run(["apply", "--yes", "--manage", "all"]).code(0).stdout_has("2 statements");
    let after: (i64, String) = admin.query_one(members, &[]).map(|row| (row.get(0), row.get(1))).unwrap();
    assert_eq!(before, after);
}

/// The folder of a PostgreSQL that has PostGIS, and the libraries that it needs.
fn postgis() -> Option<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/postgis");
    let programs = root.join("usr/lib/postgresql/15/bin");
    if !programs.is_dir() {
        println!("no PostGIS is here: it is not tested (tests/run fetches it)");
        return None;
    }
    let libraries = std::fs::read_dir(root.join("usr/lib")).unwrap().map(|entry| entry.unwrap().path());
    let folders = libraries.flat_map(|folder| [folder.clone(), folder.join("blas"), folder.join("lapack")]);
    let folders: Vec<String> = folders.filter(|it| it.is_dir()).map(|it| it.display().to_string()).collect();
    Some((programs, folders.join(":")))
}

#[test]
fn what_postgis_brings_along_stays_untouched() {
    let Some((programs, libraries)) = postgis() else { return };
    let schema = "CREATE EXTENSION postgis;
        CREATE SCHEMA app;
        CREATE TABLE app.places (id integer PRIMARY KEY, name text NOT NULL, at public.geometry(Point, 4326));
        CREATE INDEX places_at ON app.places USING gist (at);
        CREATE VIEW app.near AS
            SELECT id, public.st_distance(at, public.st_setsrid(public.st_makepoint(0, 0), 4326)) AS away FROM app.places;";
    let project = Project::new()
        .file("schema.sql", schema)
        .variable("RECONCILE_ENGINE_FOLDERS", &programs.display().to_string())
        .variable("LD_LIBRARY_PATH", &libraries);
    project.run(["apply", "--yes"]).code(0).stdout_has("CREATE EXTENSION postgis");
    project.run(["plan"]).code(0);
    project.run(["plan", "--manage", "all"]).code(0);
    let inspected = project.run(["inspect"]).code(0).never_says("spatial_ref_sys").stdout();
    let project = project.file("schema.sql", &inspected);
    project.run(["plan", "--manage", "all"]).code(0);
    let other = schema.replace("Point, 4326", "Point, 3857").replace("makepoint(0, 0), 4326", "makepoint(0, 0), 3857");
    let project = project.file("schema.sql", &other);
    project.run(["apply", "--yes", "--manage", "all"]).code(0).stdout_has("geometry(Point,3857)");
    project.run(["plan", "--manage", "all"]).code(0);
    let project = project.file("schema.sql", "");
    project
        .run(["apply", "--yes", "--manage", "all", "--allow-loss", "all"])
        .code(0)
        .stdout_has("DROP EXTENSION postgis");
}
