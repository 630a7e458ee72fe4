//! Sequences that are not the counters of identity columns.

use serde::{Deserialize, Serialize};

use super::{identity, swap};
use crate::{
    catalog::{Alteration, At, Definition, Hazard, ObjectId, Slot, Space, Step},
    sql,
};

/// The options of a sequence, of one that stands alone or of an identity column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    data_type: String,
    start: i64,
    increment: i64,
    minimum: i64,
    maximum: i64,
    cache: i64,
    cycle: bool,
}

impl Options {
    /// The lowest and the highest value, and the step from one to the next.
    pub fn bounds(&self) -> (i64, i64, i64) {
        (self.minimum, self.maximum, self.increment)
    }

    /// The options that differ from what PostgreSQL would choose, as clauses; without the data type.
    pub fn clauses(&self) -> Vec<String> {
        self.differing(&Self::default_for(&self.data_type, self.increment))
    }

    /// The options that differ from `from`, as clauses; without the data type.
    pub fn differing(&self, from: &Self) -> Vec<String> {
        let Self { data_type: _, start, increment, minimum, maximum, cache, cycle } = self;
        let mut clauses = Vec::new();
        let mut say = |differs: bool, clause: String| {
            if differs {
                clauses.push(clause);
            }
        };
        say(
            from.increment != *increment || *increment != 1 && from.increment == 0,
            format!("INCREMENT BY {increment}"),
        );
        say(from.minimum != *minimum, format!("MINVALUE {minimum}"));
        say(from.maximum != *maximum, format!("MAXVALUE {maximum}"));
        say(from.start != *start, format!("START WITH {start}"));
        say(from.cache != *cache, format!("CACHE {cache}"));
        say(from.cycle != *cycle, if *cycle { "CYCLE" } else { "NO CYCLE" }.to_owned());
        clauses
    }

    /// What PostgreSQL chooses for a sequence of this type that counts by this increment; the increment itself is 1.
    fn default_for(data_type: &str, increment: i64) -> Self {
        let (lowest, highest) = match data_type {
            "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
            "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        let (minimum, maximum) = if increment < 0 { (lowest, -1) } else { (1, highest) };
        let start = if increment < 0 { maximum } else { minimum };
        Self { data_type: data_type.to_owned(), start, increment: 1, minimum, maximum, cache: 1, cycle: false }
    }

    /// How a sequence with these options, of this qualified name, comes to have others.
    pub fn change(&self, to: &Self, sequence: &str) -> OptionsChange {
        // No value that it can stand at is within the new bounds, and PostgreSQL would refuse them.
        let apart = to.minimum > self.maximum || to.maximum < self.minimum;
        let mut clauses = to.differing(self);
        let mut hazard = None;
        if apart {
            clauses.push("RESTART".to_owned());
            hazard = Some(Hazard::Behaviour { why: "the sequence starts anew, within its new bounds".to_owned() });
        } else if to.minimum > self.minimum || to.maximum < self.maximum {
            // What has passed its new end cannot go back without giving values twice.
            hazard = Some(Hazard::MayFail { why: "the sequence must stand within its new bounds".to_owned() });
        }
        let first = to.catch_up(self, sequence).filter(|_| !apart);
        OptionsChange { first, clauses, hazard }
    }

    /// What PostgreSQL makes of these options when it changes the data type along with that of an identity column.
    pub fn retyped(&self, data_type: &str) -> Self {
        let (old, new) =
            (Self::default_for(&self.data_type, self.increment), Self::default_for(data_type, self.increment));
        let mut options = Self { data_type: data_type.to_owned(), ..self.clone() };
        if self.maximum == old.maximum {
            options.maximum = new.maximum;
        }
        if self.minimum == old.minimum {
            options.minimum = new.minimum;
        }
        options
    }

    /// Moves a sequence that has not come to its new bounds yet to their beginning, where PostgreSQL wants it to stand. Values
    /// are only left out by that, also when the transaction is rolled back, which `setval` survives.
    fn catch_up(&self, from: &Self, sequence: &str) -> Option<Step> {
        let (begin, comparison) = match self.increment > 0 {
            true if self.minimum > from.minimum => (self.minimum, "<"),
            false if self.maximum < from.maximum => (self.maximum, ">"),
            _ => return None,
        };
        let name = sql::literal(sequence);
        Some(Step::new(format!(
            "SELECT pg_catalog.setval({name}, {begin}, false) FROM {sequence} WHERE last_value {comparison} {begin}"
        )))
    }

    /// The data type, where it is not the one that PostgreSQL chooses.
    pub fn data_type(&self) -> &str {
        &self.data_type
    }
}

/// How options change.
pub struct OptionsChange {
    /// What has to happen first.
    pub first: Option<Step>,
    /// The clauses that say what is new.
    pub clauses: Vec<String>,
    /// What may come of it.
    pub hazard: Option<Hazard>,
}

/// A sequence; who owns it and which column it serves are objects of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    options: Options,
    unlogged: bool,
}

