//! Options of foreign data objects: `OPTIONS (host 'db', port '5432')`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    catalog::{Encoding, Visit, secret},
    sql,
};

/// Options by name. Secrets do not serialize, so that no plan and no report shows them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct ForeignOptions(BTreeMap<String, String>);

impl ForeignOptions {
    /// ` OPTIONS (…)`, or nothing.
    pub fn clause(&self) -> String {
        let Self(all) = self;
        let each = all.iter().map(|(name, value)| format!("{} {}", sql::ident(name), sql::literal(value)));
        if all.is_empty() { String::new() } else { format!(" OPTIONS ({})", sql::join(each, ", ")) }
    }

    /// ` OPTIONS (ADD …, SET …, DROP …)`, or nothing where all are equal.
    pub fn change(&self, to: &Self) -> String {
        let gone = self.0.keys().filter(|name| !to.0.contains_key(*name));
        let gone = gone.map(|name| format!("DROP {}", sql::ident(name)));
        let new = to.0.iter().filter(|(name, value)| self.0.get(*name) != Some(value)).map(|(name, value)| {
            let verb = if self.0.contains_key(name) { "SET" } else { "ADD" };
            format!("{verb} {} {}", sql::ident(name), sql::literal(value))
        });
        let all: Vec<String> = gone.chain(new).collect();
        if all.is_empty() { String::new() } else { format!(" OPTIONS ({})", sql::join(all, ", ")) }
    }
}

impl ForeignOptions {
    /// Sees and changes every value.
    pub fn visit(&mut self, visit: &mut Visit) {
        self.0.iter_mut().for_each(|(name, value)| visit(name, Encoding::Literal, value));
    }
}

impl Serialize for ForeignOptions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, secret::shown(name, value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(all: &[(&str, &str)]) -> ForeignOptions {
        ForeignOptions(all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn secrets_are_not_shown() -> Result<(), serde_json::Error> {
        let text = serde_json::to_string(&options(&[("user", "ada"), ("password", "hunter2")]))?;
        assert!(text.contains("\"user\":\"ada\""), "{text}");
        assert!(text.contains("\"password\":\"(secret)\""), "{text}");
        Ok(())
    }

    #[test]
    fn options_change_one_by_one() {
        let before = options(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = options(&[("b", "2"), ("c", "it's"), ("D", "4")]);
        assert_eq!(before.change(&after), " OPTIONS (DROP a, ADD \"D\" '4', SET c 'it''s')");
        assert_eq!(before.change(&before), "");
        assert_eq!(after.clause(), " OPTIONS (\"D\" '4', b '2', c 'it''s')");
    }
}
