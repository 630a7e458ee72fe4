//! The folder that keeps downloads and `initdb` output between runs.

use super::Error;
use super::account::Account;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// For root, whose own cache the account that runs PostgreSQL cannot read.
const SYSTEM: &str = "/var/cache/reconcile";

/// The cache folder: the configured one, else the user's, else one below the temporary folder.
pub(super) fn folder(configured: Option<&Path>, account: &Account) -> Result<PathBuf, Error> {
    if let Some(folder) = configured {
        let folder = std::path::absolute(folder).map_err(Error::file("find", folder))?;
        create(&folder)?;
        if !account.reaches(&folder) {
            let (folder, name) = (folder.display(), account.name());
            return Err(Error::Setting(format!(
                "cache {folder} cannot be read by user {name}, who runs PostgreSQL for root"
            )));
        }
        return Ok(folder);
    }
    let user = std::env::var_os("XDG_CACHE_HOME").filter(|folder| Path::new(folder).is_absolute()).map(PathBuf::from);
    let home = std::env::var_os("HOME").filter(|folder| Path::new(folder).is_absolute()).map(PathBuf::from);
    let user = user.or_else(|| home.map(|home| home.join(".cache"))).map(|folder| folder.join("reconcile"));
    let system = account.drops_privileges().then(|| PathBuf::from(SYSTEM));
    let fallback = std::env::temp_dir().join(format!("reconcile-cache-{}", nix::unistd::geteuid()));
    for folder in user.into_iter().filter(|folder| account.reaches(folder)).chain(system) {
        if create(&folder).is_ok() && account.reaches(&folder) {
            return Ok(folder);
        }
    }
    create(&fallback)?;
    let about = fallback.symlink_metadata().map_err(Error::file("look at", &fallback))?;
    if !about.is_dir() || about.uid() != nix::unistd::geteuid().as_raw() || about.mode() & 0o022 != 0 {
        return Err(Error::Setting(format!("{} belongs to somebody else; name another cache", fallback.display())));
    }
    Ok(fallback)
}

/// Makes a folder that others may read, whatever the umask: the account that runs PostgreSQL must.
pub(super) fn create(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).map_err(Error::file("create folder", folder))
}
