//! Statements stand in any order, and say what they say.

use super::{codes, load, load_source, majors, read, scratch, scratch_on, value};
use reconcile::catalog;
use reconcile::diff::diff;
use reconcile::engine::Scratch;
use reconcile::source;

/// A schema in an order in which it loads as it stands.
const SHOP: &[&str] = &[
    "CREATE SCHEMA shop",
    "CREATE TYPE shop.state AS ENUM ('new', 'paid')",
    "CREATE DOMAIN shop.money AS numeric(12, 2) CHECK (VALUE >= 0)",
    "CREATE TYPE shop.total AS (net shop.money, tax shop.money)",
    "CREATE SEQUENCE shop.numbers START 1000",
    "CREATE FUNCTION shop.next_number() RETURNS bigint LANGUAGE sql AS 'SELECT nextval(''shop.numbers'')'",
    "CREATE TABLE shop.customers (id bigserial PRIMARY KEY, email text NOT NULL)",
    "CREATE TABLE shop.orders (id bigint DEFAULT shop.next_number(), customer bigint NOT NULL REFERENCES shop.customers, \
     state shop.state DEFAULT 'new', sum shop.money, CONSTRAINT orders_pkey PRIMARY KEY (id))",
    "CREATE TABLE shop.items (order_id bigint REFERENCES shop.orders (id), price shop.money, total shop.total)",
    "ALTER TABLE shop.customers ADD COLUMN nick text",
    "ALTER TABLE shop.customers ADD CONSTRAINT nick_unique UNIQUE (nick)",
    "CREATE TABLE shop.friends (nick text REFERENCES shop.customers (nick))",
    "CREATE INDEX orders_of_customers ON shop.orders (customer)",
    "CREATE VIEW shop.open_orders AS SELECT id, customer FROM shop.orders WHERE state = 'new'",
    "CREATE VIEW shop.open_customers AS SELECT c.nick FROM shop.customers c JOIN shop.open_orders o ON o.customer = c.id",
    "CREATE MATERIALIZED VIEW shop.sums AS SELECT customer, sum(sum) FROM shop.orders GROUP BY customer",
    "CREATE UNIQUE INDEX sums_customer ON shop.sums (customer)",
    "CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER touch BEFORE UPDATE ON shop.orders FOR EACH ROW EXECUTE FUNCTION shop.touch()",
    "ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY own ON shop.orders USING (customer = 1)",
    "COMMENT ON TABLE shop.orders IS 'first'",
    "COMMENT ON TABLE shop.orders IS 'second'",
    "COMMENT ON COLUMN shop.customers.nick IS 'nick'",
    "COMMENT ON SEQUENCE shop.customers_id_seq IS 'ids'",
    "COMMENT ON TRIGGER touch ON shop.orders IS 'touches'",
    "GRANT SELECT ON shop.orders TO source_other",
];

fn state(scratch: &Scratch) -> catalog::Catalog {
    catalog::read(&mut scratch.connect().unwrap(), "reconcile").unwrap()
}

/// A permutation that a number stands for.
fn shuffled<T: Clone>(items: &[T], mut seed: u64) -> Vec<T> {
    let mut out = items.to_vec();
    for at in (1..out.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
    }
    out
}

#[test]
fn the_order_of_statements_does_not_matter() {
    let sorted = scratch();
    assert!(load(&sorted, &SHOP.join(";\n")).unwrap().in_one_go);
    let expected = state(&sorted);
    assert!(expected.len() > 40);
    for seed in 0..8 {
        let mut statements = if seed == 0 { SHOP.iter().rev().copied().collect() } else { shuffled(SHOP, seed) };
        // Two comments on the same thing say in their order what holds.
        let first = statements.iter().position(|sql| sql.contains("'first'")).unwrap();
        let second = statements.iter().position(|sql| sql.contains("'second'")).unwrap();
        if first > second {
            statements.swap(first, second);
        }
        let scratch = scratch();
        let loaded = load(&scratch, &statements.join(";\n")).unwrap_or_else(|error| panic!("{statements:#?}\n{error}"));
        assert!(!loaded.in_one_go);
        let found = state(&scratch);
        let changes = diff(&expected, &found, |_, _, _| false);
        assert!(changes.is_empty(), "{statements:#?}\n{changes:#?}");
    }
}

