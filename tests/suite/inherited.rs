//! Partitions, children and typed tables as inspect prints them: all that their fixtures have, side by side in one database.

use std::path::Path;

use reconcile::{engine::Spec, plan::describe};

use crate::{
    fixtures::with_name,
    project::Project,
    server::{majors, server},
};

/// Every schema of these fixtures that any version takes without a superuser, each in a schema of its own.
fn schemas() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for kind in ["partition", "inheritance", "typed_table"] {
        let mut cases: Vec<_> =
            std::fs::read_dir(root.join(kind)).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.sort();
        for case in cases {
            let [before, after] =
                ["before.sql", "after.sql"].map(|side| std::fs::read_to_string(case.join(side)).unwrap());
            let global = ["-- majors", "-- superuser", "CREATE EXTENSION", "CREATE PUBLICATION"];
            if !global.iter().any(|word| before.contains(word) || after.contains(word)) {
                found.extend([before, after]);
            }
        }
    }
    let apart = |(number, sql): (usize, &String)| with_name(sql, "app", &format!("app_{number}"));
    found.iter().enumerate().map(apart).collect()
}

#[test]
fn what_inspect_prints_of_partitions_and_children_leaves_nothing_to_plan() {
    let roles = ["app_reader", "app_writer"].map(str::to_owned).to_vec();
    let spec = Spec { role: "inspector_of_partitions".to_owned(), roles, ..Spec::default() };
    let schemas = schemas();
    assert!(schemas.len() > 80, "only {} schemas", schemas.len());
    for major in majors() {
        let database = server(major).database(&spec).unwrap();
        let mut client = database.connect().unwrap();
        for schema in &schemas {
            client.batch_execute(schema).unwrap_or_else(|error| panic!("{}\n{schema}", describe(&error)));
        }
        let project = Project::new().on(&database);
        project.run(["inspect", "-o", "schema.sql"]).code(0);
        let text = project.read("schema.sql");
        for form in [" ATTACH PARTITION ", ") PARTITION BY LIST (", "\n) INHERITS (", " OF app_"] {
            assert!(text.contains(form), "{major}: {form} is not in\n{text}");
        }
        project.run(["plan", "--manage", "all"]).code(0).stdout_has("Nothing to do");
    }
}
