//! Connections: URLs, key=value strings, the PG* environment, password and service files, TLS.

mod dial;
mod environment;
mod error;
mod parameters;
mod passfile;
mod resolve;
mod service;
mod tls;

pub use environment::Environment;
pub use error::{Error, Refusal};

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Folders in which libpq looks for a server's Unix socket when no host is given.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// Where to connect, as whom, and how: everything resolved except what only the server can say.
///
/// Neither `Debug` nor `Display` shows a password.
#[derive(Clone, Debug)]
pub struct Target {
    places: Vec<Place>,
    user: String,
    database: String,
    password: Option<Secret>,
    passfile: Option<PathBuf>,
    application_name: String,
    options: Option<String>,
    connect_timeout: Option<Duration>,
    keepalive: Keepalive,
    session: Session,
    shuffle: bool,
    channel_binding: postgres::config::ChannelBinding,
    tls: tls::Settings,
}

/// One server to try: a socket's folder, or a name, an address, or both.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    socket: Option<PathBuf>,
    name: Option<String>,
    address: Option<IpAddr>,
    port: u16,
}

/// How TCP notices that the other side is gone.
#[derive(Clone, Debug, Default)]
struct Keepalive {
    off: bool,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
    user_timeout: Option<Duration>,
}

/// `target_session_attrs`: which of several servers is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Session {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Target {
    /// Resolves a connection string, or none, with what the environment and the service file add.
    ///
    /// The text is a URL (`postgres://…`), a `key=value` string, or the plain name of a database. The order is
    /// libpq's: the text, then the service, then the `PG*` variables, then the defaults.
    ///
    /// # Errors
    /// When the text, the service file or a value cannot be understood. The text itself is never repeated.
    pub fn resolve(text: Option<&str>, environment: &Environment) -> Result<Self, Error> {
        resolve::resolve(text, environment)
    }

    /// Describes a server of our own by its socket's folder.
    pub fn socket(folder: impl Into<PathBuf>, port: u16, user: &str, database: &str) -> Self {
        Self {
            places: vec![Place { socket: Some(folder.into()), name: None, address: None, port }],
            user: user.to_owned(),
            database: database.to_owned(),
            password: None,
            passfile: None,
            application_name: resolve::APPLICATION_NAME.to_owned(),
            options: None,
            connect_timeout: Some(resolve::CONNECT_TIMEOUT),
            keepalive: Keepalive::default(),
            session: Session::Any,
            shuffle: false,
            channel_binding: postgres::config::ChannelBinding::Prefer,
            tls: tls::Settings::default(),
        }
    }

    /// Connects: to the first place that answers, with UTF8 as the client's encoding.
    ///
    /// # Errors
    /// [`Error::Connect`] with the place, database, user, SQLSTATE and hints; [`Error::Tls`] for unusable
    /// certificates and keys.
    pub fn connect(&self) -> Result<postgres::Client, Error> {
        dial::connect(self)
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The name of the user.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The same server and user, another database.
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The same server and database, another user. A password that was given stays.
    pub fn with_user(&self, user: &str) -> Self {
        Self { user: user.to_owned(), ..self.clone() }
    }

    /// The same, with this password.
    pub fn with_password(&self, password: &str) -> Self {
        Self { password: Some(Secret(password.to_owned())), ..self.clone() }
    }

    /// The same, with a server setting for the whole session, such as `statement_timeout`.
    pub fn with_setting(&self, name: &str, value: &str) -> Self {
        let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
        let own = format!("-c {name}={value}");
        let options = self.options.as_ref().map_or_else(|| own.clone(), |given| format!("{given} {own}"));
        Self { options: Some(options), ..self.clone() }
    }

    /// The variables that make `psql` and `pg_dump` connect to the same place. The password is among them.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let hosts = self.places.iter().map(Place::host);
        let ports = self.places.iter().map(|place| place.port.to_string());
        let mut out = vec![
            ("PGHOST", crate::sql::join(hosts, ",")),
            ("PGPORT", crate::sql::join(ports, ",")),
            ("PGUSER", self.user.clone()),
            ("PGDATABASE", self.database.clone()),
            ("PGSSLMODE", self.tls.mode.name().to_owned()),
        ];
        out.extend(self.password.as_ref().map(|password| ("PGPASSWORD", password.0.clone())));
        out.extend(self.passfile.as_ref().map(|path| ("PGPASSFILE", path.display().to_string())));
        out.extend(self.options.as_ref().map(|options| ("PGOPTIONS", options.clone())));
        out
    }

    /// The target as a URL for people to read or to paste; it never holds a password.
    pub fn url(&self) -> String {
        use parameters::encode;
        let user = encode(&self.user);
        let database = encode(&self.database);
        if let [Place { socket: Some(folder), port, .. }] = self.places.as_slice() {
            let folder = encode(&folder.display().to_string()).replace("%2F", "/");
            let port = if *port == resolve::PORT { String::new() } else { format!("&port={port}") };
            return format!("postgres://{user}@/{database}?host={folder}{port}");
        }
        let places = crate::sql::join(self.places.iter().map(Place::in_url), ",");
        format!("postgres://{user}@{places}/{database}")
    }

    /// What should be told to the user although it stops nothing, such as a password file that others can read.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.password.is_none() {
            for place in &self.places {
                dial::password(self, place, &mut warnings);
            }
        }
        warnings.dedup();
        warnings
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

impl Place {
    /// The host as libpq's `host` parameter has it.
    fn host(&self) -> String {
        match (&self.socket, &self.name, &self.address) {
            (Some(folder), ..) => folder.display().to_string(),
            (None, Some(name), _) => name.clone(),
            (None, None, Some(address)) => address.to_string(),
            (None, None, None) => "localhost".to_owned(),
        }
    }

    fn in_url(&self) -> String {
        let host = self.host();
        let host = match (&self.socket, host.parse::<IpAddr>()) {
            (None, Ok(IpAddr::V6(_))) => format!("[{host}]"),
            (Some(_), _) => parameters::encode(&host),
            (None, _) => host,
        };
        if self.port == resolve::PORT { host } else { format!("{host}:{}", self.port) }
    }
}

/// For messages: `db.example.com:5432`, or the socket's path.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.socket, &self.name, &self.address) {
            (Some(folder), ..) => write!(f, "{}/.s.PGSQL.{}", folder.display(), self.port),
            (None, Some(name), Some(address)) => write!(f, "{name} ({address}):{}", self.port),
            (None, None, Some(IpAddr::V6(address))) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host(), self.port),
        }
    }
}
