//! PostgreSQL programs on this machine: Debian, RHEL, Homebrew, Postgres.app, `PATH`, `pg_config`, named folders.

use super::account::Account;
use std::collections::BTreeSet;
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
        let version =
            text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).ok_or_else(|| {
                format!("`postgres --version` failed: {}", String::from_utf8_lossy(&output.stderr).trim())
            })?;
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
    out.extend(on_path());
    out.extend(by_pg_config());
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
fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .filter_map(|folder| folder.join("postgres").canonicalize().ok()?.parent().map(Path::to_owned))
        .collect()
}

fn by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(text.trim())).filter(|folder| folder.is_absolute())
}
