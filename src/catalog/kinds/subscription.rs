//! Subscriptions.

use serde::{Deserialize, Serialize, Serializer};

use super::conninfo;
use crate::{
    catalog::{Alteration, At, Definition, Hazard, Step, Visit},
    sql,
};

/// A subscription. Whether it is enabled, and how far it has come, is state and not read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    connection: Connection,
    publications: Vec<String>,
    /// The slot on the publisher.
    slot: Option<String>,
    synchronous_commit: String,
    binary: bool,
    /// `off`, `on`, `parallel`
    streaming: String,
    two_phase: bool,
    disable_on_error: bool,
    password_required: bool,
    run_as_owner: bool,
    failover: bool,
    /// Which changes are taken: `any`, `none`.
    origin: String,
}

/// How the publisher is reached; a secret, which equals everything where the reader may not see it.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct Connection(Option<String>);

impl PartialEq for Connection {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => conninfo::same(one, other),
            _ => true,
        }
    }
}

impl Serialize for Connection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_deref().map(conninfo::shown).serialize(serializer)
    }
}

impl Definition for Subscription {
    const KEYWORD: &'static str = "SUBSCRIPTION";
    const HAS_OPTIONS: bool = true;
    const IN_SCHEMA: bool = false;
    const SHARED: bool = true;
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_subscription)";
    /// Only superusers may select `subconninfo`, and a query that names it is refused as a whole: `ts_stat` runs another
    /// query, and only where that is allowed.
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_subscription'::regclass::oid AS classid, s.oid AS objid, 0 AS objsubid,
            ARRAY[s.subname] AS names, s.subpublications AS publications, s.subslotname AS slot,
            s.subsynccommit AS synchronous_commit, s.subbinary AS binary,
            CASE WHEN pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'SELECT') THEN
                (SELECT t.word FROM pg_catalog.ts_stat('SELECT pg_catalog.array_to_tsvector(ARRAY[subconninfo])
                    FROM pg_catalog.pg_subscription WHERE oid = ' || s.oid) t) END AS connection,
            CASE WHEN s.substream THEN 'on' ELSE 'off' END AS streaming, -- <16
            CASE s.substream WHEN 't' THEN 'on' WHEN 'p' THEN 'parallel' ELSE 'off' END AS streaming, -- 16+
            s.subtwophasestate <> 'd' AS two_phase, s.subdisableonerr AS disable_on_error, -- 15+
            false AS two_phase, false AS disable_on_error, -- <15
            s.subpasswordrequired AS password_required, s.subrunasowner AS run_as_owner, s.suborigin AS origin, -- 16+
            true AS password_required, false AS run_as_owner, 'any' AS origin, -- <16
            s.subfailover AS failover -- 17+
            false AS failover -- <17
        FROM pg_catalog.pg_subscription s
        WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { connection, publications, .. } = self;
        let Connection(connection) = connection;
        let connection = sql::literal(&conninfo::quoted(connection.as_deref().unwrap_or_default()));
        // It is created without a word to the publisher, as pg_dump does it: that needs the slot to be there.
        let options = std::iter::once("connect = false".to_owned()).chain(self.options(None));
        let with = sql::join(options, ", ");
        let publications = sql::idents(publications);
        vec![Step::new(format!("CREATE {} CONNECTION {connection} PUBLICATION {publications} WITH ({with})", at.id))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        if self.two_phase != to.two_phase {
            return Alteration::Replace;
        }
        let mut actions = Vec::new();
        if let Connection(Some(connection)) = &to.connection
            && self.connection != to.connection
        {
            actions.push(format!("CONNECTION {}", sql::literal(&conninfo::quoted(connection))));
        }
        if self.publications != to.publications {
            actions.push(format!("SET PUBLICATION {} WITH (refresh = false)", sql::idents(&to.publications)));
        }
        let options: Vec<String> = to.options(Some(self)).collect();
        if !options.is_empty() {
            actions.push(format!("SET ({})", sql::join(options, ", ")));
        }
        Alteration::InPlace(actions.into_iter().map(|action| Step::new(format!("ALTER {} {action}", at.id))).collect())
    }

    fn visit_options(&mut self, visit: &mut Visit) {
        if let Connection(Some(connection)) = &mut self.connection {
            conninfo::visit(connection, visit);
        }
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        let why = "the slot on the publisher stays, and keeps its log until somebody drops it there".to_owned();
        let part = |action: &str| Step::new(format!("ALTER {} {action}", at.id));
        let mut steps = vec![part("DISABLE")];
        if self.slot.is_some() {
            // With a slot, the drop would go to the publisher, and could be part of no transaction.
            steps.push(part("SET (slot_name = NONE)").hazard(Hazard::Behaviour { why }));
        }
        steps.push(Step::new(format!("DROP {}", at.id)));
        steps
    }
}

impl Subscription {
    /// The options that differ from those of `from`, or from what PostgreSQL chooses.
    fn options(&self, from: Option<&Self>) -> impl Iterator<Item = String> {
        let Self {
            connection: _,
            publications: _,
            slot,
            synchronous_commit,
            binary,
            streaming,
            two_phase,
            disable_on_error,
            password_required,
            run_as_owner,
            failover,
            origin,
        } = self;
        let flag = |name: &str, value: bool, before: bool| (value != before).then(|| format!("{name} = {value}"));
        let word = |name: &str, value: &str, before: &str| {
            (value != before).then(|| format!("{name} = {}", sql::literal(value)))
        };
        let spelled = slot.as_ref().map_or_else(|| "NONE".to_owned(), |name| sql::literal(name));
        [
            from.is_none_or(|it| it.slot != *slot).then(|| format!("slot_name = {spelled}")),
            word("synchronous_commit", synchronous_commit, from.map_or("off", |it| &it.synchronous_commit)),
            flag("binary", *binary, from.is_some_and(|it| it.binary)),
            word("streaming", streaming, from.map_or("", |it| &it.streaming)),
            flag("two_phase", *two_phase, from.is_some_and(|it| it.two_phase)),
            flag("disable_on_error", *disable_on_error, from.is_some_and(|it| it.disable_on_error)),
            flag("password_required", *password_required, from.is_none_or(|it| it.password_required)),
            flag("run_as_owner", *run_as_owner, from.is_some_and(|it| it.run_as_owner)),
            flag("failover", *failover, from.is_some_and(|it| it.failover)),
            word("origin", origin, from.map_or("any", |it| &it.origin)),
        ]
        .into_iter()
        .flatten()
    }
}
