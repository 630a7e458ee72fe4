//! Private folders of running clusters: on RAM where there is room, locked while in use, cleaned up by later runs.

use super::Error;
use super::account::Account;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const PREFIX: &str = "reconcile-run-";
const LOCK: &str = "lock";
/// A Unix socket's path is limited to 107 bytes on Linux and 103 on macOS, `/.s.PGSQL.5432` included.
const LONGEST: usize = 85;
/// What a cluster and a copy or two of a large schema take.
const ENOUGH: u128 = 512 << 20;

/// A folder of a running cluster. The lock is held as long as this value, and so this process, lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes a new folder that only the account can enter.
    pub(super) fn create() -> Result<Self, Error> {
        let base = base();
        let path = base.join(format!("{PREFIX}{}-{:08x}", std::process::id(), super::random() & 0xffff_ffff));
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::file("create folder", &path))?;
        // Locked under another name first: a cleaner that finds `lock` free may be sure that the owner is gone.
        let new = path.join("lock.new");
        let lock = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new);
        let lock = lock.map_err(Error::file("create", &new))?;
        lock.try_lock().map_err(|error| Error::file("lock", &new)(error.into()))?;
        std::fs::rename(&new, path.join(LOCK)).map_err(Error::file("rename", &new))?;
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Removes what runs that were killed left behind. Errors leave it to the next run.
pub(super) fn clean_leftovers(account: &Account) {
    let mut bases = bases();
    bases.dedup();
    for entry in bases.iter().filter_map(|base| std::fs::read_dir(base).ok()).flatten().flatten() {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            clean(&entry.path(), account);
        }
    }
}

/// Cleans one folder if it is ours and its owner is gone.
fn clean(path: &Path, account: &Account) -> Option<()> {
    let about = path.symlink_metadata().ok()?;
    let ours = [account.uid(), nix::unistd::geteuid().as_raw()];
    if !about.is_dir() || !ours.contains(&about.uid()) {
        return None;
    }
    let flags = nix::libc::O_NOFOLLOW;
    match OpenOptions::new().read(true).write(true).custom_flags(flags).open(path.join(LOCK)) {
        Ok(lock) => lock.try_lock().ok()?,
        // Half made: its owner may be at it this moment.
        Err(_) if about.modified().ok()?.elapsed().ok()? < Duration::from_secs(60) => return None,
        Err(_) => {}
    }
    kill_server(&path.join("data"));
    std::fs::remove_dir_all(path).ok()
}

/// Kills the postmaster of a data folder, once it is certain that the process is that one.
pub(super) fn kill_server(data: &Path) -> Option<()> {
    let pid = server_pid(data)?;
    kill(pid, Signal::SIGQUIT).ok()?;
    let start = Instant::now();
    // The file goes last; the process itself may stay as a zombie that nobody collects.
    while data.join("postmaster.pid").exists() && kill(pid, None).is_ok() {
        if start.elapsed() > Duration::from_secs(5) {
            return kill(pid, Signal::SIGKILL).ok();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Some(())
}

/// The process that `postmaster.pid` names, if it serves this data folder: the number may have been used again since.
pub(super) fn server_pid(data: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let pid: i32 = text.lines().next()?.trim().parse().ok()?;
    let data = data.as_os_str().as_encoded_bytes();
    // Servers of ours are started as `postgres -D FOLDER`. Everybody may read this, other than the working folder, which in
    // a container even root may not.
    let ours = if Path::new("/proc/self").exists() {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        line.split(|byte| *byte == 0).any(|argument| argument == data)
    } else {
        let output = Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output().ok()?;
        output.stdout.windows(data.len()).any(|window| window == data)
    };
    ours.then_some(Pid::from_raw(pid))
}

fn bases() -> Vec<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").filter(|_| !nix::unistd::geteuid().is_root());
    let mut bases = vec![PathBuf::from("/dev/shm")];
    bases.extend(runtime.map(PathBuf::from));
    bases.extend([std::env::temp_dir(), PathBuf::from("/tmp")]);
    bases
}

/// The first base with room enough; files on RAM make a scratch load three times as fast.
fn base() -> PathBuf {
    let bases = bases();
    let fits = |base: &&PathBuf| base.as_os_str().len() <= LONGEST - PREFIX.len() - 20;
    let roomy = |base: &&PathBuf| {
        nix::sys::statvfs::statvfs(base.as_path()).is_ok_and(|about| {
            u128::from(about.blocks_available()) * u128::from(about.fragment_size()) >= ENOUGH
                && nix::unistd::access(base.as_path(), nix::unistd::AccessFlags::W_OK).is_ok()
        })
    };
    bases.iter().filter(fits).find(roomy).cloned().unwrap_or_else(|| PathBuf::from("/tmp"))
}
