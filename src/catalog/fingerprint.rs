//! Fingerprints: SHA-256 over definitions, per object and rolled up.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Object;

/// A SHA-256 sum, in lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

impl Digest {
    /// The SHA-256 of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        use std::fmt::Write as _;
        Self(Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        }))
    }

    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fingerprint of a state: one sum per object, and one over all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The sum over every object's address and sum.
    pub all: Digest,
    /// The sum of each object, by its address as it displays.
    pub objects: BTreeMap<String, Digest>,
}

impl Fingerprint {
    /// Rolls up sums of objects.
    pub fn new(objects: BTreeMap<String, Digest>) -> Self {
        let mut hasher = Sha256::new();
        for (id, digest) in &objects {
            hasher.update(id);
            hasher.update([0]);
            hasher.update(&digest.0);
            hasher.update([0]);
        }
        let mut all = String::with_capacity(64);
        for byte in hasher.finalize() {
            use std::fmt::Write as _;
            let _ = write!(all, "{byte:02x}");
        }
        Self { all: Digest(all), objects }
    }
}

impl Object {
    /// The SHA-256 of the definition's fields.
    pub fn digest(&self) -> Digest {
        Digest::of(self.to_json().to_string())
    }
}
