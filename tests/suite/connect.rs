//! Connection strings, the environment, service and password files: what comes of them, and what is said about errors.

use crate::postgres::{Postgres, file};
use reconcile::connect::{Environment, Error, Target};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SECRET: &str = "s3cr3t";

fn plain() -> Environment {
    Environment::default().with_user("anna")
}

/// Host, port, user and database, as libpq would see them.
fn place(text: &str, environment: &Environment) -> String {
    let target = Target::resolve(Some(text).filter(|text| !text.is_empty()), environment)
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let found: BTreeMap<_, _> = target.variables().into_iter().collect();
    let get = |name: &str| found.get(name).map_or("-", String::as_str);
    format!("{} {} {} {} {}", get("PGHOST"), get("PGPORT"), get("PGUSER"), get("PGDATABASE"), get("PGPASSWORD"))
}

#[test]
fn every_form_of_a_connection_string_is_read() {
    for (text, wanted) in [
        ("postgres://bob:pw@db/shop", "db 5432 bob shop pw"),
        ("postgresql://bob@db:6543/shop", "db 6543 bob shop -"),
        ("postgresql://db", "db 5432 anna anna -"),
        ("postgres://bob@db", "db 5432 bob bob -"),
        ("postgres://b%40b:p%3Aw%2F%25@db/sh%20op", "db 5432 b@b sh op p:w/%"),
        ("postgres://[::1]:6543/shop", "::1 6543 anna shop -"),
        ("postgres://bob@%2Fvar%2Flib/shop", "/var/lib 5432 bob shop -"),
        ("postgres://bob@/shop?host=/var/lib&port=6000", "/var/lib 6000 bob shop -"),
        ("postgres://a:1,b,c:3/shop", "a,b,c 1,5432,3 anna shop -"),
        ("postgres:///shop?user=carl&password=pw&host=db", "db 5432 carl shop pw"),
        ("postgres://bob:a:b@db/shop", "db 5432 bob shop a:b"),
        ("host=db port=6543 user=bob dbname=shop password=pw", "db 6543 bob shop pw"),
        ("host = db  user = bob dbname='my shop' password='it\\'s \\\\'", "db 5432 bob my shop it's \\"),
        ("host=a,b port=1,2 dbname=shop", "a,b 1,2 anna shop -"),
        ("host=a,b port=7", "a,b 7,7 anna anna -"),
        ("hostaddr=127.0.0.1 dbname=shop", "127.0.0.1 5432 anna shop -"),
        ("  postgres://db/shop\n", "db 5432 anna shop -"),
    ] {
        assert_eq!(place(text, &plain()), wanted, "{text}");
    }
    let name = Target::resolve(Some("shop"), &plain()).unwrap();
    assert_eq!((name.database(), name.user()), ("shop", "anna"));
}

#[test]
fn urls_for_people_lead_to_the_same_place_without_a_password() {
    for (text, wanted) in [
        ("postgres://bob:pw@db/shop", "postgres://bob@db/shop"),
        ("postgres://bob:pw@db:6543/sh%20op", "postgres://bob@db:6543/sh%20op"),
        ("postgres://[::1]:6543/shop", "postgres://anna@[::1]:6543/shop"),
        ("host=/var/lib user=bob dbname=shop", "postgres://bob@/shop?host=/var/lib"),
        ("host=/var/lib user=bob port=6000 dbname=shop", "postgres://bob@/shop?host=/var/lib&port=6000"),
        ("host=a,b port=1,2 dbname=shop", "postgres://anna@a:1,b:2/shop"),
    ] {
        let url = Target::resolve(Some(text), &plain()).unwrap().url();
        assert_eq!(url, wanted);
        assert_eq!(place(&url, &plain()), place(text, &plain()).replace(" pw", " -"));
    }
}

