//! Connects to the places of a target in turn, with TLS as asked for, and explains failures.

use super::tls::Mode;
use super::{Error, Place, Refusal, Secret, Session, Target, passfile};
use postgres::config::{Host, SslMode, SslNegotiation};
use postgres::error::SqlState;
use postgres::{Client, NoTls};
use std::error::Error as _;
use std::hash::BuildHasher as _;
use std::sync::mpsc;

pub(super) fn connect(target: &Target) -> Result<Client, Error> {
    let mut places: Vec<&Place> = target.places.iter().collect();
    if target.shuffle {
        let random = std::hash::RandomState::new();
        places.sort_by_cached_key(|place| random.hash_one((place.to_string(), 0)));
    }
    let wishes: &[Session] = match target.session {
        Session::PreferStandby => &[Session::Standby, Session::Any],
        ref wish => std::slice::from_ref(wish),
    };
    let mut failure = None;
    for wish in wishes {
        for place in &places {
            match at_place(target, place, *wish) {
                Ok(client) => return Ok(client),
                // Another server knows the same users: as libpq does, only go on when this one cannot be used at all.
                Err(error) if error.sqlstate().is_some_and(|code| !code.starts_with("57P")) => return Err(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
    }
    Err(failure.unwrap_or_else(|| Error::parameter("host", "no server is named")))
}

/// Looks the password up for one place.
pub(super) fn password(target: &Target, place: &Place, warnings: &mut Vec<String>) -> Option<Secret> {
    target.password.clone().or_else(|| {
        let path = target.passfile.as_ref()?;
        passfile::password(path, place, &target.database, &target.user, warnings)
    })
}

fn at_place(target: &Target, place: &Place, wish: Session) -> Result<Client, Error> {
    // PostgreSQL has no TLS on Unix sockets, and libpq ignores sslmode there.
    let mode = if place.socket.is_some() { Mode::Disable } else { target.tls.mode };
    let explain = |error: &postgres::Error| failed(target, place, error);
    let mut client = match mode {
        Mode::Disable => attempt(target, place, SslMode::Disable)?.map_err(|error| explain(&error))?,
        Mode::Allow => match attempt(target, place, SslMode::Disable)? {
            Err(error) if about_encryption(&error) => {
                attempt(target, place, SslMode::Require)?.map_err(|error| explain(&error))?
            }
            other => other.map_err(|error| explain(&error))?,
        },
        Mode::Prefer => match attempt(target, place, SslMode::Prefer)? {
            Err(error) if about_encryption(&error) => {
                attempt(target, place, SslMode::Disable)?.map_err(|_| explain(&error))?
            }
            other => other.map_err(|error| explain(&error))?,
        },
        Mode::Require | Mode::VerifyCa | Mode::VerifyFull => {
            attempt(target, place, SslMode::Require)?.map_err(|error| explain(&error))?
        }
    };
    check_session(target, place, &mut client, wish)?;
    Ok(client)
}

/// Connects once, within the time limit: also a server that accepts and then says nothing must not hold us up.
fn attempt(target: &Target, place: &Place, ssl: SslMode) -> Result<Result<Client, postgres::Error>, Error> {
    let config = config(target, place, ssl);
    let tls = if ssl == SslMode::Disable { None } else { Some(target.tls.connector()?) };
    let connect = move || match tls {
        Some(tls) => config.connect(tls),
        None => config.connect(NoTls),
    };
    let Some(limit) = target.connect_timeout.filter(|_| place.socket.is_none()) else { return Ok(connect()) };
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(connect())));
    receive.recv_timeout(limit).map_err(|_| {
        let message = format!("no answer within {} s", limit.as_secs());
        failure(
            target,
            place,
            None,
            message,
            vec!["check host and port, and that no firewall stands in between; connect_timeout=… waits longer".into()],
        )
    })
}

fn config(target: &Target, place: &Place, ssl: SslMode) -> postgres::Config {
    let mut config = postgres::Config::new();
    config.user(&target.user).dbname(&target.database).port(place.port).ssl_mode(ssl);
    config.application_name(&target.application_name).channel_binding(target.channel_binding);
    match &place.socket {
        Some(folder) => config.host_path(folder),
        None => config.host(&place.host()),
    };
    if let Some(address) = place.address {
        config.hostaddr(address);
    }
    if target.tls.direct && ssl != SslMode::Disable {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    if let Some(password) = password(target, place, &mut Vec::new()) {
        config.password(password.0);
    }
    if let Some(options) = &target.options {
        config.options(options);
    }
    let keepalive = &target.keepalive;
    config.keepalives(!keepalive.off);
    keepalive.idle.map(|idle| config.keepalives_idle(idle));
    keepalive.interval.map(|interval| config.keepalives_interval(interval));
    keepalive.count.map(|count| config.keepalives_retries(count));
    keepalive.user_timeout.map(|timeout| config.tcp_user_timeout(timeout));
    target.connect_timeout.map(|timeout| config.connect_timeout(timeout));
    debug_assert!(matches!(config.get_hosts(), [Host::Tcp(_) | Host::Unix(_)]));
    config
}

/// Whether the same attempt with or without TLS may have a better end: a failed handshake, or no pg_hba.conf entry.
fn about_encryption(error: &postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().starts_with("error performing TLS handshake"),
    }
}

fn check_session(target: &Target, place: &Place, client: &mut Client, wish: Session) -> Result<(), Error> {
    const QUERY: &str = "SELECT pg_catalog.pg_is_in_recovery(), \
        pg_catalog.current_setting('transaction_read_only') = 'on'";
    if wish == Session::Any {
        return Ok(());
    }
    let row = client.query_one(QUERY, &[]).map_err(|error| failed(target, place, &error))?;
    let (standby, read_only): (bool, bool) = (row.get(0), row.get(1));
    let (fits, what) = match wish {
        Session::Any | Session::PreferStandby => (true, ""),
        Session::ReadWrite => (!read_only, "the session is read-only"),
        Session::ReadOnly => (read_only, "the session is not read-only"),
        Session::Primary => (!standby, "the server is a standby"),
        Session::Standby => (standby, "the server is not a standby"),
    };
    if fits {
        Ok(())
    } else {
        Err(failure(target, place, None, what.to_owned(), vec!["see target_session_attrs".into()]))
    }
}

fn failure(target: &Target, place: &Place, sqlstate: Option<String>, message: String, hints: Vec<String>) -> Error {
    Error::Connect(Box::new(Refusal {
        place: place.to_string(),
        database: target.database.clone(),
        user: target.user.clone(),
        sqlstate,
        message,
        hints,
    }))
}

/// Turns the driver's error into ours, with what to do about it.
fn failed(target: &Target, place: &Place, error: &postgres::Error) -> Error {
    let mut warnings = Vec::new();
    let has_password = password(target, place, &mut warnings).is_some();
    let (sqlstate, message) = match error.as_db_error() {
        Some(error) => (Some(error.code().code().to_owned()), error.message().to_owned()),
        None => (None, chain(error)),
    };
    let mut hints = warnings;
    hints.extend(error.as_db_error().and_then(|error| error.hint()).map(str::to_owned));
    hints.extend(match error.code() {
        Some(code) => server_hint(target, code, &message, has_password),
        None => client_hint(target, place, &message),
    });
    failure(target, place, sqlstate, message, hints)
}

/// The driver's message with everything beneath it: `error connecting to server: Connection refused`.
fn chain(error: &postgres::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !out.contains(&text) {
            out.push_str(": ");
            out.push_str(&text);
        }
        source = cause.source();
    }
    out
}

