//! `.pgpass`: passwords by host, port, database and user.

use super::{Place, Secret};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Looks up the password for a place; a file that others can read is not used, and the warning says so.
pub(super) fn password(
    path: &Path,
    place: &Place,
    database: &str,
    user: &str,
    warnings: &mut Vec<String>,
) -> Option<Secret> {
    let about = std::fs::metadata(path).ok()?;
    if !about.is_file() {
        warnings.push(format!("password file {} is not a plain file, so it is not used", path.display()));
        return None;
    }
    if about.mode() & 0o077 != 0 {
        warnings.push(format!(
            "password file {} can be read by others, so it is not used; run: chmod 0600 {}",
            path.display(),
            path.display()
        ));
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let host = host_in_file(place);
    let port = place.port.to_string();
    text.lines().find_map(|line| matching(line, [&host, &port, database, user]))
}

/// The host as libpq looks it up: the default socket folders are written `localhost`.
fn host_in_file(place: &Place) -> String {
    match (&place.socket, &place.name, &place.address) {
        (Some(folder), ..) if super::SOCKET_FOLDERS.iter().any(|known| Path::new(known) == folder) => {
            "localhost".into()
        }
        (Some(folder), ..) => PathBuf::from(folder).display().to_string(),
        (None, Some(name), _) => name.clone(),
        (None, None, Some(address)) => address.to_string(),
        (None, None, None) => "localhost".into(),
    }
}

/// The password at the end of a line whose first four fields are the wanted ones, or `*`.
fn matching(line: &str, wanted: [&str; 4]) -> Option<Secret> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = fields(line);
    if fields.len() < 5 {
        return None;
    }
    let password = fields.swap_remove(4);
    let equal = fields.iter().zip(wanted).all(|(field, wanted)| field.raw == "*" || field.text == wanted);
    (equal && !password.text.is_empty()).then_some(Secret(password.text))
}

/// One field: as written, and with its backslashes resolved.
struct Field {
    raw: String,
    text: String,
}

fn fields(line: &str) -> Vec<Field> {
    let mut out = vec![Field { raw: String::new(), text: String::new() }];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == ':' && out.len() < 5 {
            out.push(Field { raw: String::new(), text: String::new() });
            continue;
        }
        // The password too may end in `:`, which starts no further field that anyone reads.
        if c == ':' {
            break;
        }
        let Some(field) = out.last_mut() else { break };
        field.raw.push(c);
        if c == '\\' {
            if let Some(next) = chars.next() {
                field.raw.push(next);
                field.text.push(next);
            }
        } else {
            field.text.push(c);
        }
    }
    out
}
