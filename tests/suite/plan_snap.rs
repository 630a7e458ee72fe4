//! `plan.snap`: the steps of a fixture's plan, as people read them.
//!
//! The steps from before.sql to after.sql come first; those of the way back follow where the file has a place for them.
//! `SNAPSHOT=1` writes the files of the chosen fixtures, `SNAPSHOT=both` with the way back.

use std::{
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// The line between the two directions.
const BACK: &str = "-- and back\n";

/// The part of a fixture's `plan.snap` that is about one direction.
pub struct PlanSnap {
    path: PathBuf,
    backward: bool,
}

impl PlanSnap {
    pub fn of(fixture: &Path, backward: bool) -> Self {
        Self { path: fixture.join("plan.snap"), backward }
    }

    /// The version that it is compared on: others deparse views in other words.
    pub fn major(majors: &RangeInclusive<u32>) -> u32 {
        if majors.contains(&15) { 15 } else { *majors.end().min(&18) }
    }

    pub fn exists(&self) -> bool {
        self.parts()[usize::from(self.backward)].is_some()
    }

    /// Compares these steps with it, or makes them what it says.
    pub fn compare(&self, steps: &[String]) -> Result<(), String> {
        /// Both directions of a fixture write one file.
        static WRITING: Mutex<()> = Mutex::new(());
        let found = format!("{}\n", steps.join(";\n"));
        let wanted = std::env::var("SNAPSHOT").unwrap_or_default();
        if wanted == "both" || !wanted.is_empty() && (!self.backward || self.exists()) {
            let _writing = WRITING.lock().unwrap();
            let mut parts = self.parts();
            parts[usize::from(self.backward)] = Some(found.clone());
            let [forth, back] = parts;
            let back = back.map(|steps| format!("{BACK}{steps}"));
            std::fs::write(&self.path, forth.unwrap_or_default() + &back.unwrap_or_default()).unwrap();
        }
        match &self.parts()[usize::from(self.backward)] {
            Some(expected) if found != *expected => Err(format!("the plan is not that of plan.snap:\n{found}")),
            _ => Ok(()),
        }
    }

    /// The two directions, as far as they are there.
    fn parts(&self) -> [Option<String>; 2] {
        let Ok(text) = std::fs::read_to_string(&self.path) else { return [None, None] };
        match text.split_once(BACK) {
            Some((forth, back)) => [Some(forth.to_owned()), Some(back.to_owned())],
            None => [Some(text), None],
        }
    }
}

/// The statements of both directions, each on one line.
pub fn statements(text: &str) -> Vec<String> {
    let statements = text.split(BACK).flat_map(|steps| steps.trim_end().split(";\n"));
    statements.map(|it| it.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}