#[test]
fn the_environment_fills_what_the_text_leaves_out() {
    let environment = Environment::of([
        ("PGHOST", "db"),
        ("PGPORT", "6543"),
        ("PGUSER", "bob"),
        ("PGDATABASE", "shop"),
        ("PGPASSWORD", "pw"),
        ("PGSSLMODE", "verify-full"),
        ("PGOPTIONS", "-c work_mem=1MB"),
    ]);
    assert!(environment.names_a_server() && !plain().names_a_server());
    assert_eq!(place("", &environment), "db 6543 bob shop pw");
    assert_eq!(place("postgres://carl@other", &environment), "other 6543 carl shop pw");
    let target = Target::resolve(None, &environment).unwrap();
    let variables = target.with_setting("search_path", "a b").variables();
    assert!(variables.contains(&("PGSSLMODE", "verify-full".to_owned())));
    assert!(variables.contains(&("PGOPTIONS", "-c work_mem=1MB -c search_path=a\\ b".to_owned())));
    // What is set to nothing is not set.
    assert_eq!(
        place("dbname=shop", &Environment::of([("PGUSER", ""), ("PGHOST", "db")]).with_user("anna")),
        "db 5432 anna shop -"
    );
}

#[test]
fn services_stand_between_the_text_and_the_environment() {
    let folder = TempDir::new().unwrap();
    let text = "# servers\n[prod]\nhost=prod.db\nport=6000\nuser=bob\npassword=pw\n\n[dev]\nhost=dev.db\n";
    let path = file(folder.path(), "services", text, 0o600);
    let path = path.to_str().unwrap();
    let environment =
        Environment::of([("PGSERVICEFILE", path), ("PGUSER", "eve"), ("PGDATABASE", "shop")]).with_user("anna");
    assert_eq!(place("service=prod", &environment), "prod.db 6000 bob shop pw");
    assert_eq!(place("service=prod user=carl", &environment), "prod.db 6000 carl shop pw");
    assert_eq!(place("postgres:///other?service=dev", &environment), "dev.db 5432 eve other -");
    let by_variable = Environment::of([("PGSERVICE", "dev"), ("PGSERVICEFILE", path)]).with_user("anna");
    assert_eq!(place("", &by_variable), "dev.db 5432 anna anna -");

    file(folder.path(), ".pg_service.conf", "[home]\nhost=home.db\n", 0o600);
    file(folder.path(), "pg_service.conf", "[system]\nhost=system.db\n", 0o600);
    let folder = folder.path().to_str().unwrap();
    let by_folder = Environment::of([("PGSYSCONFDIR", folder)]).with_home(folder).with_user("anna");
    assert_eq!(place("service=home", &by_folder), "home.db 5432 anna anna -");
    assert_eq!(place("service=system", &by_folder), "system.db 5432 anna anna -");

    let missing = Target::resolve(Some("service=nope"), &by_folder).unwrap_err();
    assert!(missing.to_string().starts_with("no definition of service \"nope\" in "), "{missing}");
    assert!(missing.to_string().contains(".pg_service.conf"), "{missing}");
}

#[test]
fn service_files_are_checked_by_line() {
    let folder = TempDir::new().unwrap();
    for (text, wanted) in [
        ("[a]\nhost db\n", ":2: expected `parameter=value`"),
        ("[a]\n\nhots=db\n", ":3: libpq knows no parameter of this name"),
        ("[a]\nservice=b\n", ":2: a service cannot refer to another service"),
        ("[a]\nldap://x\n", ":2: services that are looked up in LDAP are not supported"),
    ] {
        let path = file(folder.path(), "services", text, 0o600);
        let environment = Environment::of([("PGSERVICEFILE", path.to_str().unwrap())]);
        let error = Target::resolve(Some("service=a"), &environment).unwrap_err();
        assert!(error.to_string().ends_with(wanted), "{error}");
    }
}

