//! Reads a database into a catalog: every kind's query, in a few messages, inside one read-only snapshot.

use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc::sync_channel},
};

use postgres::{Client, GenericClient, IsolationLevel, SimpleQueryMessage};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Catalog, Concern, Kind, Object, ObjectId, Server, Unmodelled,
    definition::Shape,
    resolve::{Address, Resolver},
};

/// Why a database could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// PostgreSQL refused or the connection broke.
    #[error("cannot read the catalogs: {0}")]
    Postgres(#[from] postgres::Error),
    /// A row does not have the fields of its kind.
    #[error("cannot understand a row of kind {kind}: {why}; the row: {row}")]
    Row {
        /// The kind that was read.
        kind: &'static str,
        /// What does not fit.
        why: String,
        /// What the row is about, as JSON.
        row: String,
    },
    /// The server is older or newer than those that are supported.
    #[error("PostgreSQL {0} is not supported; the majors 14 to 18 are")]
    Major(u32),
}

/// What is read of a server beside what the database holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extent<'a> {
    /// The schema of the ledger, which is left out.
    pub ledger: &'a str,
    /// The server's roles.
    pub roles: bool,
    /// What is said about the database itself.
    pub database: bool,
}

impl<'a> From<&'a str> for Extent<'a> {
    /// What the database holds alone.
    fn from(ledger: &'a str) -> Self {
        Self { ledger, ..Self::default() }
    }
}

impl Extent<'_> {
    fn holds(&self, kind: Kind) -> bool {
        match kind.concern() {
            Concern::Role => self.roles,
            Concern::Database => self.database,
            Concern::Schema | Concern::Owner | Concern::Privilege | Concern::Version => true,
        }
    }
}

/// Settings under which PostgreSQL's deparsed text depends on nothing but the catalogs.
const SETTINGS: &str = "SET LOCAL search_path = ''; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
    SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; \
    SET LOCAL quote_all_identifiers = off; SET LOCAL xmloption = 'content'; SET LOCAL statement_timeout = 0; \
    SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL enable_nestloop = on; ";

const SERVER: &str = "SELECT 's', json_build_object(
    'major', current_setting('server_version_num')::int / 10000, 'version_num', current_setting('server_version_num')::int,
    'database', d.datname, 'user', current_user, 'superuser', current_setting('is_superuser') = 'on',
    'system_identifier', (SELECT system_identifier::text FROM pg_catalog.pg_control_system()),
    'encoding', pg_catalog.pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
    'owner', pg_catalog.pg_get_userbyid(d.datdba), 'maker', pg_catalog.pg_get_userbyid(10),
    'lock_table', current_setting('max_locks_per_transaction')::int8
        * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8))
    FROM pg_catalog.pg_database d WHERE d.datname = current_database(); \
    SELECT 'r', rolname FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname COLLATE \"C\"; \
    SELECT 'c', json_build_array(pg_catalog.format_type(castsource, NULL), pg_catalog.format_type(casttarget, NULL), castcontext <> 'e')
    FROM pg_catalog.pg_cast; ";

/// What a table inherits from, and the type that it is of, are objects of their own, which depend on both.
const DEPENDS: &str = "SELECT 'd', concat_ws(' ', classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
    FROM pg_catalog.pg_depend WHERE (objid >= 16384 OR deptype = 'e') AND NOT (
        classid = 'pg_catalog.pg_class'::regclass AND objsubid = 0 AND deptype IN ('a', 'n') AND (
            refclassid = 'pg_catalog.pg_class'::regclass AND refobjsubid = 0
                AND (objid, refobjid) IN (SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits)
            OR refclassid = 'pg_catalog.pg_type'::regclass
                AND (objid, refobjid) IN (SELECT oid, reloftype FROM pg_catalog.pg_class WHERE reloftype <> 0)))";

/// Reads the whole database that the client is connected to, without the schema of the ledger.
///
/// One `REPEATABLE READ READ ONLY` snapshot, in a handful of round trips whatever the number of objects.
pub fn read<'a>(client: &mut Client, extent: impl Into<Extent<'a>>) -> Result<Catalog, ReadError> {
    let mut snapshot =
        client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start()?;
    let catalog = read_within(&mut snapshot, extent)?;
    snapshot.commit()?;
    Ok(catalog)
}