impl Definition for Sequence {
    const KEYWORD: &'static str = "SEQUENCE";
    const HOLDS_DATA: bool = true;
    const CREATED_BEFORE_OWNER: bool = true;
    const QUERY: &'static str = "
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid, 0 AS objsubid,
            ARRAY[n.nspname, c.relname] AS names, c.relpersistence = 'u' AS unlogged,
            json_build_object('data_type', pg_catalog.format_type(s.seqtypid, NULL), 'start', s.seqstart,
                'increment', s.seqincrement, 'minimum', s.seqmin, 'maximum', s.seqmax, 'cache', s.seqcache,
                'cycle', s.seqcycle) AS options
        FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid >= 16384 AND c.relpersistence <> 't'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'i')";

    fn create(&self, at: &At) -> Vec<Step> {
        match identity::handed_over_to(at) {
            Some(_) => {
                let aside = swap::aside_address(at.id, at);
                vec![Step::new(format!("ALTER SEQUENCE {aside} RENAME TO {}", sql::ident(at.id.name())))]
            }
            None => vec![self.create_as(&at.id.address())],
        }
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { options, unlogged } = to;
        let OptionsChange { first, mut clauses, hazard } = self.options.change(options, &at.id.address());
        if self.options.data_type != options.data_type {
            // `AS` moves the bounds along by itself, so all that may have moved is said again.
            for bound in [format!("MINVALUE {}", options.minimum), format!("MAXVALUE {}", options.maximum)] {
                if !clauses.contains(&bound) {
                    clauses.insert(0, bound);
                }
            }
            clauses.insert(0, format!("AS {}", options.data_type));
        }
        let mut steps: Vec<Step> = first.into_iter().collect();
        if !clauses.is_empty() {
            let mut step = Step::new(format!("ALTER {} {}", at.id, sql::join(clauses, " ")));
            step.hazards.extend(hazard);
            steps.push(step);
        }
        if self.unlogged != *unlogged {
            let word = if *unlogged { "UNLOGGED" } else { "LOGGED" };
            steps.push(Step::new(format!("ALTER {} SET {word}", at.id)));
        }
        Alteration::InPlace(steps)
    }

    fn drop(&self, at: &At) -> Vec<Step> {
        if identity::takes_over(at).is_some() {
            // The identity column goes on where this one stands, and drops it then.
            return swap::aside(at);
        }
        vec![Step::new(format!("DROP {}", at.id)).hazard(Hazard::Loss { what: at.id.to_string() })]
    }

    fn comes_after(&self, at: &At) -> Vec<ObjectId> {
        identity::handed_over_to(at).into_iter().collect()
    }

    fn slots(&self, id: &ObjectId) -> Vec<Slot> {
        vec![Slot(Space::Relation, id.names.clone())]
    }
}

impl Sequence {
    /// Creates a sequence like this one, of this qualified name.
    pub(super) fn create_as(&self, name: &str) -> Step {
        let Self { options, unlogged } = self;
        let unlogged = if *unlogged { "UNLOGGED " } else { "" };
        let mut sql = format!("CREATE {unlogged}SEQUENCE {name}");
        if options.data_type != "bigint" {
            sql.push_str(&format!(" AS {}", options.data_type));
        }
        for clause in options.clauses() {
            sql.push(' ');
            sql.push_str(&clause);
        }
        Step::new(sql)
    }
}
