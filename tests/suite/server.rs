//! One throw-away cluster per major version, shared by all tests of this process.

use reconcile::engine::{Engine, Settings};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

/// The versions that tests run on: `MAJORS=15,17` narrows them.
pub fn majors() -> Vec<u32> {
    let text = std::env::var("MAJORS").unwrap_or_else(|_| "14,15,16,17,18".to_owned());
    let majors: Vec<u32> = text.split([',', ' ']).filter_map(|major| major.parse().ok()).collect();
    assert!(!majors.is_empty(), "MAJORS={text} names no version");
    majors
}

/// The shared cluster of a version. It ends with this process, whose watcher takes it away.
pub fn server(major: u32) -> &'static Engine {
    static SERVERS: OnceLock<Mutex<BTreeMap<u32, &'static OnceLock<Engine>>>> = OnceLock::new();
    let slot = {
        let mut servers = SERVERS.get_or_init(Mutex::default).lock().expect("no test panics while it holds this lock");
        *servers.entry(major).or_insert_with(|| Box::leak(Box::default()))
    };
    slot.get_or_init(|| Engine::start(&Settings::default(), major, None).expect("a scratch server"))
}
