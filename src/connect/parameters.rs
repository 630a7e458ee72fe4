//! Connection strings in both of libpq's forms become parameters by name.

use super::Error;
use std::collections::BTreeMap;

/// Connection parameters by libpq's names, as text.
pub(super) type Parameters = BTreeMap<&'static str, String>;

/// Every parameter that libpq of PostgreSQL 18 knows, with the variable that gives its default.
///
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>
pub(super) const KNOWN: &[(&str, &str)] = &[
    ("application_name", "PGAPPNAME"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
    ("gsslib", "PGGSSLIB"),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION"),
    ("min_protocol_version", "PGMINPROTOCOLVERSION"),
    ("oauth_client_id", ""),
    ("oauth_client_secret", ""),
    ("oauth_issuer", ""),
    ("oauth_scope", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("replication", ""),
    ("require_auth", "PGREQUIREAUTH"),
    ("requirepeer", "PGREQUIREPEER"),
    ("requiressl", "PGREQUIRESSL"),
    ("scram_client_key", ""),
    ("scram_server_key", ""),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslkey", "PGSSLKEY"),
    ("sslkeylogfile", ""),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", "PGSSLSNI"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// Looks a parameter's name up in the list of known ones.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN.binary_search_by_key(&name, |(known, _)| known).ok().map(|at| KNOWN[at].0)
}

/// Reads a URL, a key=value string, or the plain name of a database.
pub(super) fn parse(text: &str) -> Result<Parameters, Error> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        url(rest)
    } else if text.split(['=', ' ', '\'']).next().is_some_and(|head| head.contains("://")) {
        Err(Error::syntax("the URL does not start with postgres:// or postgresql://"))
    } else if text.contains('=') {
        key_values(text)
    } else {
        Ok(Parameters::from([("dbname", text.to_owned())]))
    }
}

/// Reads what follows `postgres://`. Messages never repeat the text: any part of it may be a password
/// in which a character should have been percent-encoded.
fn url(text: &str) -> Result<Parameters, Error> {
    const ENCODE: &str = "(in a URL, `@ : / ? % #` and spaces of a password are percent-encoded: `@` is %40)";
    let mut found = Parameters::new();
    let (place, query) = text.split_once('?').map_or((text, None), |(place, query)| (place, Some(query)));
    let (authority, path) = place.split_once('/').map_or((place, None), |(authority, path)| (authority, Some(path)));
    let (login, hosts) = authority.split_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
    if hosts.contains('@') || path.is_some_and(|path| path.contains('@')) {
        return Err(Error::syntax(format!("the URL holds an `@` too many {ENCODE}")));
    }
    if let Some(login) = login {
        let (user, password) = login.split_once(':').map_or((login, None), |(user, pass)| (user, Some(pass)));
        set(&mut found, "user", &decode(user)?);
        set(&mut found, "password", &decode(password.unwrap_or_default())?);
    }
    let (names, ports) = hosts_and_ports(hosts)?;
    if ports.iter().any(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
        return Err(Error::syntax(format!("the port in the URL is not a number {ENCODE}")));
    }
    if names.iter().any(|name| !name.is_empty()) {
        found.insert("host", names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        found.insert("port", ports.join(","));
    }
    set(&mut found, "dbname", &decode(path.unwrap_or_default())?);
    for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Error::syntax(format!("a parameter behind the URL's `?` has no `=` {ENCODE}")))?;
        let (name, value) = (decode(name)?, decode(value)?);
        // As libpq does for JDBC's sake.
        let (name, value) =
            if name == "ssl" && value == "true" { ("sslmode".into(), "require".into()) } else { (name, value) };
        let name = known(&name).ok_or_else(|| unknown(&name, text))?;
        found.insert(name, value);
    }
    Ok(found)
}

/// Splits `host:port,[::1]:port,…`, and decodes the hosts.
fn hosts_and_ports(text: &str) -> Result<(Vec<String>, Vec<String>), Error> {
    let mut names = Vec::new();
    let mut ports = Vec::new();
    for one in text.split(',') {
        let (name, port) = if let Some(rest) = one.strip_prefix('[') {
            let (name, rest) =
                rest.split_once(']').ok_or_else(|| Error::syntax("an IPv6 address in the URL has no closing `]`"))?;
            (name, rest.strip_prefix(':').unwrap_or_default())
        } else {
            one.split_once(':').unwrap_or((one, ""))
        };
        names.push(decode(name)?);
        ports.push(decode(port)?);
    }
    Ok((names, ports))
}

/// Reads `key=value key='va l\'ue'`.
fn key_values(text: &str) -> Result<Parameters, Error> {
    let mut found = Parameters::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let number = found.len() + 1;
        let (name, after) = rest
            .split_once('=')
            .ok_or_else(|| Error::syntax(format!("parameter {number} of the connection string has no `=`")))?;
        let name = name.trim_end();
        let name = known(name).ok_or_else(|| unknown(name, text))?;
        let (value, after) = value(after.trim_start())
            .ok_or_else(|| Error::syntax(format!("the value of `{name}` in the connection string is not closed")))?;
        found.insert(name, value);
        rest = after.trim_start();
    }
    Ok(found)
}

/// Reads one value, quoted or not, and returns what follows it; nothing when a quote is not closed.
fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let mut out = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => out.push(chars.next()?.1),
            '\'' if quoted => return Some((out, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Some((out, &text[at..])),
            c => out.push(c),
        }
    }
    (!quoted).then_some((out, ""))
}

fn set(found: &mut Parameters, name: &'static str, value: &str) {
    if !value.is_empty() {
        found.insert(name, value.to_owned());
    }
}

/// Says that a parameter is unknown; names it only where it cannot be a piece of a password.
fn unknown(name: &str, text: &str) -> Error {
    let secret = text.contains('@') || text.to_ascii_lowercase().contains("pass");
    if secret {
        Error::syntax("the connection string has a parameter that libpq does not know")
    } else {
        Error::syntax(format!("libpq knows no connection parameter `{name}`"))
    }
}

/// Resolves `%40` and its like.
fn decode(text: &str) -> Result<String, Error> {
    let wrong = || Error::syntax("a `%` in the URL is not followed by two hexadecimal digits (a `%` itself is %25)");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16)).ok_or_else(wrong);
            let code = digit()? * 16 + digit()?;
            bytes.push(u8::try_from(code).map_err(|_| wrong())?);
        } else {
            bytes.push(byte);
        }
    }
    if bytes.contains(&0) {
        return Err(Error::syntax("the URL holds a %00"));
    }
    String::from_utf8(bytes).map_err(|_| Error::syntax("the URL is not UTF-8 once its `%` codes are resolved"))
}

/// Encodes what has a meaning of its own in a URL.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::KNOWN;

    #[test]
    fn known_parameters_can_be_searched() {
        assert!(KNOWN.is_sorted());
    }
}
