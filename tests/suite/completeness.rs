//! Every column of PostgreSQL's catalogs is read by a kind, or `completeness/exempt.txt` says why none has to.
//!
//! PostgreSQL itself tells both sides: which columns there are, and which of them the query of a kind reads, since a view's
//! rule lists the columns that its user must be allowed to select, and the functions that it calls.
//!
//! Catalogs that hold objects of several sorts are looked at sort by sort: what the kinds read that return objects of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use postgres::Client;
use reconcile::{
    catalog::{Extent, Kind},
    engine::{Scratch, Spec},
};

use crate::server::{majors, server};

/// The lowest number of a system column, which the sets of columns in rules count from.
const FIRST_COLUMN: i32 = -7;

/// A catalog whose rows are of several sorts: what tells the rows of users apart, and how to get from an address to them.
struct Sorts {
    catalog: &'static str,
    /// A SELECT of `classid`, `objid` and `sort`.
    query: &'static str,
}

const SORTS: &[Sorts] = &[
    Sorts {
        catalog: "pg_class",
        query: "SELECT tableoid AS classid, oid AS objid, relkind::text AS sort FROM pg_class WHERE oid >= 16384
            AND relnamespace = 's'::regnamespace",
    },
    Sorts {
        catalog: "pg_attribute",
        query: "SELECT tableoid AS classid, oid AS objid, relkind::text AS sort FROM pg_class WHERE oid >= 16384
            AND relnamespace = 's'::regnamespace AND relkind <> 'S'",
    },
    Sorts {
        catalog: "pg_type",
        query: "SELECT t.tableoid AS classid, t.oid AS objid, t.typtype::text AS sort FROM pg_type t
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typnamespace = 's'::regnamespace AND t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c' AND t.typtype <> 'm'",
    },
    Sorts {
        catalog: "pg_proc",
        query: "SELECT tableoid AS classid, oid AS objid, prokind::text AS sort FROM pg_proc
            WHERE pronamespace = 's'::regnamespace",
    },
    Sorts {
        catalog: "pg_constraint",
        query: "SELECT tableoid AS classid, oid AS objid, CASE contypid WHEN 0 THEN '' ELSE 'd' END || contype::text AS sort
            FROM pg_constraint WHERE oid >= 16384",
    },
];

/// What the query of a kind reads.
struct Reading {
    /// The columns, as PostgreSQL understands the query: `pg_class.relname`.
    columns: BTreeSet<String>,
    /// The sorts of the objects that it returns: `pg_class of v`.
    sorts: BTreeSet<String>,
}

/// What is there in one version.
#[derive(Default)]
struct Version {
    /// Every column of every catalog, and of each sort in it: `pg_class.relname`, `pg_class.relname of v`.
    there: BTreeSet<String>,
    /// Those of them that a kind reads.
    read: BTreeSet<String>,
    /// The functions that kinds call.
    called: BTreeSet<String>,
}