#[test]
fn what_cannot_be_understood_is_said_without_the_text() {
    for (text, wanted) in [
        ("mysql://bob:s3cr3t@db/shop", "the URL does not start with postgres:// or postgresql://"),
        ("postgres://bob:s3cr3t@x@db/shop", "an `@` too many"),
        ("postgres://bob:a/s3cr3t@db/shop", "an `@` too many"),
        ("postgres://bob:12/s3cr3t@db/shop", "an `@` too many"),
        ("postgres://bob:s3cr3t?@db/shop", "the port in the URL is not a number"),
        ("postgres://bob:12?s3cr3t@db/shop", "has no `=`"),
        ("postgres://bob:12?s3cr3t=1@db/shop", "has a parameter that libpq does not know"),
        ("postgres://bob:s3cr3t%zz@db/shop", "two hexadecimal digits"),
        ("postgres://bob:s3cr3t%ff@db/shop", "not UTF-8"),
        ("postgres://bob:s3cr3t@[::1/shop", "no closing `]`"),
        ("postgres://bob:s3cr3t@db:port/shop", "the port in the URL is not a number"),
        ("host=db password=x s3cr3t", "has no `=`"),
        ("host=db password=x s3cr3t=y", "has a parameter that libpq does not know"),
        ("host=db password='s3cr3t", "the value of `password` in the connection string is not closed"),
        ("hots=db", "libpq knows no connection parameter `hots`"),
        ("port=x password=s3cr3t", "connection parameter port: expected a number from 1 to 65535"),
        ("host=a,b port=1,2,3", "connection parameter port: there must be one port, or as many as hosts"),
        ("host=a,b hostaddr=127.0.0.1", "connection parameter hostaddr: there must be as many"),
        ("hostaddr=db", "connection parameter hostaddr: expected an IP address"),
        ("sslmode=maybe", "connection parameter sslmode: expected disable, allow"),
        ("sslmode=require sslrootcert=system", "with sslrootcert=system it can only be verify-full"),
        ("connect_timeout=soon", "connection parameter connect_timeout: expected a number of seconds"),
        ("target_session_attrs=best", "connection parameter target_session_attrs: expected any"),
        ("gssencmode=require", "GSS encryption is not supported"),
        ("require_auth=scram-sha-256", "connection parameter require_auth: this parameter is not supported"),
        ("replication=database", "replication connections run no DDL"),
        ("sslnegotiation=direct", "direct needs sslmode=require"),
    ] {
        let error = Target::resolve(Some(text), &plain()).expect_err(text);
        assert!(error.to_string().contains(wanted), "{text}: {error}");
        assert!(!format!("{error} {error:?} {:?}", error.hints()).contains(SECRET), "{text}: {error:?}");
    }
}

#[test]
fn passwords_are_not_shown() {
    let environment = Environment::of([("PGPASSWORD", SECRET)]).with_user("anna");
    for target in [
        Target::resolve(Some("postgres://db/shop"), &environment).unwrap(),
        Target::resolve(Some("postgres://anna:s3cr3t@db/shop"), &plain()).unwrap(),
    ] {
        assert!(!format!("{target} {target:?} {}", target.url()).contains(SECRET));
        assert!(target.variables().contains(&("PGPASSWORD", SECRET.to_owned())));
    }
    assert!(!format!("{environment:?}").contains(SECRET));
}

#[test]
fn password_files_are_used_when_nobody_else_can_read_them() {
    let server = Postgres::start("host all all 127.0.0.1/32 scram-sha-256", &[], &[]);
    server.run("CREATE ROLE bob LOGIN PASSWORD 's3cr3t'; CREATE ROLE colon LOGIN PASSWORD 's3:\\cr3t'");
    let folder = TempDir::new().unwrap();
    let port = server.port();
    let environment = Environment::default().with_home(folder.path());

    file(folder.path(), ".pgpass", &format!("# c\nother:*:*:bob:no\n127.0.0.1:{port}:postgres:bob:s3cr3t\n"), 0o600);
    server.tcp_in("user=bob", &environment).connect().unwrap();

    file(folder.path(), ".pgpass", "*:*:*:bob:s3cr3t\n*:*:*:colon:s3\\:\\\\cr3t\n", 0o600);
    server.tcp_in("user=bob", &environment).connect().unwrap();
    server.tcp_in("user=colon", &environment).connect().unwrap();
    assert!(server.tcp_in("user=bob", &environment).warnings().is_empty());

    let other = file(folder.path(), "other", "*:*:*:bob:s3cr3t\n", 0o600);
    let by_variable = Environment::of([("PGPASSFILE", other.to_str().unwrap())]);
    server.tcp_in("user=bob", &by_variable).connect().unwrap();

    file(folder.path(), ".pgpass", "*:*:*:bob:s3cr3t\n", 0o644);
    let target = server.tcp_in("user=bob", &environment);
    let error = target.connect().err().expect("no password is used");
    assert!(error.hints().iter().any(|hint| hint.contains("chmod 0600")), "{:?}", error.hints());
    assert!(error.hints().iter().any(|hint| hint.contains("PGPASSWORD")), "{:?}", error.hints());
    assert_eq!(target.warnings().len(), 1);
}

