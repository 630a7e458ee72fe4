//! A small process that outlives this one by a moment and takes its cluster away, also after `kill -9`.

use super::Error;
use super::account::Account;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};

/// Waits until the other end of its standard input is closed, which the system does when this process ends, however it
/// ends; then stops the server and deletes the folder.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
folder=$1
read -r _
[ -d "$folder" ] || exit 0
if read -r pid < "$folder/data/postmaster.pid" && [ -n "$pid" ]; then
    if [ ! -d /proc/self ] || [ "$(readlink "/proc/$pid/cwd")" = "$folder/data" ]; then
        kill -QUIT "$pid"
        n=0
        while [ -f "$folder/data/postmaster.pid" ] && kill -0 "$pid" && [ "$n" -lt 250 ]; do
            n=$((n + 1))
            sleep 0.02
        done
    fi
fi
rm -rf "$folder"
"#;

/// The running watcher; dropping it lets it look after the folder, if that is still there.
#[derive(Debug)]
pub(super) struct Watcher {
    child: Child,
    line: Option<ChildStdin>,
}

impl Watcher {
    /// Starts a watcher for a cluster's folder, as the account that may stop its server.
    pub(super) fn start(folder: &Path, account: &Account) -> Result<Self, Error> {
        let mut child = account
            .command("/bin/sh")
            .args(["-c", SCRIPT, "reconcile-watcher"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Error::file("run", "/bin/sh"))?;
        let line = child.stdin.take();
        Ok(Self { child, line })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.line.take());
        let _ = self.child.wait();
    }
}
