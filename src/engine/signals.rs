//! Cleans up when a signal ends the program.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};

type Cleanup = Box<dyn FnOnce() + Send>;

static CLEANUPS: Mutex<BTreeMap<u64, Cleanup>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(0);
static ENDING: AtomicBool = AtomicBool::new(false);
static LISTEN: Once = Once::new();

/// One thing to clean up.
#[derive(Debug)]
pub(super) struct Registration(u64);

/// Has something cleaned up when SIGINT, SIGTERM or SIGHUP comes.
pub(super) fn register(cleanup: impl FnOnce() + Send + 'static) -> Registration {
    LISTEN.call_once(listen);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    CLEANUPS.lock().unwrap_or_else(PoisonError::into_inner).insert(number, Box::new(cleanup));
    Registration(number)
}

/// Takes a registration back: it was cleaned up in the ordinary way.
pub(super) fn forget(registration: &Registration) {
    CLEANUPS.lock().unwrap_or_else(PoisonError::into_inner).remove(&registration.0);
}

/// Waits for ever if a signal is ending the program.
///
/// To be called before an error is printed: a server that was stopped for the signal makes its users fail, and that
/// failure is not the program's end.
pub fn defer_to_signal() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

fn listen() {
    let ignored = ignored();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else { return };
    let clean = move || {
        for signal in signals.forever() {
            ENDING.store(true, Ordering::SeqCst);
            let cleanups = std::mem::take(&mut *CLEANUPS.lock().unwrap_or_else(PoisonError::into_inner));
            cleanups.into_values().for_each(|cleanup| cleanup());
            // As if nobody had caught it, so that the caller sees which signal ended the program.
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    // Without the thread the watchers still clean up, a moment later.
    let _ = std::thread::Builder::new().name("signals".into()).spawn(clean);
}

/// The signals that this process was started to ignore, as a set of bits: `nohup` must go on working.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    set.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default()
}
