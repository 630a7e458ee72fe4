//! The configuration in environment variables: `RECONCILE_DB`, `RECONCILE_SCHEMA` and so on.

use std::{collections::BTreeMap, env, path::PathBuf};

use super::{Choice, EngineLayer, Error, Layer, ManageLayer, TimeoutsLayer, Trust, duration};

/// What the names of our variables start with.
const PREFIX: &str = "RECONCILE_";

/// Every variable that configures the program, without the prefix, and what it stands for.
pub const KNOWN: &[(&str, &str)] = &[
    ("DB", "db"),
    ("SCHEMA", "schema; several paths as in PATH"),
    ("CONFIG", "the configuration file"),
    ("PLANS", "plans"),
    ("LEDGER", "ledger"),
    ("MANAGE", "manage: `all`, or schemas between commas"),
    ("IGNORE", "manage.ignore, between commas"),
    ("PRIVILEGES", "manage.privileges"),
    ("OWNERS", "manage.owners"),
    ("ROLES", "manage.roles: true or false"),
    ("DATABASE", "manage.database: true or false"),
    ("ENGINE", "engine: `auto`, `target` or a URL"),
    ("ENGINE_FOLDERS", "engine.folders, as in PATH"),
    ("CACHE", "engine.cache"),
    ("OFFLINE", "engine.offline: true or false"),
    ("TRUST", "engine.trust: restricted or full"),
    ("PRELOAD", "engine.preload, between commas"),
    ("CONNECT_TIMEOUT", "timeouts.connect"),
    ("STATEMENT_TIMEOUT", "timeouts.statement"),
    ("LOCK_TIMEOUT", "timeouts.lock"),
    ("COLOR", "--color"),
];

/// Environment variables, as the process got them or as a test makes them.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The variables of this process; those that are not UTF-8 are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(env::vars_os().filter_map(text).collect())
    }

    /// Every variable by its name, without a prefix.
    pub fn all(self) -> BTreeMap<String, String> {
        let Self(all) = self;
        all
    }

    /// The variable with the prefix and this name, where it is set to something.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&format!("{PREFIX}{name}")).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that names a file.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(PathBuf::from)
    }

    /// Replaces each `${NAME}` by the variable's value; the error is the name that is not set.
    pub fn expanded(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("${") {
            let Some((name, after)) = from.split_once('}') else { break };
            out.push_str(before);
            out.push_str(self.0.get(name).ok_or_else(|| name.to_owned())?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// What the variables say about the configuration.
    pub fn layer(&self) -> Result<Layer, Error> {
        let paths = |name| self.get(name).map(|list| env::split_paths(list).collect());
        Ok(Layer {
            db: self.get("DB").map(str::to_owned),
            schema: paths("SCHEMA"),
            plans: self.path("PLANS"),
            ledger: self.get("LEDGER").map(str::to_owned),
            manage: ManageLayer {
                ignore: self.get("IGNORE").map(commas),
                privileges: self.choice("PRIVILEGES")?,
                owners: self.choice("OWNERS")?,
                roles: self.flag("ROLES")?,
                database: self.flag("DATABASE")?,
                ..self.get("MANAGE").map(ManageLayer::from_word).unwrap_or_default()
            },
            engine: EngineLayer {
                folders: paths("ENGINE_FOLDERS"),
                cache: self.path("CACHE"),
                offline: self.flag("OFFLINE")?,
                preload: self.get("PRELOAD").map(commas),
                trust: self.one_of("TRUST", &[("restricted", Trust::Restricted), ("full", Trust::Full)])?,
                ..self.get("ENGINE").map(EngineLayer::from_word).unwrap_or_default()
            },
            timeouts: TimeoutsLayer {
                connect: self.duration("CONNECT_TIMEOUT")?,
                statement: self.duration("STATEMENT_TIMEOUT")?,
                lock: self.duration("LOCK_TIMEOUT")?,
            },
        })
    }

    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.one_of(name, &[("true", true), ("1", true), ("false", false), ("0", false)])
    }

    fn choice(&self, name: &str) -> Result<Option<Choice>, Error> {
        self.one_of(name, &[("declared", Choice::Declared), ("all", Choice::All), ("none", Choice::None)])
    }

    fn one_of<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == value);
        let expected = || crate::sql::join(words.iter().map(|(word, _)| *word), ", ");
        found.map(|(_, it)| Some(*it)).ok_or_else(|| bad(name, format!("one of {}", expected())))
    }

    fn duration(&self, name: &str) -> Result<Option<std::time::Duration>, Error> {
        let parsed = self.get(name).map(duration::parse).transpose();
        parsed.map_err(|expected| bad(name, expected.to_owned()))
    }
}

/// The items of a list with commas.
fn commas<T: FromIterator<String>>(list: &str) -> T {
    list.split(',').map(|item| item.trim().to_owned()).collect()
}

fn bad(name: &str, expected: String) -> Error {
    Error::Value { name: format!("{PREFIX}{name}"), expected }
}

impl<const N: usize> From<[(&str, &str); N]> for Variables {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
