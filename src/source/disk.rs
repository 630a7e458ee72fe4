//! Bytes from files and standard input become text.

use super::error::Error;
use super::statement::Location;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Spans count 32 bits.
pub(super) const LARGEST: usize = 1 << 30;

pub(super) const STANDARD_INPUT: &str = "<stdin>";

pub(super) fn standard_input() -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Collects a folder's SQL files; what is hidden stays so.
pub(super) fn list(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            list(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql")) {
            found.push(path);
        }
    }
    Ok(())
}

/// PostgreSQL takes no byte 0, and everything here is UTF-8.
pub(super) fn decode(path: Option<&Path>, bytes: Vec<u8>) -> Result<String, Error> {
    let name = path.map_or_else(|| STANDARD_INPUT.to_owned(), |path| path.display().to_string());
    if bytes.len() > LARGEST {
        return Err(Error::TooLarge { path: name.into() });
    }
    let at = |bytes: &[u8]| {
        let line = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Location { path: name.clone(), line, column: String::from_utf8_lossy(&bytes[start..]).chars().count() + 1 }
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::NotText { at: at(&[]), what: "this is UTF-16; save it as UTF-8".to_owned() });
    }
    match String::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => Ok(text),
            Some(zero) => {
                Err(Error::NotText { at: at(&text.as_bytes()[..zero]), what: "a byte 0 is no text".to_owned() })
            }
        },
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let bytes = error.as_bytes();
            let what = format!("byte 0x{:02x} is not UTF-8; save the file as UTF-8", bytes.get(valid).unwrap_or(&0));
            Err(Error::NotText { at: at(&bytes[..valid]), what })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        decode(Some(Path::new("x.sql")), bytes.to_vec()).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_is_no_text_is_found_by_line() {
        assert_eq!(error(b"SELECT 1;\n-- caf\xe9\n"), "x.sql:2:7: byte 0xe9 is not UTF-8; save the file as UTF-8");
        assert_eq!(error(b"SELECT '\0'"), "x.sql:1:9: a byte 0 is no text");
        assert_eq!(error(b"\xff\xfeS\0"), "x.sql:1:1: this is UTF-16; save it as UTF-8");
    }
}
