//! How to come by a scratch PostgreSQL: `--engine`, and `engine:` in reconcile.yaml.

use super::Error;
use crate::connect::{Environment, Target};
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where scratch servers may come from, and what they may do.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The ways to try, in this order.
    #[serde(deserialize_with = "order")]
    pub order: Vec<Way>,
    /// Folders with PostgreSQL programs, looked at before the usual ones.
    pub folders: Vec<PathBuf>,
    /// The folder that keeps downloads and `initdb` output.
    pub cache: Option<PathBuf>,
    /// Never downloads.
    pub offline: bool,
    /// What schema.sql may do on a cluster of ours.
    pub trust: Trust,
    /// Libraries that servers of ours load at their start, such as those of label providers.
    pub preload: Vec<String>,
    /// Told in a sentence what takes longer than a moment, such as a download.
    #[serde(skip, default = "silence")]
    pub tell: fn(&str),
}

fn silence() -> fn(&str) {
    |_| ()
}

/// One way to a scratch server.
#[derive(Clone, Debug)]
pub enum Way {
    /// A server that the user names.
    Server(Box<Target>),
    /// A throw-away cluster of programs that are on this machine.
    Found,
    /// A throw-away cluster of downloaded programs.
    Download,
    /// A database on the target server.
    Target,
}

/// What schema.sql may do on a cluster of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// What an ordinary role may, and named kinds of DDL beyond that: it may come from an untrusted branch.
    #[default]
    Restricted,
    /// Everything: the loading role is a superuser.
    Full,
}

/// For messages.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(place) => write!(f, "scratch server {place}"),
            Self::Found => f.write_str("programs on this machine"),
            Self::Download => f.write_str("download"),
            Self::Target => f.write_str("target server"),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            order: auto(),
            folders: Vec::new(),
            cache: None,
            offline: false,
            trust: Trust::default(),
            preload: Vec::new(),
            tell: silence(),
        }
    }
}

fn auto() -> Vec<Way> {
    vec![Way::Found, Way::Download]
}

/// Reads `auto`, `target`, a connection string, or one of `installed` and `download`.
impl FromStr for Settings {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self { order: ways(text)?, ..Self::default() })
    }
}

/// The ways that one word, or one connection string, stands for.
pub fn ways(text: &str) -> Result<Vec<Way>, Error> {
    Ok(match text {
        "auto" => auto(),
        "target" => vec![Way::Target],
        "installed" => vec![Way::Found],
        "download" => vec![Way::Download],
        text if text.contains(['=', '/']) => {
            vec![Way::Server(Box::new(Target::resolve(Some(text), &Environment::current())?))]
        }
        _ => {
            let what = "expected `auto`, `target`, `installed`, `download` or the URL of a scratch server";
            return Err(Error::Setting(what.to_owned()));
        }
    })
}

/// Reads one word or a list of them.
fn order<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Way>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        One(String),
        Many(Vec<String>),
    }
    let words = match Words::deserialize(deserializer)? {
        Words::One(word) => vec![word],
        Words::Many(words) => words,
    };
    let mut out = Vec::new();
    for word in words {
        out.extend(ways(&word).map_err(serde::de::Error::custom)?);
    }
    Ok(out)
}
