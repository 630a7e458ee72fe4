//! Scratch databases are like the target's, and what is loaded into them can do no harm.

use crate::server::{majors, server};
use reconcile::engine::{Engine, Locale, Provider, Scratch, Settings, Spec, Trust};
use reconcile::source::{NotLent, lend};

fn spec(role: &str) -> Spec {
    Spec { role: role.to_owned(), ..Spec::default() }
}

fn value(scratch: &Scratch, sql: &str) -> String {
    scratch.connect().unwrap().query_one(sql, &[]).unwrap().get(0)
}

/// The SQLSTATE with which a statement is refused; nothing when it is not.
fn refusal(client: &mut postgres::Client, sql: &str) -> Option<String> {
    client
        .batch_execute(sql)
        .err()
        .map(|error| error.code().unwrap_or_else(|| panic!("{sql}: {error}")).code().to_owned())
}

const NOT_ALLOWED: Option<&str> = Some("42501");

#[test]
fn the_loading_role_owns_the_database_and_is_no_superuser() {
    for major in majors() {
        // Called like a superuser of the target's, and like one whose name needs quotes.
        for role in ["postgres", "Ann \"the\" O'Neil"] {
            let scratch = server(major).database(&spec(role)).unwrap();
            assert_eq!(scratch.role(), role);
            let query = "SELECT concat_ws(' ', session_user = current_user, rolsuper, rolcreaterole, rolcreatedb, \
                pg_get_userbyid(datdba) = rolname) \
                FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()";
            assert_eq!(value(&scratch, query), "t f f f t", "{major}");
            let mut client = scratch.connect().unwrap();
            assert_eq!(refusal(&mut client, "CREATE SCHEMA s; CREATE TABLE public.t (a int)"), None);
        }
    }
}

#[test]
fn schema_public_is_owned_as_on_the_target() {
    let query = "SELECT pg_get_userbyid(nspowner) || ' ' || array_to_string(nspacl, ' ') FROM pg_namespace WHERE nspname = 'public'";
    for major in majors() {
        let owned = |owner: Option<&str>| {
            let spec = Spec { public_owner: owner.map(str::to_owned), ..spec("loader") };
            value(&server(major).database(&spec).unwrap(), query)
        };
        let app = if major >= 15 { "app app=UC/app =U/app" } else { "app app=UC/app =UC/app" };
        assert_eq!(owned(Some("app")), app, "{major}");
        if major >= 15 {
            let default = "pg_database_owner pg_database_owner=UC/pg_database_owner =U/pg_database_owner";
            assert_eq!(owned(None), default);
            assert_eq!(owned(Some("pg_database_owner")), default);
        } else {
            assert_eq!(owned(None), "loader loader=UC/loader =UC/loader");
        }
    }
}

#[test]
fn tablespaces_of_the_target_can_be_named() {
    for major in majors() {
        let tablespaces = vec!["Fast Disks".to_owned()];
        let of = |role: &str| server(major).database(&Spec { tablespaces: tablespaces.clone(), ..spec(role) }).unwrap();
        let scratch = of("places_tables");
        let mut client = scratch.connect().unwrap();
        client.batch_execute("CREATE TABLE t TABLESPACE \"Fast Disks\" AS SELECT 7 AS a").unwrap();
        assert!(Spec::of(&mut client).unwrap().tablespaces.contains(&tablespaces[0]));
        drop(client);
        assert_eq!(value(&scratch.copy().unwrap(), "SELECT a::text FROM t"), "7", "{major}");
        // It is there by now.
        of("places_more_tables")
            .connect()
            .unwrap()
            .batch_execute("CREATE TABLE t (a int) TABLESPACE \"Fast Disks\"")
            .unwrap();
    }
}

#[test]
fn roles_of_the_target_can_be_named_and_given_objects() {
    let major = majors()[0];
    let roles = ["reader", "Odd Name", "pg_monitor", "owner_role"].map(str::to_owned).to_vec();
    let scratch = server(major).database(&Spec { roles, ..spec("owner_role") }).unwrap();
    let mut client = scratch.connect().unwrap();
    let give = "CREATE TABLE t (a int); GRANT SELECT ON t TO reader, pg_monitor; \
        GRANT CREATE ON SCHEMA public TO \"Odd Name\"; ALTER TABLE t OWNER TO \"Odd Name\"";
    client.batch_execute(give).unwrap();
    // The other way round on the same server: no circle of memberships.
    let other = Spec { roles: vec!["owner_role".to_owned()], ..spec("reader") };
    server(major).database(&other).unwrap().connect().unwrap().batch_execute("SELECT 1").unwrap();
}