#[test]
fn files_stand_in_any_order_too() {
    let folder = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("a_views.sql", "SET search_path = app; CREATE VIEW v AS SELECT * FROM t"),
        ("b_tables.sql", "SET search_path = app; CREATE TABLE t (a kind, b public.kind)"),
        ("c_types.sql", "CREATE TYPE kind AS ENUM ('public'); SET search_path = app; CREATE TYPE kind AS ENUM ('app')"),
        ("d_schemas.sql", "CREATE SCHEMA app"),
    ] {
        std::fs::write(folder.path().join(name), sql).unwrap();
    }
    let scratch = scratch();
    load_source(&scratch, &source::read(&[folder.path().to_owned()]).unwrap()).unwrap();
    assert_eq!(
        value(
            &scratch,
            "SELECT string_agg(format_type(atttypid, NULL), ' ' ORDER BY attnum) FROM pg_attribute \
        WHERE attrelid = 'app.v'::regclass"
        ),
        "app.kind kind"
    );
}

#[test]
fn tables_that_refer_to_each_other_load() {
    for major in majors() {
        let scratch = scratch_on(major);
        load(
            &scratch,
            "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES b ON DELETE CASCADE, c int);
             CREATE TABLE b (id int PRIMARY KEY, a int, CONSTRAINT to_a FOREIGN KEY (a) REFERENCES a (id));
             CREATE TABLE self (id int PRIMARY KEY, parent int REFERENCES self);
             CREATE SEQUENCE s OWNED BY t.id; CREATE TABLE t (id int DEFAULT nextval('s'))",
        )
        .unwrap();
        let keys = "SELECT string_agg(conname, ' ' ORDER BY conname) FROM pg_constraint WHERE contype = 'f'";
        assert_eq!(value(&scratch, keys), "a_b_fkey self_parent_fkey to_a");
        assert_eq!(value(&scratch, "SELECT pg_get_serial_sequence('t', 'id')"), "public.s");
    }
}

#[test]
fn a_new_value_of_an_enum_can_be_used_in_the_same_file() {
    let scratch = scratch();
    let sql = "CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (x e); ALTER TYPE e ADD VALUE 'b'; \
        ALTER TABLE t ALTER x SET DEFAULT 'b'; CREATE VIEW v AS SELECT 'b'::e AS b";
    load(&scratch, sql).unwrap();
    assert_eq!(value(&scratch, "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef"), "'b'::e");
}

#[test]
fn rows_are_left_out_and_nothing_fails_for_them() {
    let scratch = scratch();
    let source = read(
        "CREATE TABLE t (a int);\nCOPY t (a) FROM stdin;\n1\nnot a number; '\n\\.\n\nINSERT INTO t VALUES ('no');\n\
         SELECT pg_catalog.setval('nowhere', 1);\nDELETE FROM missing;",
    );
    load_source(&scratch, &source).unwrap();
    assert_eq!(value(&scratch, "SELECT count(*) FROM t"), "0");
    let lines: Vec<_> = source.warnings().iter().map(|warning| warning.location.line).collect();
    assert_eq!(lines, [2, 7, 8, 9]);
}

#[test]
fn what_says_nothing_about_the_state_is_left_out() {
    let scratch = scratch();
    let sql = "\\set ON_ERROR_STOP on\nBEGIN; SET lock_timeout = '1s'; SET client_encoding = 'LATIN1'; SET default_with_oids = false;
        SET default_tablespace = 'fast'; CREATE TABLE t (a int); COMMIT; CREATE INDEX CONCURRENTLY i ON t (a);
        CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX u ON m (a);
        REFRESH MATERIALIZED VIEW CONCURRENTLY m; ANALYZE t; VACUUM; CREATE DATABASE d; ALTER SYSTEM SET work_mem = '1MB';
        CREATE TABLESPACE s LOCATION '/tmp'; CREATE ROLE source_new SUPERUSER LOGIN; GRANT ALL ON t TO source_new;
        ALTER ROLE source_new PASSWORD 'secret'";
    let loaded = load(&scratch, sql).unwrap();
    assert!(loaded.in_one_go);
    assert_eq!(loaded.beyond.len(), 5);
    assert!(!format!("{loaded:?}").contains("secret"));
    let role = "SELECT concat_ws(' ', rolsuper, rolcanlogin) FROM pg_roles WHERE rolname = 'source_new'";
    assert_eq!(value(&scratch, role), "f f");
}