#[test]
fn refusals_name_place_database_user_and_what_to_do() {
    let access = "host all all 127.0.0.1/32 scram-sha-256";
    let server = Postgres::start(access, &[], &[]);
    server.run("CREATE ROLE bob LOGIN PASSWORD 's3cr3t'");
    let port = server.port();
    for (parameters, sqlstate, wanted, hint) in [
        ("user=bob password=s3cr3tx", Some("28P01"), "password authentication failed", "is not right"),
        ("user=bob", None, "password missing", "PGPASSWORD"),
        ("user=bob password=s3cr3t dbname=nope", Some("3D000"), "\"nope\"", "CREATE DATABASE nope"),
        ("user=nobody_here password=s3cr3t", Some("28P01"), "nobody_here", "is not right"),
        ("user=bob password=s3cr3t sslmode=require", None, "server does not support TLS", "sslmode=require insists"),
        ("user=bob password=s3cr3t options=-cnope=1", Some("42704"), "nope", ""),
    ] {
        let error = server.tcp(parameters).connect().err().expect(parameters);
        let Error::Connect(refusal) = &error else { panic!("{error}") };
        assert_eq!(refusal.sqlstate.as_deref(), sqlstate, "{error}");
        assert!(error.to_string().contains(&format!("as user \"{}\" at 127.0.0.1:{port}", refusal.user)), "{error}");
        assert!(error.to_string().contains(wanted), "{error}");
        assert!(hint.is_empty() || refusal.hints.iter().any(|text| text.contains(hint)), "{:?}", refusal.hints);
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
    }
    drop(server);
    let gone = Target::resolve(Some(&format!("postgres://bob:s3cr3t@127.0.0.1:{port}/shop")), &plain()).unwrap();
    let error = gone.connect().err().expect("nobody listens");
    assert!(error.to_string().contains("Connection refused"), "{error}");
    assert!(error.hints()[0].contains("is it running"), "{:?}", error.hints());
    let unknown = Target::resolve(Some("postgres://bob@no-such-host.invalid/shop"), &plain()).unwrap();
    let error = unknown.connect().err().expect("no such host");
    assert!(error.hints()[0].contains("host name"), "{error} {:?}", error.hints());
    let socket = Target::resolve(Some("host=/nowhere user=bob dbname=shop"), &plain()).unwrap();
    let error = socket.connect().err().expect("no such socket");
    assert!(error.to_string().contains("at /nowhere/.s.PGSQL.5432"), "{error}");
}

#[test]
fn sessions_say_who_they_are_and_keep_their_settings() {
    let server = Postgres::start("host all all 127.0.0.1/32 trust", &[], &[]);
    let show = |target: &Target, name: &str| -> String {
        target.connect().unwrap().query_one(&format!("SHOW {name}"), &[]).unwrap().get(0)
    };
    let target = server.tcp("user=postgres");
    assert_eq!(show(&target, "application_name"), "reconcile");
    assert_eq!(show(&target, "client_encoding"), "UTF8");
    assert_eq!(show(&server.tcp("user=postgres application_name=mine"), "application_name"), "mine");
    let timed = server.tcp("user=postgres options='-c statement_timeout=7s'").with_setting("lock_timeout", "3s");
    assert_eq!(show(&timed, "statement_timeout"), "7s");
    assert_eq!(show(&timed, "lock_timeout"), "3s");
    assert_eq!(show(&target.with_setting("search_path", "a, \"b c\""), "search_path"), "a, \"b c\"");
    // The first place that answers is taken, and a place of the wrong kind is not.
    let several = format!("host=127.0.0.1,127.0.0.1 port=1,{} user=postgres dbname=postgres", server.port());
    let resolve = |more: &str| Target::resolve(Some(&format!("{several} {more}")), &plain()).unwrap();
    resolve("").connect().unwrap();
    resolve("target_session_attrs=read-write load_balance_hosts=random").connect().unwrap();
    resolve("target_session_attrs=prefer-standby").connect().unwrap();
    assert!(resolve("target_session_attrs=standby").connect().is_err());
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("host=127.0.0.1 port={port} connect_timeout=2 user=bob dbname=shop");
    let start = Instant::now();
    let error = Target::resolve(Some(&text), &plain()).unwrap().connect().err().expect("no answer");
    assert!(error.to_string().contains("no answer within 2 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(4));
}
