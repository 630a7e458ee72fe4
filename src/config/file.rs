//! reconcile.yaml as it is written.

use std::{
    collections::BTreeSet,
    fmt, fs,
    marker::PhantomData,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::{Choice, EngineLayer, Error, Layer, ManageLayer, Managed, TimeoutsLayer, Trust, Variables, duration};

/// Reads a configuration file; `shown` is its path for messages.
pub(super) fn read(path: &Path, shown: &Path, variables: &Variables) -> Result<Layer, Error> {
    let text = fs::read_to_string(path).map_err(|why| Error::Read { path: shown.to_path_buf(), why })?;
    parse(&text, shown, variables)
}

/// Reads the text of a configuration file; the path is for messages.
pub(super) fn parse(text: &str, path: &Path, variables: &Variables) -> Result<Layer, Error> {
    // A file without a line, or with comments alone, is YAML's null.
    let written: Option<Written> = serde_yaml::from_str(text).map_err(|why| Error::yaml(path, &why))?;
    let Written { db, schema, plans, ledger, manage, engine, timeouts } = written.unwrap_or_default();
    let db = db.map(|db| variables.expanded(&db)).transpose();
    let order =
        engine.order.as_ref().map(|order| order.iter().map(|way| variables.expanded(way)).collect()).transpose();
    let unset = |name| Error::Variable { path: path.to_path_buf(), name };
    Ok(Layer {
        db: db.map_err(unset)?,
        schema: schema.map(|OneOrMore(paths)| paths),
        plans,
        ledger,
        manage: manage.layer(),
        engine: EngineLayer { order: order.map_err(unset)?, ..engine.layer() },
        timeouts: timeouts.layer(),
    })
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    db: Option<String>,
    schema: Option<OneOrMore>,
    plans: Option<PathBuf>,
    ledger: Option<String>,
    #[serde(deserialize_with = "word_or_keys")]
    manage: WrittenManage,
    #[serde(deserialize_with = "word_or_keys")]
    engine: WrittenEngine,
    timeouts: WrittenTimeouts,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenManage {
    #[serde(skip)]
    all: bool,
    schemas: Option<BTreeSet<String>>,
    ignore: Option<BTreeSet<String>>,
    privileges: Option<Choice>,
    owners: Option<Choice>,
    roles: Option<bool>,
    database: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenEngine {
    order: Option<Vec<String>>,
    folders: Option<Vec<PathBuf>>,
    cache: Option<PathBuf>,
    offline: Option<bool>,
    trust: Option<Trust>,
    preload: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenTimeouts {
    #[serde(deserialize_with = "duration::deserialize")]
    connect: Option<Duration>,
    #[serde(deserialize_with = "duration::deserialize")]
    statement: Option<Duration>,
    #[serde(deserialize_with = "duration::deserialize")]
    lock: Option<Duration>,
}

impl WrittenManage {
    fn layer(self) -> ManageLayer {
        let Self { all, schemas, ignore, privileges, owners, roles, database } = self;
        let what = if all { Some(Managed::All) } else { schemas.map(Managed::Schemas) };
        ManageLayer { what, ignore, privileges, owners, roles, database }
    }
}

impl WrittenEngine {
    fn layer(self) -> EngineLayer {
        let Self { order, folders, cache, offline, trust, preload } = self;
        EngineLayer { order, folders, cache, offline, trust, preload }
    }
}

impl WrittenTimeouts {
    fn layer(self) -> TimeoutsLayer {
        let Self { connect, statement, lock } = self;
        TimeoutsLayer { connect, statement, lock }
    }
}

/// What can be said in one word as well as by keys.
trait Word: Sized {
    const EXPECTED: &'static str;

    fn from_word(word: &str) -> Option<Self>;
}

impl Word for WrittenManage {
    const EXPECTED: &'static str = "`all`, or the keys schemas, ignore, privileges, owners, roles, database";

    fn from_word(word: &str) -> Option<Self> {
        (word == "all").then(|| Self { all: true, ..Self::default() })
    }
}

impl Word for WrittenEngine {
    const EXPECTED: &'static str =
        "`auto`, `target`, a URL, or the keys order, folders, cache, offline, trust, preload";

    fn from_word(word: &str) -> Option<Self> {
        let EngineLayer { order, folders, cache, offline, trust, preload } = EngineLayer::from_word(word);
        Some(Self { order, folders, cache, offline, trust, preload })
    }
}

/// Reads a word or keys. An untagged enum would do the same, but lose the line and column of what is wrong.
fn word_or_keys<'de, T: Word + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    struct Either<T>(PhantomData<T>);
    impl<'de, T: Word + Deserialize<'de>> Visitor<'de> for Either<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(T::EXPECTED)
        }

        fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
            T::from_word(word).ok_or_else(|| E::custom(format!("expected {}", T::EXPECTED)))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
    deserializer.deserialize_any(Either(PhantomData))
}

/// One path, or a list of them.
struct OneOrMore(Vec<PathBuf>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Paths;
        impl<'de> Visitor<'de> for Paths {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or a list of paths")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![path.into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore)
            }
        }
        deserializer.deserialize_any(Paths)
    }
}