#[test]
fn what_a_dump_holds_loads_as_it_is() {
    let dump = r#"
--
-- PostgreSQL database dump
--

\restrict kT0NZqAgTpR

SET statement_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET row_security = off;

CREATE SCHEMA app;
ALTER SCHEMA app OWNER TO source_other;

CREATE FUNCTION app.count_users() RETURNS bigint
    LANGUAGE sql
    AS $$ SELECT count(*) FROM users $$;
ALTER FUNCTION app.count_users() OWNER TO source_other;

CREATE FUNCTION app.broken() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM nowhere $$;

SET default_tablespace = '';
SET default_table_access_method = heap;

CREATE TABLE app.users (id integer NOT NULL, name text);
ALTER TABLE ONLY app.users ALTER COLUMN id SET (pg_attver=202460472);
ALTER TABLE ONLY app.users ALTER COLUMN name SET (n_distinct=5, pg_attver=202460472);
ALTER TABLE app.users OWNER TO source_other;

COPY app.users (id, name) FROM stdin;
1	a;b
\.

CREATE RULE quiet AS ON DELETE TO app.users DO INSTEAD (NOTIFY gone; SELECT 1);
REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO PUBLIC;

\unrestrict kT0NZqAgTpR
"#;
    for major in majors() {
        let scratch = scratch_on(major);
        let loaded = load(&scratch, dump).unwrap_or_else(|error| panic!("{major}: {error}"));
        // The first function is right in the schemas of the file, the second one nowhere.
        assert_eq!(
            loaded.warnings,
            ["schema.sql:23:85: the body of app.broken is not valid: relation \"nowhere\" does not exist"]
        );
    }
}

#[test]
fn statements_that_are_pure_postgresql_are_not_refused() {
    let scratch = scratch();
    load(
        &scratch,
        "CREATE FUNCTION f(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN a > b THEN a ELSE b END; END;
         CREATE OPERATOR |> (FUNCTION = f, LEFTARG = int, RIGHTARG = int);
         CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a |> 1) STORED);
         CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT ';'; NOTIFY x);
         CREATE VIEW \"v;\" AS SELECT E'it\\'s ;' AS a, $q$ ; $q$ AS b /* ; /* ; */ */, U&'\\0441' AS c;
         CREATE AGGREGATE highest (int) (SFUNC = f, STYPE = int, INITCOND = '0');
         CREATE STATISTICS st (ndistinct) ON a, b FROM t;
         DO $$ BEGIN EXECUTE 'CREATE TABLE made_by_do (a int)'; END $$",
    )
    .unwrap();
    assert_eq!(value(&scratch, "SELECT c FROM \"v;\""), "с");
    assert_eq!(value(&scratch, "SELECT to_regclass('made_by_do')"), "made_by_do");
}

#[test]
fn a_session_is_left_as_it_was() {
    let scratch = scratch();
    let mut client = scratch.connect().unwrap();
    client.batch_execute("SET search_path = pg_temp; SET check_function_bodies = on").unwrap();
    let source = read("SET search_path = a; SET ROLE source_other; SET TIME ZONE 'Asia/Tokyo'; SELECT 1");
    let session = source::Session { client: &mut client, lender: None, beyond: source::Beyond::Skip };
    source::load(&source, session).unwrap();
    let row = client
        .query_one(
            "SELECT concat_ws(' ', current_setting('search_path'), current_setting('check_function_bodies'), \
            current_user, current_setting('timezone') <> 'Asia/Tokyo')",
            &[],
        )
        .unwrap();
    assert_eq!(row.get::<_, String>(0), "pg_temp on source_loader t");
}

#[test]
fn what_is_dropped_again_stays_dropped() {
    let scratch = scratch();
    let sql = "CREATE VIEW later AS SELECT * FROM t; CREATE TABLE t (a int); CREATE TABLE gone (); DROP TABLE gone; \
        CREATE TABLE u (a int); ALTER TABLE u RENAME TO w; CREATE VIEW x AS SELECT * FROM w";
    let result = load(&scratch, sql);
    assert_eq!(codes(&result), [""; 0]);
    assert_eq!(
        value(
            &scratch,
            "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class \
        WHERE relnamespace = 'public'::regnamespace"
        ),
        "later t w x"
    );
}
