//! `initdb` output, made once per version of the programs and copied for each cluster.

use super::Error;
use super::account::Account;
use super::binaries::Binaries;
use super::cluster::SUPERUSER;
use super::lock::Lock;
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Raised when the options below change, so that older output is not used any more.
const FORMAT: &str = "1";

/// A cluster's files, and the password of its superuser.
pub(super) struct Template {
    pub(super) data: PathBuf,
    pub(super) password: String,
}

/// The cached output for these programs, made now if need be; parallel runs wait for the one that makes it.
pub(super) fn get(binaries: &Binaries, cache: &Path, account: &Account) -> Result<Template, Error> {
    let folder = cache.join("clusters");
    super::cache::create(&folder)?;
    let key = key(binaries, account);
    let wanted = folder.join(&key);
    if let Some(template) = read(&wanted) {
        return Ok(template);
    }
    let _lock = Lock::wait(&folder.join(format!("{key}.lock")))?;
    if let Some(template) = read(&wanted) {
        return Ok(template);
    }
    let made = temporary(&folder, &format!("new-{key}-"))?;
    let password = made.path().join("password");
    File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&password)
        .and_then(|mut file| file.write_all(super::secret()?.as_bytes()))
        .map_err(Error::file("write", &password))?;
    account.own(made.path()).map_err(Error::file("give away", made.path()))?;
    initdb(binaries, made.path(), account)?;
    let made = made.keep();
    let _ = std::fs::remove_dir_all(&wanted);
    std::fs::rename(&made, &wanted).map_err(Error::file("rename to", &wanted))?;
    read(&wanted).ok_or_else(|| Error::Setting(format!("{} was not made as it should be", wanted.display())))
}

fn read(folder: &Path) -> Option<Template> {
    let password = std::fs::read_to_string(folder.join("password")).ok()?;
    let data = folder.join("data");
    data.join("PG_VERSION").exists().then_some(Template { data, password })
}

/// Names the programs by path, version and age, and the account: others cannot read a cluster's files.
fn key(binaries: &Binaries, account: &Account) -> String {
    let program = binaries.program("postgres");
    let age = program.metadata().and_then(|about| about.modified()).ok();
    let text = format!("{FORMAT} {program:?} {age:?} {}", account.uid());
    let hash: String = Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", binaries.version)
}

fn initdb(binaries: &Binaries, folder: &Path, account: &Account) -> Result<(), Error> {
    let program = binaries.program("initdb");
    let mut command = account.command(&program);
    command.arg("-D").arg(folder.join("data")).arg("--pwfile").arg(folder.join("password"));
    command.args(["-U", SUPERUSER, "-A", "password", "-E", "UTF8", "--locale=C", "-N", "--no-instructions"]);
    if binaries.major >= 16 {
        command.args(["-c", "scram_iterations=1"]);
    }
    if binaries.major >= 18 {
        command.arg("--no-data-checksums");
    }
    let output = command.stdin(Stdio::null()).output().map_err(Error::file("run", &program))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).join("\n");
    Err(Error::Program { program, output: text })
}

/// Makes a folder in which something is put together, and removes those that killed runs left behind. The lock for what is
/// made must be held.
pub(super) fn temporary(parent: &Path, prefix: &str) -> Result<tempfile::TempDir, Error> {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(prefix).tempdir_in(parent).map_err(Error::file("write to", parent))
}

/// Copies a cluster's files, which on file systems that can is a matter of references.
pub(super) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
