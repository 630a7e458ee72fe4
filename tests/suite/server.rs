//! One throw-away cluster per major version, shared by all tests of this process.

use reconcile::engine::{Engine, Settings, Spec, Trust};
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};

use crate::label_provider;

/// The versions that tests run on: `MAJORS=15,17` narrows them.
pub fn majors() -> Vec<u32> {
    let text = std::env::var("MAJORS").unwrap_or_else(|_| "14,15,16,17,18".to_owned());
    let majors: Vec<u32> = text.split([',', ' ']).filter_map(|major| major.parse().ok()).collect();
    assert!(!majors.is_empty(), "MAJORS={text} names no version");
    majors
}

type Servers = OnceLock<Mutex<BTreeMap<u32, &'static OnceLock<Engine>>>>;

/// The shared cluster of a version. It ends with this process, whose watcher takes it away.
pub fn server(major: u32) -> &'static Engine {
    static SERVERS: Servers = OnceLock::new();
    start(&SERVERS, major, Trust::Restricted)
}

/// The same, but there the loading role is a superuser throughout, for what only superusers may do on a target too.
pub fn trusting_server(major: u32) -> &'static Engine {
    static SERVERS: Servers = OnceLock::new();
    start(&SERVERS, major, Trust::Full)
}

/// How servers of tests are started: with a label provider.
pub fn settings(major: u32, trust: Trust) -> Settings {
    let preload = vec![label_provider::library(major).display().to_string()];
    Settings { trust, preload, ..Settings::default() }
}

fn start(servers: &'static Servers, major: u32, trust: Trust) -> &'static Engine {
    let slot = {
        let mut servers = servers.get_or_init(Mutex::default).lock().expect("no test panics while it holds this lock");
        *servers.entry(major).or_insert_with(|| Box::leak(Box::default()))
    };
    let settings = settings(major, trust);
    slot.get_or_init(|| {
        let engine = Engine::start(&settings, major, None).expect("a scratch server");
        if trust == Trust::Full {
            // For what only superusers may own.
            let database = engine.database(&Spec::default()).expect("a database");
            database.admin().unwrap().batch_execute("CREATE ROLE app_admin SUPERUSER").expect("a second superuser");
        }
        engine
    })
}
