//! `pg_service.conf`: named sets of connection parameters.

use super::parameters::{Parameters, known};
use super::{Environment, Error};
use std::path::PathBuf;

/// Folders of a system-wide `pg_service.conf`, where `PGSYSCONFDIR` does not say (`pg_config --sysconfdir`).
const SYSTEM: &[&str] = &["/etc/postgresql-common", "/etc/sysconfig/pgsql", "/etc/pgsql", "/usr/local/etc/postgresql"];

/// Reads the parameters of one service: from the user's file, else from the system's.
pub(super) fn read(service: &str, file: Option<&str>, environment: &Environment) -> Result<Parameters, Error> {
    let files = files(file, environment);
    for path in &files {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                if let Some(found) = section(&text, service, path)? {
                    return Ok(found);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Read { what: "service file", path: path.clone(), source }),
        }
    }
    Err(Error::Service { service: service.to_owned(), files })
}

fn files(file: Option<&str>, environment: &Environment) -> Vec<PathBuf> {
    let user = file.map(PathBuf::from).or_else(|| environment.in_home(".pg_service.conf"));
    let system: Vec<PathBuf> = match environment.get("PGSYSCONFDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => SYSTEM.iter().map(PathBuf::from).collect(),
    };
    user.into_iter().chain(system.into_iter().map(|folder| folder.join("pg_service.conf"))).collect()
}

/// The parameters of `[service]`, if the file has such a section.
fn section(text: &str, service: &str, path: &std::path::Path) -> Result<Option<Parameters>, Error> {
    let wrong =
        |line: usize, what: &str| Error::ServiceSyntax { path: path.to_owned(), line: line + 1, what: what.to_owned() };
    let mut found = None;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            if name.strip_suffix(']').is_some_and(|name| name == service) {
                found = Some(Parameters::new());
            }
            continue;
        }
        let Some(found) = &mut found else { continue };
        if line.starts_with("ldap") {
            return Err(wrong(number, "services that are looked up in LDAP are not supported"));
        }
        let (name, value) = line.split_once('=').ok_or_else(|| wrong(number, "expected `parameter=value`"))?;
        match known(name.trim()) {
            Some("service" | "servicefile") => return Err(wrong(number, "a service cannot refer to another service")),
            Some(name) => {
                // libpq keeps the first of two equal ones.
                found.entry(name).or_insert_with(|| value.trim().to_owned());
            }
            None => return Err(wrong(number, "libpq knows no parameter of this name")),
        }
    }
    Ok(found)
}
