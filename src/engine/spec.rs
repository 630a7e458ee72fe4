//! What a scratch database should be like, so that what schema.sql leaves unsaid is equal on both sides.

use serde::{Deserialize, Serialize};

/// A database's encoding and locale, and what it finds on its server: roles and tablespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The encoding, as `pg_encoding_to_char` names it: `UTF8`.
    pub encoding: String,
    /// The collation and character type.
    pub locale: Locale,
    /// The role that loads schema.sql and owns the database; on a cluster of ours it is made without superuser.
    pub role: String,
    /// Other roles that statements may name; missing ones are made on a cluster of ours, without login.
    pub roles: Vec<String>,
    /// Tablespaces that statements may name; missing ones are made on a cluster of ours.
    pub tablespaces: Vec<String>,
    /// The owner of schema `public`, where it is not the version's default.
    pub public_owner: Option<String>,
}

/// A database's locale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// Who collates.
    pub provider: Provider,
    /// `LC_COLLATE`; empty is `C`.
    pub collate: String,
    /// `LC_CTYPE`; empty is `C`.
    pub ctype: String,
    /// The locale of the provider `icu` or `builtin`.
    pub name: Option<String>,
    /// Additional collation rules of the provider `icu` (16 and later).
    pub icu_rules: Option<String>,
}

/// Where a database's default collation comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The C library.
    #[default]
    Libc,
    /// ICU (15 and later).
    Icu,
    /// PostgreSQL's own (17 and later).
    Builtin,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            encoding: "UTF8".to_owned(),
            locale: Locale::default(),
            role: "postgres".to_owned(),
            roles: Vec::new(),
            tablespaces: Vec::new(),
            public_owner: None,
        }
    }
}

impl Spec {
    /// Reads what the database of a connection is like. `roles` are all roles of the server, `role` the current one,
    /// `tablespaces` all tablespaces.
    ///
    /// # Errors
    /// Whatever the server says.
    pub fn of(client: &mut postgres::Client) -> Result<Self, postgres::Error> {
        let major = super::server_major(client)?;
        let (provider, name, rules) = match major {
            ..=14 => ("'c'", "NULL", "NULL"),
            15 => ("datlocprovider", "daticulocale", "NULL"),
            16 => ("datlocprovider", "daticulocale", "daticurules"),
            _ => ("datlocprovider", "datlocale", "daticurules"),
        };
        let row = client.query_one(
            &format!(
                "SELECT pg_catalog.pg_encoding_to_char(encoding)::text, datcollate::text, datctype::text, \
                 {provider}::text, {name}::text, {rules}::text, current_user::text, \
                 (SELECT pg_catalog.pg_get_userbyid(nspowner)::text FROM pg_catalog.pg_namespace WHERE nspname = 'public'), \
                 ARRAY(SELECT rolname::text FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY 1), \
                 ARRAY(SELECT spcname::text FROM pg_catalog.pg_tablespace WHERE spcname !~ '^pg_' ORDER BY 1) \
                 FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
            ),
            &[],
        )?;
        let provider = match row.get::<_, &str>(3) {
            "i" => Provider::Icu,
            "b" => Provider::Builtin,
            _ => Provider::Libc,
        };
        Ok(Self {
            encoding: row.get(0),
            locale: Locale {
                provider,
                collate: row.get(1),
                ctype: row.get(2),
                name: row.get(4),
                icu_rules: row.get(5),
            },
            role: row.get(6),
            roles: row.get(8),
            tablespaces: row.get(9),
            public_owner: row.get(7),
        })
    }

    /// The options of `CREATE DATABASE`, without the owner and the template.
    pub(super) fn options(&self, major: u32) -> String {
        use crate::sql::literal;
        let or_c = |text: &str| literal(if text.is_empty() { "C" } else { text });
        let Locale { provider, collate, ctype, name, icu_rules } = &self.locale;
        let mut out =
            format!("ENCODING {} LC_COLLATE {} LC_CTYPE {}", literal(&self.encoding), or_c(collate), or_c(ctype));
        let name = name.as_deref().unwrap_or("und");
        match provider {
            Provider::Libc if major >= 15 => out.push_str(" LOCALE_PROVIDER libc"),
            Provider::Libc => {}
            Provider::Icu => out.push_str(&format!(" LOCALE_PROVIDER icu ICU_LOCALE {}", literal(name))),
            Provider::Builtin => out.push_str(&format!(" LOCALE_PROVIDER builtin BUILTIN_LOCALE {}", literal(name))),
        }
        if let Some(rules) = icu_rules.as_ref().filter(|rules| major >= 16 && !rules.is_empty()) {
            out.push_str(&format!(" ICU_RULES {}", literal(rules)));
        }
        out
    }

    /// The same with the locale `C`, which every machine and encoding has.
    pub(super) fn with_c(&self) -> Self {
        Self { locale: Locale::default(), ..self.clone() }
    }
}
