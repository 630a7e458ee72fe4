//! Parameters from every source become a [`Target`], in libpq's order of precedence.

use super::parameters::{self, KNOWN, Parameters};
use super::{Environment, Error, Keepalive, Place, SOCKET_FOLDERS, Secret, Session, Target, service, tls};
use postgres::config::ChannelBinding;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) const PORT: u16 = 5432;
pub(super) const APPLICATION_NAME: &str = "reconcile";
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) fn resolve(text: Option<&str>, environment: &Environment) -> Result<Target, Error> {
    let given = gather(text, environment)?;
    refuse(&given)?;
    let get = |name: &str| given.get(name).map(String::as_str);
    let user = match get("user").or_else(|| environment.user()) {
        Some(user) => user.to_owned(),
        None => return Err(Error::parameter("user", "none is given, and the operating system's user has no name")),
    };
    Ok(Target {
        places: places(&given)?,
        database: get("dbname").map_or_else(|| user.clone(), str::to_owned),
        user,
        password: get("password").map(|password| Secret(password.to_owned())),
        passfile: get("passfile").map(PathBuf::from).or_else(|| environment.in_home(".pgpass")),
        application_name: get("application_name")
            .or_else(|| get("fallback_application_name"))
            .unwrap_or(APPLICATION_NAME)
            .to_owned(),
        options: get("options").map(str::to_owned),
        connect_timeout: connect_timeout(&given)?,
        keepalive: Keepalive {
            off: get("keepalives") == Some("0"),
            idle: seconds(&given, "keepalives_idle")?,
            interval: seconds(&given, "keepalives_interval")?,
            count: number(&given, "keepalives_count")?,
            user_timeout: number(&given, "tcp_user_timeout")?.map(|millis| Duration::from_millis(u64::from(millis))),
        },
        session: session(get("target_session_attrs"))?,
        shuffle: match get("load_balance_hosts") {
            None | Some("disable") => false,
            Some("random") => true,
            Some(_) => return Err(Error::parameter("load_balance_hosts", "expected disable or random")),
        },
        channel_binding: match get("channel_binding") {
            None | Some("prefer") => ChannelBinding::Prefer,
            Some("disable") => ChannelBinding::Disable,
            Some("require") => ChannelBinding::Require,
            Some(_) => return Err(Error::parameter("channel_binding", "expected disable, prefer or require")),
        },
        tls: tls::Settings::resolve(&given, environment)?,
    })
}

/// Puts the sources together: the text, then the service, then the variables. An empty value counts as not given.
fn gather(text: Option<&str>, environment: &Environment) -> Result<Parameters, Error> {
    let mut given = text.map(parameters::parse).transpose()?.unwrap_or_default();
    given.retain(|_, value| !value.is_empty());
    let service = given.get("service").map(String::as_str).or_else(|| environment.get("PGSERVICE"));
    if let Some(name) = service {
        let file = given.get("servicefile").map(String::as_str).or_else(|| environment.get("PGSERVICEFILE"));
        let mut found = service::read(name, file, environment)?;
        found.retain(|_, value| !value.is_empty());
        found.append(&mut given);
        given = found;
    }
    for (name, variable) in KNOWN {
        if let Some(value) = environment.get(variable) {
            given.entry(name).or_insert_with(|| value.to_owned());
        }
    }
    Ok(given)
}

/// Refuses what would be less safe or other than asked for if it were left out.
fn refuse(given: &Parameters) -> Result<(), Error> {
    const NEVER: &[(&str, &str)] = &[
        ("require_auth", ""),
        ("requirepeer", ""),
        ("sslcrldir", ""),
        ("scram_client_key", ""),
        ("scram_server_key", ""),
        ("oauth_issuer", ""),
        ("oauth_client_id", ""),
        ("oauth_client_secret", ""),
        ("oauth_scope", ""),
    ];
    for (name, _) in NEVER {
        if given.contains_key(name) {
            return Err(Error::parameter(name, "this parameter is not supported"));
        }
    }
    if given.get("gssencmode").is_some_and(|mode| mode == "require") {
        return Err(Error::parameter("gssencmode", "GSS encryption is not supported"));
    }
    if given.get("replication").is_some_and(|value| !["0", "false", "off", "no"].contains(&value.as_str())) {
        return Err(Error::parameter("replication", "replication connections run no DDL"));
    }
    Ok(())
}

