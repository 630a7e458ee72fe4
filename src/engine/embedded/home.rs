//! Where a project's own server keeps its data, its socket and its locks.

use super::super::cache;
use super::super::lock::{self, Lock};
use super::{Account, Error, Settings};
use sha2::{Digest as _, Sha256};
use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A Unix socket's path is limited to 103 bytes on macOS, 107 on Linux; `/.s.PGSQL.65535` is part of it.
const LONGEST_SOCKET_FOLDER: usize = 103 - 15;

/// The folders of one project's server.
///
/// `state` is the project's `.reconcile/`. `store` is the same, unless the account that runs PostgreSQL for root cannot get
/// there: then it is a folder of the cache, and `.reconcile/location` points to it.
#[derive(Clone, Debug)]
pub(super) struct Home {
    state: PathBuf,
    store: PathBuf,
    socket: PathBuf,
    database: String,
    account: Account,
}

impl Home {
    /// The home of a project that has one.
    pub(super) fn find(project: &Path, settings: &Settings) -> Result<Option<Self>, Error> {
        let home = Self::locate(project, settings)?;
        Ok(home.state.is_dir().then_some(home))
    }

    /// The home of a project, made if need be and ignored by git, and locked.
    pub(super) fn create(project: &Path, settings: &Settings) -> Result<(Self, Lock), Error> {
        let home = Self::locate(project, settings)?;
        cache::create(&home.state)?;
        let lock = home.lock()?;
        let write = |path: PathBuf, text: &str| match path.exists() {
            true => Ok(()),
            false => std::fs::write(&path, text).map_err(Error::file("write", path)),
        };
        write(home.state(".gitignore"), "*\n")?;
        if home.store != home.state {
            cache::create(&home.store)?;
            write(home.store.join("project"), &home.state.display().to_string())?;
            let pointer = home.state("location");
            let place = home.store.display().to_string();
            std::fs::write(&pointer, place).map_err(Error::file("write", pointer))?;
        }
        home.create_socket_folder()?;
        home.must_be_ours()?;
        Ok((home, lock))
    }

    fn locate(project: &Path, settings: &Settings) -> Result<Self, Error> {
        let project = project.canonicalize().map_err(Error::file("find", project))?;
        let account = Account::current()?;
        let state = project.join(".reconcile");
        let hash: String = Sha256::digest(state.as_os_str().as_encoded_bytes())
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let store = match pointed_to(&state) {
            Some(store) => store,
            None if account.reaches(&state) => state.clone(),
            None => cache::folder(settings.cache.as_deref(), &account)?.join("projects").join(&hash),
        };
        let near = store.join("run");
        let socket = if near.as_os_str().len() <= LONGEST_SOCKET_FOLDER {
            near
        } else {
            PathBuf::from(format!("/tmp/reconcile-{hash}"))
        };
        let database = database_name(project.file_name().and_then(|name| name.to_str()).unwrap_or_default());
        Ok(Self { state, store, socket, database, account })
    }

    /// Makes the socket's folder, which only the account may enter: whoever reaches the socket is superuser.
    fn create_socket_folder(&self) -> Result<(), Error> {
        let socket = &self.socket;
        match DirBuilder::new().mode(0o700).create(socket) {
            Ok(()) => self.account.own(socket).map_err(Error::file("give away", socket))?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::file("create folder", socket)(error)),
        }
        let about = socket.symlink_metadata().map_err(Error::file("look at", socket))?;
        if !about.is_dir() || about.uid() != self.account.uid() || about.permissions().mode() & 0o077 != 0 {
            return Err(Error::Setting(format!(
                "{} is not a private folder of user {}",
                socket.display(),
                self.account.name()
            )));
        }
        Ok(())
    }

    /// Data that another user made cannot be served.
    fn must_be_ours(&self) -> Result<(), Error> {
        let data = self.data();
        match data.metadata() {
            Ok(about) if about.uid() != self.account.uid() => {
                let (data, name) = (data.display(), self.account.name());
                Err(Error::Setting(format!("{data} belongs to another user than {name}, who would run PostgreSQL")))
            }
            _ => Ok(()),
        }
    }

    /// A file of `.reconcile/`.
    pub(super) fn state(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }

    /// A file beside the data.
    pub(super) fn store(&self, name: &str) -> PathBuf {
        self.store.join(name)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.store.join("pg")
    }

    pub(super) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The major version of the data, if there is some.
    pub(super) fn major(&self) -> Option<u32> {
        std::fs::read_to_string(self.data().join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Taken while the server is started or stopped.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        Lock::wait(&self.state("lock"))
    }

    /// The lock, unless another run holds it for longer than a moment: then that run uses the server, and stops it.
    pub(super) fn lock_soon(&self) -> Option<Lock> {
        Lock::soon(&self.state("lock"), Duration::from_secs(2))
    }

    /// The file that every user of the server holds a shared lock on.
    pub(super) fn users(&self) -> Result<File, Error> {
        lock::open(&self.state("users"))
    }

    /// Makes sure that nobody uses the server. The lock must be held, so that this stays true.
    pub(super) fn must_be_unused(&self) -> Result<(), Error> {
        match Lock::soon(&self.state("users"), Duration::ZERO) {
            Some(_) => Ok(()),
            None => Err(Error::Busy(self.data())),
        }
    }
}

/// Where `.reconcile/location` points to, if that place agrees: a copy of a project must not share its data.
fn pointed_to(state: &Path) -> Option<PathBuf> {
    let store = PathBuf::from(std::fs::read_to_string(state.join("location")).ok()?);
    let project = std::fs::read_to_string(store.join("project")).ok()?;
    (Path::new(&project) == state).then_some(store)
}

/// The database is named like the project's folder, in letters that need no quotes.
fn database_name(folder: &str) -> String {
    let plain: String =
        folder.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(63).collect();
    let name = plain.trim_matches('_');
    let usable =
        name.starts_with(|c: char| c.is_ascii_lowercase()) && !["postgres", "template0", "template1"].contains(&name);
    if usable { name.to_owned() } else { "app".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::database_name;

    #[test]
    fn databases_are_named_like_the_folder() {
        assert_eq!(database_name("Web-Shop 2"), "web_shop_2");
        assert_eq!(database_name("2nd"), "app");
        assert_eq!(database_name("postgres"), "app");
        assert_eq!(database_name("Übung"), "bung");
        assert_eq!(database_name(""), "app");
        assert_eq!(database_name(&"x".repeat(80)).len(), 63);
    }
}
