//! Who runs PostgreSQL: this user, or an unprivileged one when this is root, which PostgreSQL refuses.

use super::Error;
use nix::unistd::{Gid, Uid, User};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

/// Variables that a PostgreSQL of ours may see. Everything else may be a secret, and stays out of its reach.
const KEPT: &[&str] =
    &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "LOCPATH", "ICU_DATA"];

/// The user that owns clusters and runs their processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    uid: Uid,
    gid: Gid,
    name: String,
    drops: bool,
}

impl Account {
    /// This user; for root, `postgres` where it exists, else `nobody`.
    pub(super) fn current() -> Result<Self, Error> {
        let uid = nix::unistd::geteuid();
        let lookup = |name: &str| User::from_name(name).ok().flatten();
        if uid.is_root() {
            let user = lookup("postgres").or_else(|| lookup("nobody")).filter(|user| !user.uid.is_root());
            let user = user.ok_or(Error::NoAccount)?;
            return Ok(Self { uid: user.uid, gid: user.gid, name: user.name, drops: true });
        }
        let name = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
        Ok(Self { uid, gid: nix::unistd::getegid(), name, drops: false })
    }

    /// The account's name, for messages.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether this process is root and its servers are not.
    pub(super) fn drops_privileges(&self) -> bool {
        self.drops
    }

    /// The account's number.
    pub(super) fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// A command that runs as this account, in a process group of its own (so that Ctrl-C reaches us alone) and with
    /// next to no environment.
    pub(super) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("LC_ALL", "C").current_dir("/").process_group(0);
        command.envs(KEPT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if self.drops {
            // With root's rights given up this way, the standard library also clears the supplementary groups.
            command.uid(self.uid.as_raw()).gid(self.gid.as_raw());
        }
        command
    }

    /// Gives a folder and everything below it to the account.
    pub(super) fn own(&self, path: &Path) -> std::io::Result<()> {
        if !self.drops {
            return Ok(());
        }
        std::os::unix::fs::lchown(path, Some(self.uid.as_raw()), Some(self.gid.as_raw()))?;
        if path.symlink_metadata()?.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Whether the account can get to a path: every folder on the way lets it pass.
    pub(super) fn reaches(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        !self.drops
            || path.ancestors().filter_map(|folder| folder.metadata().ok()).all(|about| {
                let bit = match (about.uid() == self.uid.as_raw(), about.gid() == self.gid.as_raw()) {
                    (true, _) => 0o100,
                    (false, true) => 0o010,
                    (false, false) => 0o001,
                };
                about.mode() & bit != 0
            })
    }
}