/// Pairs hosts, addresses and ports; each list may name several servers, to be tried in turn.
fn places(given: &Parameters) -> Result<Vec<Place>, Error> {
    let list = |name: &str| given.get(name).map(|text| text.split(',').map(str::trim).collect::<Vec<_>>());
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port").unwrap_or_default());
    let count = hosts.as_ref().or(addresses.as_ref()).map_or(1, Vec::len);
    if addresses.as_ref().is_some_and(|addresses| addresses.len() != count) {
        return Err(Error::parameter("hostaddr", "there must be as many addresses as hosts"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(Error::parameter("port", "there must be one port, or as many as hosts"));
    }
    let mut places = Vec::new();
    for at in 0..count {
        let port = match ports.get(at).or_else(|| ports.first()).copied().unwrap_or_default() {
            "" => PORT,
            text => match text.parse::<u16>() {
                Ok(port) if port > 0 => port,
                _ => return Err(Error::parameter("port", "expected a number from 1 to 65535")),
            },
        };
        let address = match addresses.as_ref().and_then(|addresses| addresses.get(at)).copied().unwrap_or_default() {
            "" => None,
            text => Some(text.parse().map_err(|_| Error::parameter("hostaddr", "expected an IP address"))?),
        };
        let name = hosts.as_ref().and_then(|hosts| hosts.get(at)).copied().unwrap_or_default();
        match (name, address) {
            ("", None) => places.extend(default_places(port)),
            ("", Some(_)) => places.push(Place { socket: None, name: None, address, port }),
            (folder, None) if folder.starts_with(['/', '@']) => {
                places.push(Place { socket: Some(PathBuf::from(folder)), name: None, address: None, port });
            }
            (name, address) => places.push(Place { socket: None, name: Some(name.to_owned()), address, port }),
        }
    }
    Ok(places)
}

/// Without a host: the Unix sockets that exist, else the usual folder and this machine's TCP port.
fn default_places(port: u16) -> Vec<Place> {
    let socket = |folder: &str| Place { socket: Some(PathBuf::from(folder)), name: None, address: None, port };
    let local = Place { socket: None, name: Some("localhost".to_owned()), address: None, port };
    let there = SOCKET_FOLDERS.iter().filter(|folder| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists());
    let mut places: Vec<Place> = there.map(|folder| socket(folder)).collect();
    if places.is_empty() {
        places.push(local);
    }
    places
}

fn session(text: Option<&str>) -> Result<Session, Error> {
    Ok(match text {
        None | Some("any") => Session::Any,
        Some("read-write") => Session::ReadWrite,
        Some("read-only") => Session::ReadOnly,
        Some("primary") => Session::Primary,
        Some("standby") => Session::Standby,
        Some("prefer-standby") => Session::PreferStandby,
        Some(_) => {
            let what = "expected any, read-write, read-only, primary, standby or prefer-standby";
            return Err(Error::parameter("target_session_attrs", what));
        }
    })
}

/// libpq: 0 or a negative number waits for ever, and 1 counts as 2.
fn connect_timeout(given: &Parameters) -> Result<Option<Duration>, Error> {
    let Some(text) = given.get("connect_timeout") else { return Ok(Some(CONNECT_TIMEOUT)) };
    match text.trim().parse::<i64>() {
        Ok(seconds) if seconds <= 0 => Ok(None),
        Ok(seconds) => Ok(Some(Duration::from_secs(seconds.max(2).unsigned_abs()))),
        Err(_) => Err(Error::parameter("connect_timeout", "expected a number of seconds")),
    }
}

fn seconds(given: &Parameters, name: &'static str) -> Result<Option<Duration>, Error> {
    Ok(number(given, name)?.map(|seconds| Duration::from_secs(u64::from(seconds))))
}

fn number(given: &Parameters, name: &'static str) -> Result<Option<u32>, Error> {
    match given.get(name).map(|text| text.trim().parse::<u32>()) {
        None | Some(Ok(0)) => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(Error::parameter(name, "expected a number")),
    }
}
