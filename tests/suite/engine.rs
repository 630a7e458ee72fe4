//! The engine's ways to a scratch PostgreSQL, each of them real.

use crate::server::{majors, server};
use reconcile::engine::{Engine, Settings, Spec};

#[test]
fn a_cluster_is_started_and_holds_databases() {
    let engine = Engine::start(&Settings::default(), 15, None).unwrap();
    let scratch = engine.database(&Spec { role: "postgres".into(), ..Spec::default() }).unwrap();
    let mut client = scratch.connect().unwrap();
    client.batch_execute("CREATE TABLE t (a int); CREATE SCHEMA s").unwrap();
    drop(client);
    let copy = scratch.copy().unwrap();
    copy.connect().unwrap().batch_execute("SELECT a FROM t").unwrap();
    drop(copy);
    drop(scratch);
    drop(engine);
}

#[test]
fn the_shared_server_is_one() {
    assert!(std::ptr::eq(server(15), server(15)));
    assert_eq!(server(15).major(), 15);
}

#[test]
fn every_major_version_starts() {
    for major in majors() {
        let scratch = server(major).database(&Spec::default()).unwrap();
        let row = scratch.connect().unwrap().query_one("SELECT current_setting('server_version_num')", &[]).unwrap();
        assert!(row.get::<_, &str>(0).starts_with(&major.to_string()));
    }
}
