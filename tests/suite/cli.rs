//! The program as a user sees it: arguments, configuration, exit codes, and the commands that need no server.

use std::process::Stdio;

use crate::{plans, project::Project};

const COMMANDS: [&str; 9] = ["init", "inspect", "plan", "show", "apply", "log", "db", "completions", "man"];

#[test]
fn help_tells_the_exit_codes_for_every_command() {
    let project = Project::new();
    project
        .run(["--help"])
        .code(0)
        .stdout_has("0 nothing to do, 2 changes planned, 1 error")
        .stdout_has("RECONCILE_DB");
    project.run(["plan", "--help"]).code(0).stdout_has("Exit status: 0 nothing to do, 2 changes planned, 1 error");
    for command in COMMANDS {
        let run = project.run([command, "--help"]).code(0).stdout_has("Exit status: 0").stdout_has("--schema <PATH>");
        run.stdout_has("--db <URL>").stdout_has("--engine").stdout_has("--config").stdout_has("--color");
    }
    project.run(["--version"]).code(0).stdout_has("reconcile 0.");
}

#[test]
fn a_wrong_usage_is_an_error_and_not_a_plan_with_changes() {
    let project = Project::new();
    project.run([]).code(1).stderr_has("Usage: reconcile");
    project.run(["destroy"]).code(1).stderr_has("unrecognized subcommand");
    project.run(["apply", "p.json", "--message", "m"]).code(1).stderr_has("cannot be used with");
    project.run(["show", "--format", "png", "x"]).code(1).stderr_has("[possible values: human, sql, json]");
}

#[test]
fn init_writes_a_configuration_that_can_be_read() {
    let project = Project::new();
    project.run(["init"]).code(0).stderr_has("wrote reconcile.yaml");
    assert!(project.read("reconcile.yaml").contains("schema: schema.sql\n"));
    project.write("plan.json", &plans::empty().to_json());
    project.run(["show", "plan.json"]).code(0).stdout_has("Nothing to do");
}

#[test]
fn init_overwrites_only_when_told() {
    let project = Project::new().config("ledger: mine\n").schema("CREATE SCHEMA app;");
    project.run(["init"]).code(1).stderr_has("refused: ").stderr_has("hint: --force overwrites it");
    assert_eq!(project.read("reconcile.yaml"), "ledger: mine\n");
    project.run(["init", "--force", "--schema", "db/app.sql"]).code(0);
    assert!(project.read("reconcile.yaml").contains("schema: db/app.sql\n"));
}

#[test]
fn show_gives_a_plan_in_three_formats() {
    let plan = plans::small();
    let project = Project::new().file("p.json", &plan.to_json());
    project.run(["show", "p.json"]).code(0).stdout_is(&reconcile::report::human(&plan, false));
    project.run(["show", "p.json", "--format", "sql"]).code(0).stdout_is(&reconcile::report::sql(&plan));
    project.run(["show", "p.json", "--format", "json"]).code(0).stdout_is(&plan.to_json());
    project.run_with(&plan.to_json(), ["show", "-"]).code(0).stdout_has("app.orders");
}

#[test]
fn show_finds_a_plan_by_its_revision() {
    let project = Project::new().file("db/plans/0123456789ab.json", &plans::small().to_json());
    project.run(["show", "0123456789ab"]).code(1).stderr_has("cannot read the plan 0123456789ab");
    project.write("reconcile.yaml", "plans: db/plans\n");
    project.run(["show", "0123456789ab"]).code(0).stdout_has("app.orders");
    project.run_in("db/plans", "", &["show", "0123456789ab"]).code(0).stdout_has("app.orders");
}

#[test]
fn show_refuses_what_is_not_a_plan_as_it_was_written() {
    let plan = plans::small().to_json();
    let project = Project::new().file("edited.json", &plan.replace("DROP TABLE app.old", "DROP TABLE app.new"));
    project.run(["show", "edited.json"]).code(1).stderr_has("has been changed after it was made");
    project.write("later.json", &plan.replacen("\"format\": 1", "\"format\": 99", 1));
    project.run(["show", "later.json"]).code(1).stderr_has("format 99").stderr_has("hint: make the plan again");
    project.write("other.json", "{]");
    project.run(["show", "other.json"]).code(1).stderr_has("not a plan").stderr_has("line 1 column 2");
    project
        .run(["show", "none.json"])
        .code(1)
        .stderr_has("none.json")
        .stderr_has("hint: `reconcile plan` writes plans");
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let project = Project::new().file("p.json", &plans::small().to_json());
    project.run(["show", "p.json"]).code(0).never_says("\u{1b}[");
    project.run(["show", "p.json", "--color", "always"]).code(0).stdout_has("\u{1b}[");
    project.run(["--color=always", "show", "none.json"]).code(1).stderr_has("\u{1b}[");
    let project = project.variable("RECONCILE_COLOR", "always");
    project.run(["show", "p.json"]).code(0).stdout_has("\u{1b}[");
    project.run(["show", "p.json", "--color", "never"]).code(0).never_says("\u{1b}[");
}

#[test]
fn a_configuration_that_means_nothing_is_an_error_with_its_place() {
    let project = Project::new().file("p.json", &plans::empty().to_json()).config("# ours\nplan: db\n");
    let run = project.run(["show", "p.json"]).code(1).stderr_has("error: reconcile.yaml:2:1: unknown key `plan`");
    run.stderr_has("hint: did you mean `plans`?").stderr_has("hint: known keys: db, schema, plans");
    project.write("reconcile.yaml", "db: postgres://u:${PW}@h/d\n");
    project.run(["show", "p.json"]).code(1).stderr_has("the environment variable PW is not set");
    project.run(["completions", "bash"]).code(0).stdout_has("reconcile");
    project.run(["show", "p.json", "--config", "none.yaml"]).code(1).stderr_has("cannot read none.yaml");
    let project = project.file("other.yaml", "ledger: x\n").variable("RECONCILE_CONFIG", "other.yaml");
    project.run(["show", "p.json"]).code(0).stdout_has("Nothing to do");
}

#[test]
fn completions_are_made_for_every_shell() {
    let project = Project::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        project.run(["completions", shell]).code(0).stdout_has("completions");
    }
    project.run(["completions", "cmd"]).code(1).stderr_has("possible values");
}

#[test]
fn man_prints_a_page_or_writes_one_per_command() {
    let project = Project::new();
    project.run(["man"]).code(0).stdout_has(".TH reconcile 1");
    project.run(["man", "--dir", "share/man1"]).code(0);
    let mut pages: Vec<_> = COMMANDS.iter().map(|name| format!("reconcile-{name}.1")).collect();
    pages.push("reconcile.1".to_owned());
    pages.sort_unstable();
    assert_eq!(project.names("share/man1"), pages);
    let page = project.read("share/man1/reconcile-show.1");
    assert!(page.contains("\\-\\-format") && page.contains("\\-\\-engine"), "{page}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::new().file("p.json", &plans::small().to_json());
    let mut command = project.command(".");
    // The reading end is closed before the program writes.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.args(["show", "p.json"]).stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