/// Every column of every catalog; `oid` only tells rows apart.
fn columns(client: &mut Client) -> Vec<(String, String)> {
    let query = "SELECT c.relname::text, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND a.attname <> 'oid'";
    client.query(query, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The columns that the rule of the view says it reads.
fn columns_of_view(client: &mut Client) -> BTreeSet<String> {
    let query = "SELECT c.relname::text, m[2],
            (SELECT json_object_agg(a.attnum, a.attname)::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
        FROM pg_rewrite r CROSS JOIN LATERAL regexp_matches(r.ev_action::text,
            ':relid (\\d+)(?: :(?!relid |selectedCols )\\w+ [^:{}]*)* :selectedCols \\(b([^)]*)\\)', 'g') m
            JOIN pg_class c ON c.oid = m[1]::oid
        WHERE r.ev_class = 'public.reading'::regclass AND c.relnamespace = 'pg_catalog'::regnamespace";
    let mut read = BTreeSet::new();
    for row in client.query(query, &[]).unwrap() {
        let (catalog, numbers, names): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let names: BTreeMap<i32, String> = serde_json::from_str(&names).unwrap();
        let numbers = numbers.split_whitespace().map(|number| number.parse::<i32>().unwrap() + FIRST_COLUMN);
        // Number 0 is the whole row.
        let columns = numbers.flat_map(|number| match number {
            0 => names.values().collect(),
            _ => Vec::from_iter(names.get(&number)),
        });
        read.extend(columns.map(|column| format!("{catalog}.{column}")));
    }
    read
}

/// The functions that the rule of the view calls.
fn functions_of_view(client: &mut Client) -> Vec<String> {
    let query = "SELECT DISTINCT p.proname::text FROM pg_rewrite r
        CROSS JOIN LATERAL regexp_matches(r.ev_action::text, ':funcid (\\d+)', 'g') m JOIN pg_proc p ON p.oid = m[1]::oid
        WHERE r.ev_class = 'public.reading'::regclass";
    client.query(query, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}

/// The sorts of objects that the view returns.
fn sorts_of_view(client: &mut Client) -> BTreeSet<String> {
    let of = |sorts: &Sorts| {
        let query = format!(
            "SELECT DISTINCT s.sort FROM public.reading r JOIN ({}) s ON s.classid = r.classid::oid AND s.objid = r.objid::oid",
            sorts.query
        );
        let rows = client.query(&query, &[]).unwrap();
        rows.iter().map(|row| format!("{} of {}", sorts.catalog, row.get::<_, String>(0))).collect::<Vec<_>>()
    };
    SORTS.iter().flat_map(of).collect()
}

/// A database with the sample in it.
fn sample(major: u32) -> (Scratch, Client) {
    let database = server(major).database(&Spec { role: "completeness".to_owned(), ..Spec::default() }).unwrap();
    let mut client = database.admin().unwrap();
    for statement in include_str!("completeness/sample.sql").split(";\n") {
        client.batch_execute(statement).unwrap_or_else(|error| panic!("on {major}: {statement}: {error:?}"));
    }
    (database, client)
}

/// What the queries of all kinds read from a server, as PostgreSQL understands them, and what they return of the sample.
fn version(major: u32) -> Version {
    let (_database, mut client) = sample(major);
    let mut found = Version::default();
    let mut readings = Vec::new();
    for kind in Kind::ALL {
        client.batch_execute(&format!("CREATE VIEW public.reading AS {}", kind.query_for(major))).unwrap();
        let (columns, sorts) = (columns_of_view(&mut client), sorts_of_view(&mut client));
        found.read.extend(columns.iter().cloned());
        found.called.extend(functions_of_view(&mut client));
        readings.push(Reading { columns, sorts });
        client.batch_execute("DROP VIEW public.reading").unwrap();
    }
    assert!(found.read.contains("pg_class.relname"), "the rules of views are read in vain on {major}");
    let columns = columns(&mut client);
    found.there.extend(columns.iter().map(|(catalog, column)| format!("{catalog}.{column}")));
    for sorts in SORTS {
        for row in client.query(&format!("SELECT DISTINCT sort FROM ({}) s", sorts.query), &[]).unwrap() {
            let sort: String = row.get(0);
            let whole = format!("{} of {sort}", sorts.catalog);
            for (catalog, column) in columns.iter().filter(|(catalog, _)| catalog == sorts.catalog) {
                let name = format!("{catalog}.{column}");
                let of_sort = format!("{name} of {sort}");
                if readings.iter().any(|it| it.sorts.contains(&whole) && it.columns.contains(&name)) {
                    found.read.insert(of_sort.clone());
                }
                found.there.insert(of_sort);
            }
        }
    }
    found
}

/// Every row of the catalogs of objects that a user made and that is no part of another one, as people call it, unless a kind
/// returned it.
fn not_returned(client: &mut Client) -> BTreeSet<String> {
    let catalogs = "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'oid'
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared AND c.relname <> 'pg_enum'";
    let catalogs = client.query(catalogs, &[]).unwrap();
    let of = |row: &postgres::Row| {
        let query = format!(
            "SELECT i.type || ' ' || i.identity FROM {} o CROSS JOIN LATERAL pg_identify_object(o.tableoid, o.oid, 0) i
            WHERE o.oid >= 16384 AND coalesce(i.schema !~ '^pg_', true)
                AND NOT EXISTS (SELECT FROM returned r WHERE r.class = o.tableoid AND r.oid = o.oid)
                AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = o.tableoid AND d.objid = o.oid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))",
            row.get::<_, String>(0)
        );
        client.query(&query, &[]).unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    catalogs.iter().flat_map(of).collect()
}

/// What is no object of its own: `ALTER` of the family, table or publication speaks of it. The same goes for the NOT NULL of a column.
const PARTS: &[&str] = &["operator of access method ", "function of access method ", "default value for "];

#[test]
fn every_object_of_the_sample_is_modelled_or_refused_by_name() {
    for major in majors() {
        let (_database, mut client) = sample(major);
        client.batch_execute("CREATE TEMPORARY TABLE returned (class oid, oid oid)").unwrap();
        let mut returning = BTreeSet::new();
        for kind in Kind::ALL {
            let query = kind.query_for(major);
            let fill = format!("INSERT INTO returned SELECT q.classid::oid, q.objid::oid FROM ({query}\n) q");
            let rows = client.execute(&fill, &[]).unwrap();
            if rows > 0 {
                returning.insert(kind.name());
            }
        }
        let mut left = not_returned(&mut client);
        client.batch_execute("DROP TABLE returned").unwrap();
        let extent = Extent { ledger: "reconcile", roles: true, database: true };
        let catalog = reconcile::catalog::read(&mut client, extent).unwrap();
        let refused = &catalog.unmodelled;
        // A reader leaves out the queries of kinds of which there seems to be nothing.
        let read: BTreeSet<&str> = catalog.iter().map(|(id, _)| id.kind.name()).collect();
        returning.retain(|kind| !read.contains(kind));
        assert!(returning.is_empty(), "on {major}, there are objects of these kinds, and none is read: {returning:?}");
        left.retain(|it| !refused.iter().any(|refused| refused.address.starts_with(it)));
        left.retain(|it| !PARTS.iter().any(|part| it.starts_with(part)) && !it.contains("_not_null on s.\"table\""));
        assert!(left.is_empty(), "on {major}, neither modelled nor refused: {left:#?}");
    }
}

/// A line of `exempt.txt`.
struct Exemption {
    catalog: String,
    /// `None` for all of them.
    column: Option<String>,
    /// `None` for all of them.
    sorts: Option<BTreeSet<String>>,
    reason: String,
    /// Whether it may stay for a while after a kind reads it.
    passing: bool,
}

impl Exemption {
    fn new(line: &str) -> Self {
        let (passing, line) = line.strip_prefix("? ").map_or((false, line), |rest| (true, rest));
        let (what, reason) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} gives no reason"));
        let (name, sorts) = match what.split_once(" of ") {
            Some((name, sorts)) => (name, Some(sorts.split(' ').map(str::to_owned).collect())),
            None => (what, None),
        };
        let (catalog, column) = name.split_once('.').unwrap_or_else(|| panic!("{name} names no column"));
        let column = (column != "*").then(|| column.to_owned());
        Self { catalog: catalog.to_owned(), column, sorts, reason: reason.to_owned(), passing }
    }

    /// Whether it speaks of `pg_class.relname` or `pg_class.relname of v`.
    fn covers(&self, name: &str) -> bool {
        let (name, sort) = name.split_once(" of ").map_or((name, None), |(name, sort)| (name, Some(sort)));
        let (catalog, column) = name.split_once('.').unwrap();
        let of_sort = match (&self.sorts, sort) {
            (None, _) => true,
            (Some(sorts), Some(sort)) => sorts.contains(sort),
            (Some(_), None) => false,
        };
        of_sort && self.catalog == catalog && self.column.as_ref().is_none_or(|it| it == column)
    }
}

fn exemptions() -> Vec<Exemption> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/completeness/exempt.txt");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(Exemption::new).collect()
}

/// Why an exemption is not one any more.
fn stale(exemption: &Exemption, versions: &[Version]) -> Option<String> {
    let Exemption { catalog, column, sorts, reason, passing } = exemption;
    let what = format!("{catalog}.{} of {sorts:?}", column.as_deref().unwrap_or("*"));
    // A line about all sorts is about the column as such: one sort may be read where another is not.
    let same = |name: &&String| exemption.covers(name) && name.contains(" of ") == sorts.is_some();
    if !versions.iter().any(|version| version.there.iter().any(|name| same(&name))) {
        return Some(format!("{what}: no version has it"));
    }
    let function = reason.strip_prefix("through pg_").map(|rest| format!("pg_{rest}"));
    if let Some(function) = function.filter(|name| !versions.iter().all(|version| version.called.contains(name))) {
        return Some(format!("{what}: no kind calls {function}"));
    }
    let read = versions.iter().flat_map(|version| &version.read).find(same)?;
    (!passing).then(|| format!("{what}: a kind reads {read}"))
}

#[test]
fn every_column_of_the_catalogs_is_read_or_exempt() {
    let exemptions = exemptions();
    let versions: Vec<Version> = majors().into_iter().map(version).collect();
    let mut wrong = BTreeSet::new();
    for (version, major) in versions.iter().zip(majors()) {
        let unread = version.there.iter().filter(|name| !version.read.contains(*name));
        let unexcused = unread.filter(|name| !exemptions.iter().any(|it| it.covers(name)));
        wrong.extend(unexcused.map(|name| format!("{name}: on {major}, no kind reads it, and nothing says why not")));
    }
    if majors() == [14, 15, 16, 17, 18] {
        wrong.extend(exemptions.iter().filter_map(|it| stale(it, &versions)));
    }
    assert!(wrong.is_empty(), "{}", Vec::from_iter(wrong).join("\n"));
}

#[test]
fn a_label_on_a_subscription_is_read_from_where_labels_of_shared_objects_are() {
    let (_database, mut client) = sample(18);
    client.batch_execute("SECURITY LABEL FOR guard ON SUBSCRIPTION subscription IS 'secret'").unwrap();
    let catalog = reconcile::catalog::read(&mut client, "reconcile").unwrap();
    client.batch_execute("SECURITY LABEL FOR guard ON SUBSCRIPTION subscription IS NULL").unwrap();
    assert!(catalog.iter().any(|(id, _)| id.to_string() == "SECURITY LABEL FOR guard ON SUBSCRIPTION subscription"));
}
