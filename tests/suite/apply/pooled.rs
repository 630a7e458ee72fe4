//! A pooler that gives each transaction another server session.

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

use reconcile::{
    apply::{Error, Options, apply},
    connect::Target,
};

use super::{database, there, value};
use crate::{engine::folder_of, handmade::Handmade};

/// One message of the protocol: its type, and the rest with its length.
fn message(stream: &mut UnixStream) -> std::io::Result<(u8, Vec<u8>)> {
    let mut kind = [0];
    stream.read_exact(&mut kind)?;
    Ok((kind[0], rest(stream)?))
}

/// A length, and as many bytes as it says.
fn rest(stream: &mut UnixStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut bytes = length.to_vec();
    bytes.resize(u32::from_be_bytes(length) as usize, 0);
    stream.read_exact(&mut bytes[4..])?;
    Ok(bytes)
}

/// Passes on what the server says until it is ready for more.
fn until_ready(server: &mut UnixStream, client: &mut UnixStream) -> std::io::Result<()> {
    loop {
        let (kind, bytes) = message(server)?;
        client.write_all(&[&[kind], bytes.as_slice()].concat())?;
        if kind == b'Z' {
            return Ok(());
        }
    }
}

/// Serves one client: each transaction runs in the other one of two sessions.
fn serve(mut client: UnixStream, place: &Path) -> std::io::Result<()> {
    let startup = rest(&mut client)?;
    let mut first = UnixStream::connect(place)?;
    first.write_all(&startup)?;
    let (kind, question) = message(&mut first)?;
    assert_eq!((kind, &question[4..8]), (b'R', &[0, 0, 0, 3][..]), "the server asks for a clear password");
    client.write_all(&[&[kind], question.as_slice()].concat())?;
    let (kind, password) = message(&mut client)?;
    let password = [&[kind], password.as_slice()].concat();
    first.write_all(&password)?;
    until_ready(&mut first, &mut client)?;
    let mut second = UnixStream::connect(place)?;
    second.write_all(&startup)?;
    message(&mut second)?;
    second.write_all(&password)?;
    while message(&mut second)?.0 != b'Z' {}
    let mut sessions = [first, second];
    while let Ok((kind, bytes)) = message(&mut client) {
        if kind == b'Q' && bytes[4..].starts_with(b"START TRANSACTION") {
            sessions.swap(0, 1);
        }
        sessions[0].write_all(&[&[kind], bytes.as_slice()].concat())?;
        if kind == b'Q' || kind == b'S' {
            until_ready(&mut sessions[0], &mut client)?;
        }
    }
    Ok(())
}

/// A way to the same database through a pooler.
fn through_pooler(target: &Target, folder: &Path) -> Target {
    let get = |name| target.variables().into_iter().find_map(|(it, value)| (it == name).then_some(value)).unwrap();
    let place: PathBuf = folder_of(target).join(format!(".s.PGSQL.{}", get("PGPORT")));
    let listener = UnixListener::bind(folder.join(".s.PGSQL.6432")).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let place = place.clone();
            std::thread::spawn(move || serve(client, &place));
        }
    });
    Target::socket(folder, 6432, target.user(), target.database()).with_password(&get("PGPASSWORD"))
}

#[test]
fn a_pooler_that_changes_the_session_is_noticed_before_anything_changes() {
    let database = database("CREATE SCHEMA app");
    let plan = Handmade::new(&database).step("CREATE TABLE app.new (id integer)").plan();
    let folder = tempfile::tempdir().unwrap();
    let pooled = through_pooler(&database.target(), folder.path());
    let error = apply(&pooled, &plan, &Options::default(), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Pooled), "{error}");
    assert!(!there(&database, "app.new"));
    assert_eq!(value(&database, "to_regnamespace('reconcile')"), "", "nothing is recorded");
}
