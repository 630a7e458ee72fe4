//! Orders statements by the names that they make and mention.

mod graph;
mod parsed;
mod refs;
mod rules;

use super::Source;
use super::unit::Unit;
use graph::{Edge, arrange};
use refs::{Mention, Refs, Sort};
use rules::{barriers, chains};
use std::collections::HashMap;

/// Units in an order in which most of them can run.
pub(super) struct Order {
    pub(super) units: Vec<Unit>,
    /// The objects that each unit is about; units about the same object keep their order.
    pub(super) subjects: Vec<Vec<String>>,
    /// The units that each unit needs, by their index.
    pub(super) needs: Vec<Vec<usize>>,
}

/// Orders units; those that need each other are taken apart where that helps, and stay in their order where not.
pub(super) fn order(source: &Source, mut units: Vec<Unit>) -> Order {
    let mut graph = Graph::of(source, &units);
    let (mut sequence, mut cycles) = graph.arrange();
    if graph.doubt(source, &units, &cycles) {
        (sequence, cycles) = graph.arrange();
    }
    if !cycles.is_empty() && take_apart(source, &mut units, &cycles) {
        graph = Graph::of(source, &units);
        cycles = graph.arrange().1;
        graph.doubt(source, &units, &cycles);
        sequence = graph.arrange().0;
    }
    let mut place = vec![0; units.len()];
    for (at, unit) in sequence.iter().enumerate() {
        place[*unit] = at;
    }
    let mut needs = vec![Vec::new(); units.len()];
    for edge in graph.edges.iter().filter(|edge| edge.strength == graph::NEEDS) {
        needs[place[edge.to]].push(place[edge.from]);
    }
    let mut subjects: Vec<_> = graph.refs.into_iter().map(|refs| refs.subjects).collect();
    Order {
        subjects: sequence.iter().map(|unit| std::mem::take(&mut subjects[*unit])).collect(),
        units: sequence.iter().map(|unit| units[*unit].clone()).collect(),
        needs,
    }
}

/// Replaces units of a cycle by their parts; whether there are any.
fn take_apart(source: &Source, units: &mut Vec<Unit>, cycles: &[Vec<usize>]) -> bool {
    let before = units.len();
    for at in cycles.iter().flatten() {
        if let Some(mut parts) = units[*at].apart(&source.statements[units[*at].statement]) {
            units[*at] = parts.remove(0);
            units.extend(parts);
        }
    }
    units.len() > before
}

struct Graph {
    refs: Vec<Refs>,
    edges: Vec<Edge>,
    /// Before everything else, in the middle, or after everything else.
    ranks: Vec<u8>,
}

/// Where names are made: units by the last part of the name.
type Makers<'a> = HashMap<&'a str, Vec<(usize, Option<&'a str>, Sort)>>;

impl Graph {
    fn of(source: &Source, units: &[Unit]) -> Self {
        let statements: Vec<_> = units.iter().map(|unit| &source.statements[unit.statement]).collect();
        let all: Vec<_> =
            units.iter().zip(&statements).map(|(unit, statement)| Refs::of(statement, &unit.part)).collect();
        let ranks = statements.iter().map(|statement| rank(statement)).collect();
        let mut makers: Makers<'_> = HashMap::new();
        for (unit, refs) in all.iter().enumerate() {
            for made in &refs.makes {
                makers.entry(&made.name).or_default().push((unit, made.schema.as_deref(), made.sort));
            }
        }
        let mut edges = Vec::new();
        for (unit, (refs, statement)) in all.iter().zip(&statements).enumerate() {
            let path = statement.settings.search_path();
            let look = Look { makers: &makers, all: &all, refs, path, unit };
            look.edges(&mut edges);
        }
        chains(&all, &statements, &mut edges);
        barriers(&statements, &mut edges);
        edges.sort_unstable();
        edges.dedup();
        Self { refs: all, edges, ranks }
    }

    /// Weakens, in cycles, the edges to what a word names that sqlparser takes for no reference: an alias, a column; whether
    /// there are any.
    fn doubt(&mut self, source: &Source, units: &[Unit], cycles: &[Vec<usize>]) -> bool {
        let mut doubted = false;
        for unit in cycles.iter().flatten() {
            let statement = &source.statements[units[*unit].statement];
            let Some(names) = parsed::references(statement.sql()) else { continue };
            let texts = |made: &refs::Made| {
                self.refs[*unit].mentions.iter().any(|mention| match mention {
                    Mention::Text(text) => text.contains(&made.name),
                    Mention::Operator(name) => *name == made.name,
                    Mention::Name(..) | Mention::Key(_) => false,
                })
            };
            for edge in self.edges.iter_mut().filter(|edge| edge.to == *unit && edge.strength == graph::NEEDS) {
                let makes = &self.refs[edge.from].makes;
                if !makes.iter().any(|made| names.contains(&made.name) || texts(made)) {
                    edge.strength = graph::DOUBTFUL;
                    doubted = true;
                }
            }
        }
        doubted
    }

    fn arrange(&self) -> (Vec<usize>, Vec<Vec<usize>>) {
        arrange(&self.ranks, &self.edges)
    }
}

/// Schemas and extensions come first: names of extensions' objects cannot be seen here. Event triggers come last, because
/// they act on every statement after them.
fn rank(statement: &super::Statement) -> u8 {
    let head = &statement.head;
    match head.kind {
        "SCHEMA" | "EXTENSION" | "LANGUAGE" if head.verb == "CREATE" => 0,
        "EVENT TRIGGER" if head.verb == "CREATE" => 2,
        _ => 1,
    }
}

/// Looks up what one unit mentions.
struct Look<'a> {
    makers: &'a Makers<'a>,
    all: &'a [Refs],
    refs: &'a Refs,
    path: Option<&'a [String]>,
    unit: usize,
}

