//! What a configuration file, the environment and flags make together.

#![allow(clippy::unwrap_used)]

use super::*;

const PATH: &str = "/project/reconcile.yaml";

fn parsed(text: &str) -> Result<Config, Error> {
    with(text, Layer::default(), &Variables::default())
}

fn with(text: &str, flags: Layer, variables: &Variables) -> Result<Config, Error> {
    let layer = flags.over(variables.layer()?).over(file::parse(text, Path::new(PATH), variables)?);
    Ok(Config::decided(layer.at(Path::new("/project")), Some(PATH.into()), "/project".into()))
}

fn refused(text: &str) -> String {
    crate::error::Error::from(parsed(text).unwrap_err()).to_string()
}

#[test]
fn nothing_said_gives_the_defaults() {
    for text in ["", "# only a comment\n"] {
        let config = parsed(text).unwrap();
        assert_eq!(config.db, None);
        assert_eq!(config.schema, [PathBuf::from("/project/schema.sql")]);
        assert_eq!(config.plans, PathBuf::from("/project/plans"));
        assert_eq!(config.ledger, "reconcile");
        assert_eq!(config.manage.what, Managed::Declared);
        assert_eq!(config.engine, Engine::default());
    }
}

#[test]
fn every_key_is_read() {
    let config = parsed(
        "db: postgres://app@db.example/shop\n\
         schema: [./db/a.sql, db/x/../more]\n\
         plans: db/plans\n\
         ledger: history\n\
         manage:\n  schemas: [app]\n  ignore: ['TABLE app.tmp_*']\n  privileges: all\n  owners: none\n\
         engine:\n  order: [found, download]\n  folders: [pg/bin]\n  cache: /c\n  offline: true\n  trust: full\n  preload: [anon]\n\
         timeouts: { connect: 5s, statement: 2min, lock: 500ms }\n",
    )
    .unwrap();
    assert_eq!(config.db.as_deref(), Some("postgres://app@db.example/shop"));
    assert_eq!(config.schema, [PathBuf::from("/project/db/a.sql"), PathBuf::from("/project/db/more")]);
    assert_eq!(config.plans, PathBuf::from("/project/db/plans"));
    assert_eq!(config.ledger, "history");
    assert_eq!(config.manage.what, Managed::Schemas(["app".to_owned()].into()));
    assert_eq!(config.manage.ignore, ["TABLE app.tmp_*".to_owned()].into());
    assert_eq!((config.manage.privileges, config.manage.owners), (Some(Choice::All), Some(Choice::None)));
    assert_eq!(config.engine.order, ["found", "download"]);
    assert_eq!(config.engine.folders, [PathBuf::from("/project/pg/bin")]);
    assert_eq!(config.engine.cache, Some("/c".into()));
    assert!(config.engine.offline);
    assert_eq!(config.engine.trust, Trust::Full);
    assert_eq!(config.engine.preload, ["anon"]);
    assert_eq!(config.timeouts.statement, Some(Duration::from_secs(120)));
    assert_eq!(config.timeouts.lock, Some(Duration::from_millis(500)));
}

#[test]
fn words_stand_for_the_usual_choices() {
    let config = parsed("schema: one.sql\nmanage: all\nengine: target\n").unwrap();
    assert_eq!(config.schema, [PathBuf::from("/project/one.sql")]);
    assert_eq!(config.manage.what, Managed::All);
    assert_eq!(config.engine.order, ["target"]);
}

#[test]
fn unknown_keys_are_errors_with_line_and_column() {
    let error = refused("db: x\nshema: y\n");
    assert!(error.contains("/project/reconcile.yaml:2:1: unknown key `shema`"), "{error}");
    assert!(error.contains("did you mean `schema`?"), "{error}");
    assert!(error.contains("known keys: db, schema, plans, ledger, manage, engine, timeouts"), "{error}");
}

#[test]
fn unknown_keys_below_are_errors_with_line_and_column() {
    let error = refused("db: x\nmanage:\n  schemas: [a]\n  ignored: [b]\n");
    assert!(error.contains("reconcile.yaml:4:3: unknown key `ignored`"), "{error}");
    assert!(error.contains("did you mean `ignore`?"), "{error}");
    let error = refused("engine:\n  offline: true\n  cach: /x\n");
    assert!(error.contains("reconcile.yaml:3:3: unknown key `cach`"), "{error}");
}

