//! What fails is listed, all of it, with its place.

use super::{codes, load, scratch};

fn message(sql: &str) -> String {
    load(&scratch(), sql).unwrap_err().render(false)
}

#[test]
fn every_statement_that_fails_is_listed_with_its_place() {
    let sql = "CREATE TABLE users (\n    id bigint PRIMARY KEY,\n    état text, mail citxt\n);\n\n\
        CREATE TABLE orders (id int, \"größe\" int CHECK (größe > nulll));\n\
        CREATE VIEW names AS\n    SELECT id\n    FROM usres;\n\
        CREATE VIEW all_users AS SELECT * FROM users;\n\
        CREATE TABLE fine (a int);\n\
        CREATE TABLE fine (b int);\n\
        GRANT SELECT ON fine TO PUBLIC, nobody_at_all;\n\
        CREATE TABLE nowhere.t (a int);\n\
        CREATE TABEL x (a int);\n\
        CREATE EXTENSION no_such_extension;\n";
    // Where extensions are looked for differs between machines and versions.
    insta::with_settings!({ filters => vec![(r"(?m)^ += (detail|hint): (Could not open|The extension must).*\n", "")] }, {
        insta::assert_snapshot!(message(sql));
    });
}

#[test]
fn a_body_with_a_slip_is_an_error_at_its_line() {
    let sql = "CREATE TABLE t (a int);\n\
        CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n    RETRUN 1;\nEND $$;\n\
        CREATE FUNCTION g() RETURNS bigint LANGUAGE sql AS 'SELECT ''x''::text, b FROM t';\n\
        CREATE FUNCTION h() RETURNS int LANGUAGE plpgsql AS $$\nDECLARE\n    v nothing;\nBEGIN\n    RETURN 1;\nEND $$;\n\
        CREATE FUNCTION fine() RETURNS int LANGUAGE sql SET search_path = other AS 'SELECT a FROM u';\n\
        CREATE SCHEMA other; CREATE TABLE other.u (a int);\n";
    insta::assert_snapshot!(message(sql));
}

#[test]
fn statements_that_only_lack_what_another_should_make_come_last() {
    let result = load(
        &scratch(),
        "CREATE VIEW c AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a; CREATE TABLE a (x missing_type);
         COMMENT ON TABLE a IS 'x'; CREATE VIEW d AS SELECT 1 / 'x'",
    );
    assert_eq!(codes(&result), ["42704", "22P02", "42P01", "42P01", "42P01"]);
    let error = result.unwrap_err();
    let roots: Vec<_> =
        error.failures().iter().map(|failure| failure.consequence_of.as_ref().map(|at| at.column)).collect();
    assert_eq!(roots, [None, None, Some(69), Some(69), Some(69)]);
    assert_eq!(error.count(), 5);
}

#[test]
fn nothing_is_hidden_by_settings_that_fail() {
    let result = load(&scratch(), "SET ROLE no_such_role; CREATE TABLE t (a int); RESET ROLE; CREATE TABLE u (a int)");
    assert_eq!(codes(&result), ["22023"]);
}