const PASSWORDS: &str = "give the password in PGPASSWORD, in ~/.pgpass (mode 0600), or in the connection string";

fn server_hint(target: &Target, code: &SqlState, message: &str, has_password: bool) -> Option<String> {
    let user = &target.user;
    let database = &target.database;
    if *code == SqlState::INVALID_PASSWORD {
        Some(if has_password { format!("the password for user \"{user}\" is not right") } else { PASSWORDS.to_owned() })
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION && message.contains("no encryption") {
        Some("the server takes encrypted connections only: add sslmode=require or stronger".to_owned())
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION && message.contains("pg_hba.conf") {
        Some("the server's pg_hba.conf has no line for this host, user and database".to_owned())
    } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
        Some(format!("does the user \"{user}\" exist? name another one with user=…, in the URL, or in PGUSER"))
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        Some(format!("create it: CREATE DATABASE {}, or name another one", crate::sql::ident(database)))
    } else if *code == SqlState::TOO_MANY_CONNECTIONS {
        Some("all connections of the server are taken: close some, or raise max_connections".to_owned())
    } else if *code == SqlState::CANNOT_CONNECT_NOW {
        Some("the server is starting up or shutting down: try again in a moment".to_owned())
    } else {
        None
    }
}

fn client_hint(target: &Target, place: &Place, message: &str) -> Option<String> {
    let has = |text: &str| message.contains(text);
    Some(if has("password missing") {
        PASSWORDS.to_owned()
    } else if has("Connection refused") || has("No such file or directory") {
        format!("no server listens at {place}: is it running, and is this the right host and port?")
    } else if has("failed to lookup address") || has("Name or service not known") {
        "the host name is not known: is it spelled right?".to_owned()
    } else if has("Permission denied") {
        format!("the socket {place} cannot be opened by this user of the operating system")
    } else if has("server does not support TLS") {
        format!("the server has no TLS; sslmode={} insists on it", target.tls.mode.name())
    } else if has("UnknownIssuer") {
        "the server's certificate is not signed by an authority of sslrootcert".to_owned()
    } else if has("not valid for name") || has("NotValidForName") {
        format!("the server's certificate is not for \"{}\": use the name that it carries", place.host())
    } else if has("UnsupportedCertVersion") {
        "the server's certificate is of X.509 version 1: make one of version 3 (with a subjectAltName)".to_owned()
    } else {
        return None;
    })
}
