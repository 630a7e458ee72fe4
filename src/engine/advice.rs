//! What to do when no scratch server of a version can be had.

use super::{Settings, Way};

/// Each way to get a server of this major version, the likeliest for this machine first.
pub(super) fn missing(settings: &Settings, major: u32) -> Vec<String> {
    let mut out = Vec::new();
    let exists = |path: &str| std::path::Path::new(path).exists();
    let packages = [
        ("Debian, Ubuntu", exists("/etc/debian_version"), format!("sudo apt install postgresql-{major}")),
        ("Fedora, RHEL", exists("/etc/redhat-release"), format!("sudo dnf install postgresql{major}-server")),
        ("macOS", cfg!(target_os = "macos"), format!("brew install postgresql@{major}")),
    ];
    let here = packages.iter().any(|(_, here, _)| *here);
    for (system, _, command) in packages.iter().filter(|(_, this, _)| *this || !here) {
        out.push(format!(
            "install it ({system}; packages of every version: https://www.postgresql.org/download): {command}"
        ));
    }
    out.push(format!(
        "name a folder that holds the programs of PostgreSQL {major}, in reconcile.yaml: engine: {{folders: [PATH]}}"
    ));
    if settings.offline {
        out.push("allow the download, in reconcile.yaml: engine: {offline: false}".to_owned());
    } else if !settings.order.iter().any(|way| matches!(way, Way::Download)) {
        out.push("allow the download: --engine auto".to_owned());
    }
    out.push(format!("name a scratch server of version {major}: --engine postgres://user@host/database"));
    if !settings.order.iter().any(|way| matches!(way, Way::Target)) {
        out.push("let scratch databases be made on the target server: --engine target".to_owned());
    }
    out
}
