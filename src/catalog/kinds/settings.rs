//! Parameters that a role or a database starts its sessions with: `ALTER ROLE … SET`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use crate::{
    catalog::{Encoding, Step, Visit, secret},
    sql,
};

/// Parameters by name. Secrets do not serialize, so that no plan and no report shows them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub(super) struct Settings(BTreeMap<String, String>);

/// The settings of a row of `pg_db_role_setting`, as JSON: the SELECT for this condition on `s`.
macro_rules! settings {
    ($condition:literal) => {
        concat!(
            "(SELECT coalesce(pg_catalog.json_object_agg(pg_catalog.split_part(c, '=', 1),
                pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1)), '{}')
            FROM pg_catalog.pg_db_role_setting s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) c WHERE ",
            $condition,
            ")"
        )
    };
}
pub(super) use settings;

impl Settings {
    /// The statements that change these into others; `of` is `ALTER DATABASE shop`.
    pub fn change(&self, to: &Self, of: &str) -> Vec<Step> {
        let gone = self.0.keys().filter(|name| !to.0.contains_key(*name));
        let gone = gone.map(|name| format!("{of} RESET {}", sql::ident(name)));
        let new = to.0.iter().filter(|(name, value)| self.0.get(*name) != Some(value));
        let new = new.map(|(name, value)| format!("{of} SET {}", sql::setting(name, value)));
        gone.chain(new).map(Step::new).collect()
    }

    /// Sees and changes the values that may be secret: PostgreSQL's own parameters, which have no dot in their names, hold
    /// none. What `after` says tells two settings of the same name apart.
    pub fn visit(&mut self, after: &str, visit: &mut Visit) {
        let own = self.0.iter_mut().filter(|(name, _)| name.contains('.'));
        own.for_each(|(name, value)| visit(&format!("{name}{after}"), Encoding::Literal, value));
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = |name: &str, value: &str| {
            if name.contains('.') { secret::shown(name, value) } else { value.to_owned() }
        };
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, shown(name, value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(all: &[(&str, &str)]) -> Settings {
        Settings(all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn parameters_change_one_by_one() {
        let before = settings(&[("work_mem", "1MB"), ("search_path", "a, b"), ("app.key", "x")]);
        let after = settings(&[("search_path", "a, \"B\""), ("app.key", "x"), ("jit", "off")]);
        let sql: Vec<String> = before.change(&after, "ALTER ROLE r").into_iter().map(|step| step.sql).collect();
        assert_eq!(
            sql,
            [
                "ALTER ROLE r RESET work_mem",
                "ALTER ROLE r SET jit TO 'off'",
                "ALTER ROLE r SET search_path TO 'a', 'B'"
            ]
        );
        assert!(before.change(&before, "").is_empty());
    }

    #[test]
    fn secrets_are_not_shown() -> Result<(), serde_json::Error> {
        let text = serde_json::to_string(&settings(&[("app.jwt_secret", "hunter2"), ("password_encryption", "md5")]))?;
        assert_eq!(text, r#"{"app.jwt_secret":"(secret)","password_encryption":"md5"}"#);
        Ok(())
    }
}
