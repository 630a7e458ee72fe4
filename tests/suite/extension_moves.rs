//! Extensions that move to another schema, where fixtures cannot show it: beside what is not managed, and on targets whose
//! owner is no superuser.

use reconcile::{
    engine::{Engine, Scratch, Spec},
    plan::describe,
};

use crate::{
    project::Project,
    server::{majors, server, trusting_server},
};

/// A database with an extension in schema `old`, made by its owner.
fn database(engine: &'static Engine) -> Scratch {
    let database = engine.database(&Spec { role: "mover".to_owned(), ..Spec::default() }).unwrap();
    execute(&database, "CREATE SCHEMA old; CREATE EXTENSION citext SCHEMA old; CREATE TABLE public.t (v old.citext)");
    database
}

fn execute(database: &Scratch, sql: &str) {
    let mut client = database.connect().unwrap();
    client.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {}", describe(&error)));
}

/// What moves the extension.
const GOAL: &str =
    "CREATE SCHEMA new; CREATE EXTENSION citext SCHEMA new; CREATE TABLE public.t (v new.citext, more int);";

#[test]
fn what_nobody_manages_stays_as_it_is_when_an_extension_moves() {
    for major in majors() {
        let database = database(trusting_server(major));
        execute(
            &database,
            "CREATE SCHEMA other; CREATE VIEW other.v AS SELECT v FROM public.t WHERE v = 'x'::old.citext",
        );
        let project = Project::new().on(&database).schema(GOAL);
        let told = project.run(["apply", "--yes"]).code(0).stdout_has("ALTER EXTENSION citext SET SCHEMA new").stdout();
        assert!(!told.contains("VIEW"), "{told}");
        project.run(["plan"]).code(0).stdout_has("Nothing to do");
        execute(&database, "SELECT FROM other.v");
    }
}

#[test]
fn a_plan_tells_that_only_a_superuser_moves_what_belongs_to_one() {
    for major in majors() {
        let database = database(server(major));
        let project = Project::new().on(&database).schema(GOAL);
        let told = "! may fail: the extension or members of it belong to reconcile_engine, and only their owner or a superuser moves them";
        project.run(["plan"]).code(2).stdout_has("ALTER EXTENSION citext SET SCHEMA new").stdout_has(told);
        project.run(["apply", "--yes"]).code(1).stderr_has("must be owner of");
        let mut admin = database.admin().unwrap();
        admin.batch_execute("CREATE SCHEMA new AUTHORIZATION mover; ALTER EXTENSION citext SET SCHEMA new").unwrap();
        project.run(["apply", "--yes"]).code(0).stdout_has("ADD COLUMN more integer");
    }
}
