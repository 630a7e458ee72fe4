//! Fingerprints: SHA-256 over definitions, per object and rolled up.

use std::{collections::BTreeMap, fmt, io::BufWriter};

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
        Self::finish(Sha256::new_with_prefix(bytes))
    }

    /// The SHA-256 of a value's JSON.
    pub fn of_json(value: &impl Serialize) -> Self {
        let mut writer = BufWriter::new(Sha256::new());
        // Sums take everything; and what is summed has names for fields.
        let _ = serde_json::to_writer(&mut writer, value);
        Self::finish(writer.into_inner().unwrap_or_default())
    }

    fn finish(hasher: Sha256) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digits = |byte: u8| [byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)]));
        Self(hasher.finalize().into_iter().flat_map(digits).collect())
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
        Self { all: Digest::finish(hasher), objects }
    }
}

impl Object {
    /// The SHA-256 of the definition's fields.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&self.to_json())
    }
}