impl Look<'_> {
    fn edges(&self, edges: &mut Vec<Edge>) {
        let mut found = Vec::new();
        for mention in &self.refs.mentions {
            match mention {
                Mention::Name(names, called) => self.name(names, *called, &mut found),
                Mention::Operator(name) => self.unqualified(name, &mut found, |sort| sort == Sort::Other),
                Mention::Text(text) => self.unqualified(text, &mut found, |sort| sort == Sort::Value),
                Mention::Key(names) => self.qualified(names, &mut found, |sort| sort == Sort::Unique),
            }
        }
        found.retain(|from| *from != self.unit);
        edges.extend(found.into_iter().map(|from| Edge { from, to: self.unit, strength: graph::NEEDS }));
    }

    /// A chain of names may start with a schema, or with the object itself: `app.users.id`, `users.id`.
    fn name(&self, names: &[String], called: bool, found: &mut Vec<usize>) {
        let Some(first) = names.first() else { return };
        let plain = |sort| matches!(sort, Sort::Other) || sort == Sort::Routine && (called || !self.refs.calls_only);
        if let [schema, object, ..] = names {
            self.unqualified(schema, found, |sort| sort == Sort::Schema);
            self.in_schema(schema, object, found, plain);
        } else {
            self.column(first, found);
            self.unqualified(first, found, |sort| sort == Sort::Schema);
        }
        self.unqualified(first, found, plain);
    }

    fn qualified(&self, names: &[String], found: &mut Vec<usize>, fits: impl Fn(Sort) -> bool) {
        match names {
            [schema, object, ..] => self.in_schema(schema, object, found, fits),
            [object] => self.unqualified(object, found, fits),
            [] => {}
        }
    }

    fn in_schema(&self, schema: &str, name: &str, found: &mut Vec<usize>, fits: impl Fn(Sort) -> bool) {
        let makers = self.makers.get(name).into_iter().flatten();
        let here = makers.filter(|(_, made, sort)| fits(*sort) && made.is_none_or(|made| made == schema));
        found.extend(here.map(|(unit, ..)| *unit));
    }

    /// A name without a schema is looked for along search_path; a path that is not known may be any.
    fn unqualified(&self, name: &str, found: &mut Vec<usize>, fits: impl Fn(Sort) -> bool) {
        let makers = self.makers.get(name).into_iter().flatten();
        let visible = |made: &str| self.path.is_none_or(|path| path.iter().any(|schema| schema == made));
        let here = makers.filter(|(_, made, sort)| fits(*sort) && made.is_none_or(visible));
        found.extend(here.map(|(unit, ..)| *unit));
    }

    /// A column that is added to a table is needed by what mentions both.
    fn column(&self, name: &str, found: &mut Vec<usize>) {
        for (unit, schema, _) in self.makers.get(name).into_iter().flatten().filter(|(.., sort)| *sort == Sort::Column)
        {
            let Some(table) = self.all.get(*unit).and_then(|refs| refs.table.as_ref()) else { continue };
            let mentions_table = self.refs.mentions.iter().any(|mention| match mention {
                Mention::Name(names, _) => match names.as_slice() {
                    [first, second, ..] => {
                        second == table && schema.is_none_or(|schema| schema == first) || first == table
                    }
                    [only] => only == table,
                    [] => false,
                },
                _ => false,
            });
            if mentions_table {
                found.push(*unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Error, read_text};
    use super::*;

    /// The statements in their order, each by its title and what was left out of it.
    #[track_caller]
    fn ordered(sql: &str, expected: &[&str]) -> Result<(), Error> {
        let source = read_text("s.sql", sql)?;
        let units = (0..source.statements.len()).map(Unit::whole).collect();
        let order = order(&source, units);
        let found: Vec<_> = order.units.iter().map(|unit| unit.text(&source.statements[unit.statement]).sql).collect();
        assert_eq!(found, expected);
        Ok(())
    }

    #[test]
    fn names_are_made_before_they_are_mentioned() -> Result<(), Error> {
        let sorted = [
            "CREATE SCHEMA app",
            "CREATE TYPE app.ty AS (a int)",
            "CREATE FUNCTION app.f() RETURNS app.ty AS '' LANGUAGE sql",
            "CREATE SEQUENCE app.s",
            "CREATE TABLE app.t (a int DEFAULT nextval('app.s'), b app.ty)",
            "ALTER TABLE app.t ADD CONSTRAINT t_pkey PRIMARY KEY (a)",
            "CREATE TABLE app.u (t int REFERENCES app.t (a))",
            "ALTER TABLE app.u ADD c int",
            "CREATE VIEW app.v AS SELECT c, app.f() FROM app.u",
            "CREATE INDEX i ON app.u (c)",
            "COMMENT ON INDEX app.i IS 'x'",
        ];
        ordered(&sorted.join(";"), &sorted)?;
        let mut reversed = sorted;
        reversed.reverse();
        let source = read_text("s.sql", &reversed.join(";"))?;
        let order = order(&source, (0..source.statements.len()).map(Unit::whole).collect());
        let place = |sql: &str| order.units.iter().position(|unit| source.statements[unit.statement].sql() == sql);
        let needs = [(0, 1), (1, 2), (1, 4), (3, 4), (4, 5), (5, 6), (6, 7), (7, 8), (2, 8), (7, 9), (9, 10)];
        for (first, then) in needs {
            assert!(place(sorted[first]) < place(sorted[then]), "{} < {}", sorted[first], sorted[then]);
        }
        Ok(())
    }

    #[test]
    fn tables_that_refer_to_each_other_are_taken_apart() -> Result<(), Error> {
        ordered(
            "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES b); CREATE TABLE b (id int PRIMARY KEY, FOREIGN KEY (id) REFERENCES a)",
            &[
                "CREATE TABLE a (id int PRIMARY KEY, b int )",
                "CREATE TABLE b (id int PRIMARY KEY )",
                "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b",
                "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a",
            ],
        )
    }

    #[test]
    fn an_alias_is_no_reference() -> Result<(), Error> {
        ordered(
            "CREATE VIEW invoices AS SELECT invoices FROM totals; CREATE VIEW totals AS SELECT id AS invoices FROM orders; \
             CREATE TABLE orders (id int)",
            &[
                "CREATE TABLE orders (id int)",
                "CREATE VIEW totals AS SELECT id AS invoices FROM orders",
                "CREATE VIEW invoices AS SELECT invoices FROM totals",
            ],
        )
    }

    #[test]
    fn statements_about_the_same_object_keep_their_order() -> Result<(), Error> {
        ordered(
            "COMMENT ON TABLE t IS '1'; COMMENT ON TABLE t IS '2'; CREATE TABLE t ()",
            &["CREATE TABLE t ()", "COMMENT ON TABLE t IS '1'", "COMMENT ON TABLE t IS '2'"],
        )?;
        let dropped = ["CREATE TABLE t ()", "DROP TABLE t", "CREATE TABLE t (a int)"];
        ordered(&dropped.join(";"), &dropped)
    }

    #[test]
    fn what_acts_on_everything_keeps_its_place() -> Result<(), Error> {
        let sql = [
            "CREATE TABLE a ()",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO r",
            "CREATE TABLE b ()",
            "DO $$ BEGIN CREATE TYPE e AS ENUM (); END $$",
            "CREATE TABLE c (a e)",
        ];
        ordered(&sql.join(";"), &sql)?;
        ordered(
            "CREATE TABLE c (a e); DO $$ BEGIN CREATE TYPE e AS ENUM (); END $$",
            &["DO $$ BEGIN CREATE TYPE e AS ENUM (); END $$", "CREATE TABLE c (a e)"],
        )?;
        ordered(
            "CREATE EVENT TRIGGER x ON sql_drop EXECUTE FUNCTION f(); CREATE TABLE c ()",
            &["CREATE TABLE c ()", "CREATE EVENT TRIGGER x ON sql_drop EXECUTE FUNCTION f()"],
        )
    }
}
