//! The commit of the desired state, where it stands in a git work tree.

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// The last commit that changed any of these files, where all of them are in a work tree as they were committed.
///
/// Not the work tree's head: a plan must not change because something else was committed, such as the plan itself.
pub(super) fn commit(folder: &Path, files: &[&str]) -> Option<String> {
    if files.is_empty() || files.contains(&"-") {
        return None;
    }
    git(folder, &["ls-files", "--error-unmatch"], files)?;
    let changed = git(folder, &["status", "--porcelain"], files)?;
    let commit = git(folder, &["log", "-1", "--format=%H"], files)?;
    (changed.is_empty() && !commit.is_empty()).then_some(commit)
}

/// What git prints; none where it is not installed, or where it fails.
fn git(folder: &Path, arguments: &[&str], files: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    command.arg("--literal-pathspecs").arg("-C").arg(folder).args(arguments).arg("--").args(files);
    // Looking must not take the lock that somebody else's `git commit` needs.
    command.env("GIT_OPTIONAL_LOCKS", "0").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
