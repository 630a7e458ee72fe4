//! Full text search: parsers, templates, dictionaries, configurations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Alteration, At, Definition, Step},
    sql,
};

/// What splits a text into tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSearchParser {
    start: String,
    next: String,
    end: String,
    types: String,
    headline: Option<String>,
}

impl Definition for TextSearchParser {
    const KEYWORD: &'static str = "TEXT SEARCH PARSER";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_ts_parser WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT p.tableoid AS classid, p.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, p.prsname] AS names,
            p.prsstart::text AS start, p.prstoken::text AS next, p.prsend::text AS end, p.prslextype::text AS types,
            CASE WHEN p.prsheadline <> 0 THEN p.prsheadline::text END AS headline
        FROM pg_catalog.pg_ts_parser p JOIN pg_catalog.pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { start, next, end, types, headline } = self;
        let headline = headline.as_ref().map(|name| format!(", HEADLINE = {name}")).unwrap_or_default();
        let functions = format!("START = {start}, GETTOKEN = {next}, END = {end}, LEXTYPES = {types}{headline}");
        vec![Step::new(format!("CREATE {} ({functions})", at.id))]
    }
}

/// The functions behind dictionaries of one sort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSearchTemplate {
    init: Option<String>,
    lexize: String,
}

impl Definition for TextSearchTemplate {
    const KEYWORD: &'static str = "TEXT SEARCH TEMPLATE";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_ts_template WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT t.tableoid AS classid, t.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, t.tmplname] AS names,
            CASE WHEN t.tmplinit <> 0 THEN t.tmplinit::text END AS init, t.tmpllexize::text AS lexize
        FROM pg_catalog.pg_ts_template t JOIN pg_catalog.pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { init, lexize } = self;
        let init = init.as_ref().map(|name| format!("INIT = {name}, ")).unwrap_or_default();
        vec![Step::new(format!("CREATE {} ({init}LEXIZE = {lexize})", at.id))]
    }
}

/// What turns tokens into lexemes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSearchDictionary {
    template: Vec<String>,
    /// As PostgreSQL keeps them: `stopwords = 'english', accept = 'false'`.
    options: Option<String>,
}

impl Definition for TextSearchDictionary {
    const KEYWORD: &'static str = "TEXT SEARCH DICTIONARY";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_ts_dict WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT d.tableoid AS classid, d.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, d.dictname] AS names,
            ARRAY[m.nspname, t.tmplname] AS template, d.dictinitoption AS options
        FROM pg_catalog.pg_ts_dict d JOIN pg_catalog.pg_namespace n ON n.oid = d.dictnamespace
            JOIN pg_catalog.pg_ts_template t ON t.oid = d.dicttemplate
            JOIN pg_catalog.pg_namespace m ON m.oid = t.tmplnamespace
        WHERE d.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { template, options } = self;
        let options = options.as_ref().map(|text| format!(", {text}")).unwrap_or_default();
        vec![Step::new(format!("CREATE {} (TEMPLATE = {}{options})", at.id, sql::qualified(template)))]
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { template, options } = to;
        if self.template != *template {
            return Alteration::Replace;
        }
        let before = settings(self.options.as_deref().unwrap_or_default());
        let after = settings(options.as_deref().unwrap_or_default());
        let gone = before.iter().filter(|(name, _)| !after.iter().any(|(other, _)| other == name));
        // What is set moves to the end: what stays must be what the new options begin with.
        let stay: Vec<_> = before.iter().filter(|setting| after.contains(setting)).collect();
        let in_order = after.iter().zip(&stay).take_while(|(new, stays)| new == *stays).count();
        let kept = if in_order == stay.len() { in_order } else { 0 };
        let set = after.iter().skip(kept).map(|(name, value)| format!("{name} = {value}"));
        let clauses: Vec<String> = gone.map(|(name, _)| (*name).to_owned()).chain(set).collect();
        Alteration::InPlace(vec![Step::new(format!("ALTER {} ({})", at.id, sql::join(clauses, ", ")))])
    }
}

/// Splits `a = 'x', "B" = 'y'` into names and values, both spelled as they are.
fn settings(text: &str) -> Vec<(&str, &str)> {
    let mut quote = None;
    let outside = move |c: char| {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        c == ',' && quote.is_none()
    };
    text.split(outside).filter_map(|pair| pair.trim().split_once(" = ")).collect()
}

/// Which dictionaries see which tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSearchConfiguration {
    parser: Vec<String>,
    /// The dictionaries by token type, in the order in which they are asked.
    mappings: BTreeMap<String, Vec<String>>,
}

impl Definition for TextSearchConfiguration {
    const KEYWORD: &'static str = "TEXT SEARCH CONFIGURATION";
    const PRESENT: &'static str = "EXISTS (SELECT oid FROM pg_catalog.pg_ts_config WHERE oid >= 16384)";
    const QUERY: &'static str = "
        SELECT c.tableoid AS classid, c.oid AS objid, 0 AS objsubid, ARRAY[n.nspname, c.cfgname] AS names,
            ARRAY[m.nspname, p.prsname] AS parser,
            (SELECT coalesce(pg_catalog.json_object_agg(t.alias, x.dictionaries), '{}') FROM (
                SELECT k.maptokentype, pg_catalog.array_agg(k.mapdict::regdictionary::text ORDER BY k.mapseqno) AS dictionaries
                    FROM pg_catalog.pg_ts_config_map k WHERE k.mapcfg = c.oid GROUP BY k.maptokentype) x
                JOIN pg_catalog.ts_token_type(c.cfgparser) t ON t.tokid = x.maptokentype) AS mappings
        FROM pg_catalog.pg_ts_config c JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
            JOIN pg_catalog.pg_ts_parser p ON p.oid = c.cfgparser
            JOIN pg_catalog.pg_namespace m ON m.oid = p.prsnamespace
        WHERE c.oid >= 16384";

    fn create(&self, at: &At) -> Vec<Step> {
        let Self { parser, mappings } = self;
        let create = Step::new(format!("CREATE {} (PARSER = {})", at.id, sql::qualified(parser)));
        std::iter::once(create).chain(mappings.iter().map(|(token, to)| mapping(at, "ADD", token, to))).collect()
    }

    fn alter(&self, to: &Self, at: &At) -> Alteration {
        let Self { parser, mappings } = to;
        if self.parser != *parser {
            return Alteration::Replace;
        }
        let gone = self.mappings.keys().filter(|token| !mappings.contains_key(*token));
        let gone = gone.map(|token| Step::new(format!("ALTER {} DROP MAPPING FOR {}", at.id, sql::ident(token))));
        let new = mappings.iter().filter(|(token, to)| self.mappings.get(*token) != Some(to));
        let new = new
            .map(|(token, to)| mapping(at, if self.mappings.contains_key(token) { "ALTER" } else { "ADD" }, token, to));
        Alteration::InPlace(gone.chain(new).collect())
    }
}

fn mapping(at: &At, verb: &str, token: &str, dictionaries: &[String]) -> Step {
    let with = sql::join(dictionaries, ", ");
    Step::new(format!("ALTER {} {verb} MAPPING FOR {} WITH {with}", at.id, sql::ident(token)))
}

#[cfg(test)]
mod tests {
    use super::settings;

    #[test]
    fn settings_are_split_at_their_commas() {
        let found = settings("stopwords = 'a, b', \"Odd, one\" = 'it''s', n = 5");
        let expected = [("stopwords", "'a, b'"), ("\"Odd, one\"", "'it''s'"), ("n", "5")];
        assert_eq!(found, expected);
    }
}
