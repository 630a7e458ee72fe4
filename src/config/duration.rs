//! Durations as people write them: `500ms`, `5s`, `2min`, `1h`; `0` switches a limit off.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// What a duration looks like.
const EXPECTED: &str = "a duration such as 500ms, 5s or 2min; 0 waits for ever";

/// Reads a duration.
pub(super) fn parse(text: &str) -> Result<Duration, &'static str> {
    let text = text.trim();
    let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().map_err(|_| EXPECTED)?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        "h" => 3_600_000,
        "" if number == 0 => 0,
        _ => return Err(EXPECTED),
    };
    number.checked_mul(millis).map(Duration::from_millis).ok_or(EXPECTED)
}

/// Reads a duration where serde wants one.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u64),
        Text(String),
    }
    let text = match Written::deserialize(deserializer) {
        Ok(Written::Number(number)) => number.to_string(),
        Ok(Written::Text(text)) => text,
        Err(_) => return Err(de::Error::custom(format!("expected {EXPECTED}"))),
    };
    parse(&text).map(Some).map_err(|expected| de::Error::custom(format!("expected {expected}")))
}
