//! Locks between processes, on files.

use super::Error;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// An exclusive lock on a file, given back when dropped.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    /// Waits for the lock, and makes the file if need be.
    pub(super) fn wait(path: &Path) -> Result<Self, Error> {
        let file = open(path)?;
        file.lock().map_err(Error::file("lock", path))?;
        Ok(Self(file))
    }

    /// Takes the lock if nobody has it, or waits for a moment.
    pub(super) fn soon(path: &Path, patience: Duration) -> Option<Self> {
        const PAUSE: Duration = Duration::from_millis(10);
        let file = open(path).ok()?;
        let mut waited = Duration::ZERO;
        while file.try_lock().is_err() {
            if waited >= patience {
                return None;
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
        Some(Self(file))
    }
}

/// Opens a file to be locked, and makes it if need be.
pub(super) fn open(path: &Path) -> Result<File, Error> {
    File::options().create(true).truncate(false).write(true).open(path).map_err(Error::file("create", path))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do: a process that is being started at this moment has it open too.
        let _ = self.0.unlock();
    }
}