#[test]
fn encoding_and_locale_are_the_targets_where_the_machine_has_them() {
    let query = "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype) FROM pg_database \
        WHERE datname = current_database()";
    for major in majors() {
        let engine = server(major);
        let latin = Spec { encoding: "LATIN1".to_owned(), ..Spec::default() };
        assert_eq!(value(&engine.database(&latin).unwrap(), query), "LATIN1 C C");
        let locale = Locale { collate: "xx_XX.UTF-8".to_owned(), ctype: "C".to_owned(), ..Locale::default() };
        let foreign = engine.database(&Spec { locale, ..Spec::default() }).unwrap();
        assert_eq!(value(&foreign, query), "UTF8 C C");
        assert!(matches!(foreign.notes(), [note] if note.contains("has the locale C: ")), "{:?}", foreign.notes());

        let locale = |provider, name: &str, rules: Option<&str>| Spec {
            locale: Locale {
                provider,
                collate: "C".to_owned(),
                ctype: "C".to_owned(),
                name: Some(name.to_owned()),
                icu_rules: rules.map(str::to_owned),
            },
            ..Spec::default()
        };
        let mut wanted = Vec::new();
        if major >= 15 {
            wanted.push(locale(Provider::Icu, "de", None));
        }
        if major >= 16 {
            wanted.push(locale(Provider::Icu, "und", Some("&a < g")));
        }
        if major >= 17 {
            wanted.push(locale(Provider::Builtin, "C.UTF-8", None));
        }
        for spec in wanted {
            let scratch = engine.database(&spec).unwrap();
            assert!(scratch.notes().is_empty(), "{:?}", scratch.notes());
            assert_eq!(Spec::of(&mut scratch.connect().unwrap()).unwrap().locale, spec.locale, "{major}");
        }
    }
}

#[test]
fn superuser_is_lent_for_one_statement_and_event_triggers_do_not_share_it() {
    for major in majors() {
        let scratch = server(major).database(&spec("borrower")).unwrap();
        let mut client = scratch.connect().unwrap();
        let mut lender = scratch.lender().unwrap().expect("a restricted role can borrow");
        let mut lent = |client: &mut postgres::Client, sql: &str| {
            assert_eq!(refusal(client, sql).as_deref(), NOT_ALLOWED, "{sql}");
            lend(&mut lender, "borrower", sql).unwrap();
            assert_eq!(refusal(client, "SELECT pg_reload_conf()").as_deref(), NOT_ALLOWED);
        };
        client
            .batch_execute(
                "CREATE TABLE seen (super bool); CREATE FUNCTION look() RETURNS event_trigger LANGUAGE plpgsql AS \
                 $$BEGIN INSERT INTO public.seen SELECT rolsuper FROM pg_roles WHERE rolname = current_user; END$$",
            )
            .unwrap();
        lent(&mut client, "CREATE EVENT TRIGGER look ON ddl_command_start EXECUTE FUNCTION public.look()");
        client.batch_execute("ALTER EVENT TRIGGER look ENABLE ALWAYS").unwrap();
        lent(&mut client, "CREATE EXTENSION pageinspect SCHEMA public");
        client.batch_execute("CREATE TABLE ordinary (a int)").unwrap();
        let seen = "SELECT string_agg(DISTINCT super::text, ' ') FROM seen";
        assert_eq!(value(&scratch, seen), "false", "{major}");
        assert_eq!(value(&scratch, "SELECT evtenabled::text FROM pg_event_trigger"), "A");
    }
}