/// Reads the database as a transaction that is open sees it, with what has been changed in it.
///
/// The settings of a reader, among them an empty `search_path`, stay until the end of the transaction.
pub fn read_within<'a>(client: &mut impl GenericClient, extent: impl Into<Extent<'a>>) -> Result<Catalog, ReadError> {
    let extent = extent.into();
    let (major, mut kinds) = present(client)?;
    kinds.retain(|kind| extent.holds(*kind));
    let messages = messages(major, &kinds);
    let (sender, receiver) = sync_channel::<Vec<SimpleQueryMessage>>(1);
    std::thread::scope(|scope| {
        let decoding = scope.spawn(move || {
            let mut reading = Reading::default();
            for message in receiver.into_iter().flatten() {
                if let SimpleQueryMessage::Row(row) = message {
                    reading.row(row.get(0).unwrap_or_default(), row.get(1).unwrap_or_default())?;
                }
            }
            Ok(reading.finish(extent.ledger))
        });
        for message in messages {
            // Whoever does not listen any more has found what is wrong.
            if sender.send(client.simple_query(&message)?).is_err() {
                break;
            }
        }
        drop(sender);
        decoding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// How many queries go into one message: a database far away must not cost a round trip for each kind, and the answers of
/// one message are understood while the server works on the next.
const QUERIES: usize = 6;

/// The queries of these kinds, dependencies before objects.
fn messages(major: u32, kinds: &[Kind]) -> Vec<String> {
    let query =
        |what: &str, query: &str| format!("SELECT '{what}', row_to_json(q) FROM (\n{}\n) q; ", for_major(query, major));
    let mut messages = vec![format!("{SERVER}{DEPENDS}")];
    for kinds in kinds.chunks(QUERIES) {
        messages.push(kinds.iter().map(|kind| query(kind.name(), kind.query())).collect());
    }
    messages.push(query("u", super::kinds::UNMODELLED));
    messages
}

/// Makes the settings of a reader; the major version, and the kinds of which there may be objects.
fn present(client: &mut impl GenericClient) -> Result<(u32, Vec<Kind>), ReadError> {
    let (always, sometimes): (Vec<Kind>, Vec<Kind>) = Kind::ALL.iter().partition(|kind| kind.present() == "true");
    let row = |kind: &Kind| format!("('{}', {})", kind.name(), kind.present());
    let rows: Vec<String> = sometimes.iter().map(row).collect();
    let message = format!(
        "{SETTINGS}SHOW server_version_num; SELECT kind FROM (VALUES {}) AS v(kind, there) WHERE there",
        crate::sql::join(rows, ", ")
    );
    let mut texts = client.simple_query(&message)?.into_iter().filter_map(|it| match it {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    let version = texts.next().and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
    let there: Vec<Kind> = texts.filter_map(|name| Kind::from_name(&name)).collect();
    let major = version / 10_000;
    if !(14..=18).contains(&major) {
        return Err(ReadError::Major(major));
    }
    let kinds = Kind::ALL.iter().copied().filter(|kind| always.contains(kind) || there.contains(kind));
    Ok((major, kinds.collect()))
}

/// Leaves out the lines that are marked for other majors: `-- 18+`, `-- <18`, both.
fn for_major(query: &str, major: u32) -> String {
    let fits = |line: &&str| {
        line.split("-- ").skip(1).map(str::trim).all(|mark| {
            if let Some(first) = mark.strip_suffix('+').and_then(|n| n.parse::<u32>().ok()) {
                return major >= first;
            }
            mark.strip_prefix('<').and_then(|n| n.parse::<u32>().ok()).is_none_or(|limit| major < limit)
        })
    };
    query.lines().filter(fits).collect::<Vec<_>>().join("\n")
}

impl Kind {
    /// The SELECT that reads objects of this kind from a server of a major version.
    pub fn query_for(self, major: u32) -> String {
        for_major(self.query(), major)
    }
}

/// A definition about the object at an address.
struct About {
    of: Address,
    kind: Kind,
    names: Vec<String>,
    object: Object,
    needs: Vec<[u32; 3]>,
    /// Its own row of a catalog, where others need it.
    row: Option<Address>,
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    server: Server,
    roles: Vec<String>,
    casts: BTreeMap<(String, String), bool>,
    resolver: Resolver,
    objects: Vec<(ObjectId, Object)>,
    /// Definitions about other objects, which are addressed once those are known.
    about: Vec<About>,
    unmodelled: Vec<Unmodelled>,
}

impl Reading {
    fn row(&mut self, what: &str, text: &str) -> Result<(), ReadError> {
        let bad = |kind, why: String| ReadError::Row { kind, why, row: about(text) };
        match what {
            "s" => self.server = serde_json::from_str(text).map_err(|e| bad("server", e.to_string()))?,
            "r" => self.roles.push(text.to_owned()),
            "c" => {
                let (from, to, implicit) = serde_json::from_str(text).map_err(|e| bad("cast", e.to_string()))?;
                self.casts.insert((from, to), implicit);
            }
            "d" => self.resolver.depend(text).ok_or_else(|| bad("pg_depend", "seven words expected".into()))?,
            "u" => self.unmodelled.push(serde_json::from_str(text).map_err(|e| bad("unmodelled", e.to_string()))?),
            name => {
                let kind = Kind::from_name(name).ok_or_else(|| bad("unknown", name.to_owned()))?;
                self.object(kind, text).map_err(|why| bad(kind.name(), why))?;
            }
        }
        Ok(())
    }

    fn object(&mut self, kind: Kind, text: &str) -> Result<(), String> {
        let mut fields: Map<String, Value> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let address = Address {
            class: number(&mut fields, "classid")?,
            object: number(&mut fields, "objid")?,
            sub: number(&mut fields, "objsubid")?,
        };
        let names = words(&mut fields, "names")?;
        let needs: Vec<[u32; 3]> = list(&mut fields, "needs")?;
        let args = words(&mut fields, "args")?;
        let row: Vec<u32> = list(&mut fields, "row")?;
        let object = Object::from_json(kind, Value::Object(fields)).map_err(|e| e.to_string())?;
        if matches!(kind.shape(), Shape::About | Shape::Granted) {
            let row = match row.as_slice() {
                &[class, object, sub] => Some(Address { class, object, sub }),
                _ => None,
            };
            self.about.push(About { of: address, kind, names, object, needs, row });
            return Ok(());
        }
        // Temporary and toast schemas start with `pg_`, a prefix that no user's schema can have.
        let hidden = kind.in_schema()
            && names.first().is_some_and(|schema| schema.starts_with("pg_") || schema == "information_schema");
        if !hidden && !self.resolver.is_implementation(address) {
            let id = ObjectId { args: args.into(), ..ObjectId::new(kind, names) };
            let number = self.objects.len();
            self.resolver.needs(number, &needs);
            self.resolver.object(address, number, kind.created_before_owner());
            self.objects.push((id, object));
        }
        Ok(())
    }

    fn finish(mut self, ledger: &str) -> Catalog {
        for About { of, kind, names, object, needs, row } in self.about {
            let address = of;
            if let Some(of) = self.resolver.exact(of) {
                let about = self.objects.get(of).map(|(of, _)| Arc::new(of.clone()));
                let id = ObjectId { of: about, ..ObjectId::new(kind, names) };
                let number = self.objects.len();
                self.resolver.needs(number, &needs);
                if kind.completes() {
                    self.resolver.completes(number, of);
                }
                self.resolver.about(number, of);
                if let Some(extension) = self.resolver.extension(address).filter(|_| kind.of_members()) {
                    self.resolver.about(number, extension);
                }
                if let Some(row) = row {
                    self.resolver.object(row, number, false);
                }
                self.objects.push((id, object));
            }
        }
        let ties = self.resolver.ties();
        let members = self.resolver.extension_members();
        let is_member = |number: &usize, id: &ObjectId| members.contains(number) && !id.kind.of_members();
        let keep = |number: usize, id: &ObjectId| id.schema() != Some(ledger) && !is_member(&number, id);
        let objects = self.objects.into_iter().enumerate();
        let objects = objects.map(|(number, it)| Some(it).filter(|(id, _)| keep(number, id))).collect();
        Catalog {
            roles: self.roles,
            casts: self.casts,
            // The ledger is ours.
            unmodelled: self.unmodelled.into_iter().filter(|it| it.schema.as_deref() != Some(ledger)).collect(),
            ..Catalog::numbered(self.server, objects, &ties)
        }
        .tied_to_roles()
    }
}

/// What a row is about, without the definition, in which secrets may be.
fn about(row: &str) -> String {
    let Ok(mut fields) = serde_json::from_str::<Map<String, Value>>(row) else { return String::new() };
    fields.retain(|name, _| ["classid", "objid", "objsubid", "names", "args"].contains(&name.as_str()));
    Value::Object(fields).to_string()
}

fn number(fields: &mut Map<String, Value>, name: &str) -> Result<u32, String> {
    let value = fields.shift_remove(name).ok_or_else(|| format!("no {name}"))?;
    // An oid reaches JSON as a string, an integer as a number.
    let number = value.as_str().map_or_else(|| value.as_u64(), |text| text.parse().ok());
    number.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| format!("{name} is {value}"))
}

fn words(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    list(fields, name)
}

fn list<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Vec<T>, String> {
    match fields.shift_remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => serde_json::from_value(value).map_err(|e| format!("{name}: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::for_major;

    #[test]
    fn lines_are_chosen_by_major() {
        let query = "SELECT a,\nb, -- 18+\nc, -- <18\nd -- why not";
        assert_eq!(for_major(query, 18), "SELECT a,\nb, -- 18+\nd -- why not");
        assert_eq!(for_major(query, 17), "SELECT a,\nc, -- <18\nd -- why not");
        assert_eq!([14, 15, 17].map(|major| for_major("a -- 15+ -- <17", major).len()), [0, 15, 0]);
    }
}
