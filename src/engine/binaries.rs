//! PostgreSQL programs on this machine: Debian, RHEL, Homebrew, Postgres.app, `PATH`, `pg_config`, named folders.

use super::account::Account;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with `postgres` and `initdb` of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder, usually called `bin`.
    pub folder: PathBuf,
    /// The version as the program prints it: `15.18`.
    pub version: String,
    /// The major version.
    pub major: u32,
}

/// What a search met: what fits, and each place with what was there.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) found: Vec<Binaries>,
    pub(super) looked_at: Vec<String>,
}

/// Where distributions put the programs of one version; `*` is any one folder.
const KNOWN: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/usr/local/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
];

impl Binaries {
    /// Asks the programs in a folder for their version, as the account that will run them.
    pub(super) fn probe(folder: &Path, account: &Account) -> Result<Self, String> {
        for program in ["postgres", "initdb"] {
            if !folder.join(program).is_file() {
                return Err(format!("no {program}"));
            }
        }
        let output = account
            .command(folder.join("postgres"))
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("cannot be run by {}: {error}", account.name()))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text.strip_prefix("postgres (").and_then(|rest| {
            let mut words = rest.split_once(')')?.1.split_whitespace();
            words.next().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        });
        let said =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).trim().to_owned()).concat();
        let version = version.ok_or_else(|| format!("`postgres --version` says: {said}"))?;
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        let major = digits.parse().map_err(|_| format!("version {version} is unknown"))?;
        Ok(Self { folder: folder.to_owned(), version: version.to_owned(), major })
    }

    /// The path of one of the programs.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Looks for programs of one major version (or of any): the named folders first, then the machine's. Stops at the first
/// that fits when a version is given.
pub(super) fn search(folders: &[PathBuf], major: Option<u32>, account: &Account) -> Search {
    let mut search = Search::default();
    let mut seen = BTreeSet::new();
    for candidate in candidates(folders, major) {
        let Ok(folder) = candidate.canonicalize() else {
            search.looked_at.push(format!("{}: not there", candidate.display()));
            continue;
        };
        if !seen.insert(folder.clone()) {
            continue;
        }
        match Binaries::probe(&folder, account) {
            Ok(binaries) if major.is_none_or(|major| major == binaries.major) => {
                search.found.push(binaries);
                if major.is_some() {
                    break;
                }
            }
            Ok(binaries) => search.looked_at.push(format!("{}: PostgreSQL {}", candidate.display(), binaries.version)),
            Err(why) => search.looked_at.push(format!("{}: {why}", candidate.display())),
        }
    }
    search
}

fn candidates(folders: &[PathBuf], major: Option<u32>) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for folder in folders {
        let below = [folder.clone(), folder.join("bin")];
        let found = below.into_iter().chain(expand(&folder.join("*/bin").display().to_string()));
        let found: Vec<_> = found.filter(|folder| folder.join("postgres").is_file()).collect();
        out.extend(if found.is_empty() { vec![folder.clone()] } else { found });
    }
    if let Some(major) = major {
        // The likely ones first, so that not every installed version is asked. A pattern's own folder is named in the
        // error even where nothing is there.
        let likely = KNOWN
            .iter()
            .filter(|pattern| pattern.contains('*'))
            .map(|pattern| pattern.replace('*', &major.to_string()));
        out.extend(likely.map(PathBuf::from));
    }
    out.extend(KNOWN.iter().flat_map(|pattern| expand(pattern)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    out.extend(on_path(&path));
    out.extend(by_pg_config(&path));
    out
}

/// The existing folders that fit a pattern with at most one `*`, newest version first.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return Some(PathBuf::from(pattern)).filter(|path| path.is_dir()).into_iter().collect();
    };
    let (parent, start) = before.rsplit_once('/').unwrap_or(("", before));
    let Ok(entries) = std::fs::read_dir(if parent.is_empty() { "/" } else { parent }) else { return Vec::new() };
    let mut found: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| {
            let number = name.strip_prefix(start)?.trim_start_matches(|c: char| !c.is_ascii_digit());
            let number: String = number.chars().take_while(char::is_ascii_digit).collect();
            Some((number.parse().unwrap_or(0), PathBuf::from(format!("{parent}/{name}{after}"))))
        })
        .filter(|(_, path)| path.is_dir())
        .collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The folders of `PATH` that hold a `postgres`, links resolved: distributions link it from elsewhere.
fn on_path(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path)
        .filter_map(|folder| folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect()
}

/// What `pg_config` says, which is on the `PATH` where the programs themselves are not.
fn by_pg_config(path: &OsStr) -> Option<PathBuf> {
    let program =
        std::env::split_paths(path).map(|folder| folder.join("pg_config")).find(|program| program.is_file())?;
    let output = Command::new(program).arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn program(folder: &Path, name: &str, script: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn every_layout_is_expanded_with_the_newest_version_first() {
        let root = tempfile::tempdir().unwrap();
        for folder in
            ["pg/9.6/bin", "pg/15/bin", "pg/16/bin", "pgsql-14/bin", "opt/postgresql@17/bin", "opt/other@18/bin"]
        {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        let found = |pattern: &str| -> Vec<String> {
            let pattern = format!("{}/{pattern}", root.path().display());
            let paths = expand(&pattern).into_iter();
            paths.map(|path| path.strip_prefix(root.path()).unwrap().display().to_string()).collect()
        };
        assert_eq!(found("pg/*/bin"), ["pg/16/bin", "pg/15/bin", "pg/9.6/bin"]);
        assert_eq!(found("pgsql-*/bin"), ["pgsql-14/bin"]);
        assert_eq!(found("opt/postgresql@*/bin"), ["opt/postgresql@17/bin"]);
        assert_eq!(found("pg/15/bin"), ["pg/15/bin"]);
        assert!(found("nowhere/*/bin").is_empty() && found("nowhere").is_empty());
    }

    #[test]
    fn programs_are_found_by_path_and_by_pg_config() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (real, links, tools) = (root.join("real/bin"), root.join("links"), root.join("tools"));
        program(&real, "postgres", "echo");
        std::fs::create_dir(&links).unwrap();
        symlink(real.join("postgres"), links.join("postgres")).unwrap();
        program(&tools, "pg_config", &format!("[ \"$1\" = --bindir ] && echo {}", real.display()));
        let path = std::env::join_paths([&root, &links, &tools]).unwrap();
        assert_eq!(by_pg_config(&path), Some(real.clone()));
        assert_eq!(on_path(&path), [real]);
        assert_eq!(by_pg_config(links.as_os_str()), None);
    }

    #[test]
    fn versions_are_read_however_they_are_written() {
        let root = tempfile::tempdir().unwrap();
        let account = Account::current().unwrap();
        let folder = root.path();
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        program(folder, "initdb", "");
        assert_eq!(Binaries::probe(folder, &account).unwrap_err(), "no postgres");
        for (line, version, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-1.pgdg120+1)", "15.18", 15),
            ("postgres (PostgreSQL) 18beta1", "18beta1", 18),
            ("postgres (PostgreSQL) 17.2", "17.2", 17),
        ] {
            program(folder, "postgres", &format!("echo '{line}'"));
            let found = Binaries::probe(folder, &account).unwrap();
            assert_eq!((found.version.as_str(), found.major), (version, major));
        }
    }
}