#[test]
fn superuser_is_lent_to_no_other_statements() {
    let scratch = server(majors()[0]).database(&spec("greedy")).unwrap();
    let mut lender = scratch.lender().unwrap().unwrap();
    for sql in [
        "SELECT pg_read_file('/etc/passwd')",
        "DO $$ BEGIN PERFORM pg_reload_conf(); END $$",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER ROLE greedy SUPERUSER",
        "CREATE EXTENSION pageinspect; SELECT pg_reload_conf()",
        "CREATE FUNCTION f() RETURNS void LANGUAGE c AS 'nowhere', 'f'",
        "CREATE FUNCTION f(text) RETURNS text LANGUAGE internal STRICT AS 'pg_read_file_all'",
    ] {
        let result = lend(&mut lender, "greedy", sql);
        assert!(matches!(result, Err(NotLent::Denied(_) | NotLent::Failed(_))), "{sql}: {result:?}");
    }
    let mut client = scratch.connect().unwrap();
    assert_eq!(refusal(&mut client, "SELECT pg_reload_conf()").as_deref(), NOT_ALLOWED);
    assert_eq!(value(&scratch, "SELECT count(*)::text FROM pg_proc WHERE proname = 'f'"), "0");
}

#[test]
fn two_databases_borrow_at_once() {
    let engine = server(majors()[0]);
    let scratches = [(); 2].map(|()| engine.database(&spec("sharer")).unwrap());
    std::thread::scope(|scope| {
        for scratch in &scratches {
            scope.spawn(|| {
                let mut lender = scratch.lender().unwrap().unwrap();
                for _ in 0..20 {
                    lend(&mut lender, "sharer", "CREATE EXTENSION pageinspect SCHEMA public").unwrap();
                    lend(&mut lender, "sharer", "DROP EXTENSION pageinspect").unwrap();
                }
            });
        }
    });
    let mut client = scratches[0].connect().unwrap();
    assert_eq!(refusal(&mut client, "SELECT pg_reload_conf()").as_deref(), NOT_ALLOWED);
}

#[test]
fn what_is_loaded_reads_no_file_runs_no_program_and_becomes_nobody_else() {
    let scratch = server(majors()[0]).database(&Spec { roles: vec!["other".to_owned()], ..spec("intruder") }).unwrap();
    let mut client = scratch.connect().unwrap();
    for sql in [
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('/')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_reload_conf()",
        "CREATE ROLE another",
        "ALTER ROLE intruder SUPERUSER",
        "ALTER ROLE other SUPERUSER",
        "ALTER SYSTEM SET fsync = on",
        "SET SESSION AUTHORIZATION reconcile_engine",
        "SET ROLE reconcile_engine",
        "GRANT reconcile_engine TO intruder",
        "CREATE FUNCTION f() RETURNS void LANGUAGE c AS 'nowhere', 'f'",
        "SELECT passwd FROM pg_shadow",
    ] {
        assert_eq!(refusal(&mut client, sql).as_deref(), NOT_ALLOWED, "{sql}");
    }
    client.batch_execute("CREATE TABLE t (line text)").unwrap();
    for sql in ["COPY t FROM '/etc/passwd'", "COPY t FROM PROGRAM 'id'", "COPY t TO PROGRAM 'cat'"] {
        assert_eq!(refusal(&mut client, sql).as_deref(), NOT_ALLOWED, "{sql}");
    }
    // Among its functions is one that asks for no password.
    let mut lender = scratch.lender().unwrap().unwrap();
    lend(&mut lender, "intruder", "CREATE EXTENSION dblink SCHEMA public").unwrap();
    let folder = crate::engine::folder_of(&scratch.target());
    for role in ["reconcile_engine", "intruder", "other"] {
        let place = format!("host={} dbname={} user={role}", folder.display(), scratch.name());
        for function in ["dblink_connect", "dblink_connect_u"] {
            let refused = refusal(&mut client, &format!("SELECT {function}('{place}')"));
            assert!(
                refused.is_some_and(|code| code == "08001" || code == "2F003" || code == "42501"),
                "{function} {role}"
            );
        }
    }
}

#[test]
fn full_trust_makes_the_role_a_superuser() {
    let settings = Settings { trust: Trust::Full, ..Settings::default() };
    let engine = Engine::start(&settings, majors()[0], None).unwrap();
    let scratch = engine.database(&spec("trusted")).unwrap();
    assert!(scratch.lender().unwrap().is_none());
    assert_eq!(refusal(&mut scratch.connect().unwrap(), "SELECT pg_ls_dir('/')"), None);
}
