//! Values that are kept and never compared.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that is needed to write DDL but does not make two definitions differ, such as a column's position.
///
/// Serializes as null, so that it reaches neither a fingerprint nor a reason.
#[derive(Clone, Debug, Default)]
pub struct Kept<T>(pub T);

impl<T> PartialEq for Kept<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Kept<T> {}

impl<T> Serialize for Kept<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Kept<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self)
    }
}