#[test]
fn values_of_the_wrong_type_are_errors_with_line_and_column() {
    let error = refused("db: x\nengine:\n  offline: perhaps\n");
    assert!(error.contains("reconcile.yaml:3:12: expected a boolean"), "{error}");
    let error = refused("manage: everything\n");
    assert!(error.contains("reconcile.yaml:1:9: expected `all`, or the keys"), "{error}");
    let error = refused("timeouts:\n  lock: 5\n");
    assert!(error.contains("expected a duration such as"), "{error}");
    assert!(refused("db: [\n").contains("reconcile.yaml:"));
}

#[test]
fn passwords_are_never_repeated() {
    for text in [
        "timeouts: postgres://app:s3cret@host/db",
        "manage: postgres://app:s3cret@host/db",
        "schema: {x: postgres://app:s3cret@host/db}",
        "engine: {offline: 'password=s3cret'}",
        "postgres://app:s3cret@host/db: 1",
        "db: [postgres://app:s3cret@host/db",
        "manage: {owners: s3cret}",
    ] {
        let error = refused(text);
        assert!(!error.contains("s3cret"), "{error}");
    }
    assert_eq!(redacted("at postgres://a:b:c@h/d and 'x'"), "at postgres://a:…@h/d and 'x'");
    assert_eq!(redacted("host=h password='a b' user=u"), "host=h password=… user=u");
}

#[test]
fn roles_and_the_database_are_managed_only_when_told() {
    let managed = |text: &str, variables: &Variables| {
        let manage = with(text, Layer::default(), variables).unwrap().manage;
        (manage.roles, manage.database)
    };
    assert_eq!(managed("manage: all", &Variables::default()), (false, false));
    assert_eq!(managed("manage: {roles: true, database: true}", &Variables::default()), (true, true));
    let variables = Variables::from([("RECONCILE_ROLES", "0"), ("RECONCILE_DATABASE", "true")]);
    assert_eq!(managed("manage: {roles: true}", &variables), (false, true));
    assert!(refused("manage: {roles: all}").contains("expected a boolean"));
}

#[test]
fn the_connection_refers_to_the_environment() {
    let variables = Variables::from([("PW", "s3cret"), ("HOST", "h")]);
    let config = with("db: postgres://app:${PW}@${HOST}/shop", Layer::default(), &variables).unwrap();
    assert_eq!(config.db.as_deref(), Some("postgres://app:s3cret@h/shop"));
    let error = with("db: postgres://${NOBODY}/x", Layer::default(), &variables).unwrap_err().to_string();
    assert!(error.contains("the environment variable NOBODY is not set"), "{error}");
}

#[test]
fn flags_win_over_the_environment_which_wins_over_the_file() {
    let file = "db: from_file\nledger: from_file\nplans: from_file\nmanage: {schemas: [a], ignore: [i]}\n";
    let variables = Variables::from([
        ("RECONCILE_DB", "from_env"),
        ("RECONCILE_LEDGER", "from_env"),
        ("RECONCILE_SCHEMA", "a.sql:b.sql"),
        ("RECONCILE_LOCK_TIMEOUT", "3s"),
        ("RECONCILE_PLANS", ""),
    ]);
    let flags = Layer { db: Some("from_flag".into()), manage: ManageLayer::from_word("all"), ..Layer::default() };
    let config = with(file, flags, &variables).unwrap();
    assert_eq!(config.db.as_deref(), Some("from_flag"));
    assert_eq!(config.ledger, "from_env");
    assert_eq!(config.plans, PathBuf::from("/project/from_file"));
    assert_eq!(config.schema, [PathBuf::from("/project/a.sql"), PathBuf::from("/project/b.sql")]);
    assert_eq!(config.manage.what, Managed::All);
    assert_eq!(config.manage.ignore, ["i".to_owned()].into());
    assert_eq!(config.timeouts.lock, Some(Duration::from_secs(3)));
}

#[test]
fn variables_with_impossible_values_are_errors() {
    for (name, expected) in [("RECONCILE_OFFLINE", "one of true"), ("RECONCILE_LOCK_TIMEOUT", "a duration")] {
        let error = Variables::from([(name, "s3cret")]).layer().unwrap_err().to_string();
        assert!(error.starts_with(&format!("{name}: expected {expected}")), "{error}");
        assert!(!error.contains("s3cret"));
    }
}
