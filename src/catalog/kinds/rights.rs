//! Rights before and after, and the `GRANT` and `REVOKE` between them.

use std::collections::BTreeSet;

use crate::sql;

/// Privileges by name: `SELECT`.
pub(super) type Privileges = BTreeSet<String>;

/// What a grantee may do, and which of it the grantee may pass on.
#[derive(Clone, Copy)]
pub(super) struct Rights<'a> {
    pub held: &'a Privileges,
    pub grantable: &'a Privileges,
}

/// Nothing may be passed on.
pub(super) const NOT_GRANTABLE: &Privileges = &BTreeSet::new();

/// What is revoked and granted.
#[derive(Clone, Default)]
pub(super) struct Change {
    pub revoked: Privileges,
    /// Those of which only the option to pass them on is revoked.
    pub without: Privileges,
    pub granted: Privileges,
    /// Those that are granted with the option to pass them on.
    pub with: Privileges,
    /// Whether what the grantee passed on is revoked with it.
    pub cascade: bool,
}

impl Rights<'_> {
    /// What leads from these rights to others.
    pub fn change(self, to: Rights) -> Change {
        let with: Privileges = to.grantable.difference(self.grantable).cloned().collect();
        let still = |word: &&String| to.held.contains(*word);
        Change {
            revoked: self.held.difference(to.held).cloned().collect(),
            without: self.grantable.difference(to.grantable).filter(still).cloned().collect(),
            granted: to.held.difference(self.held).filter(|word| !with.contains(*word)).cloned().collect(),
            with,
            cascade: false,
        }
    }
}

impl Change {
    /// The statements, revoking first; `part` follows each privilege: ` (email)`.
    pub fn statements(&self, part: &str, on: &str, role: &str) -> Vec<String> {
        let Self { revoked, without, granted, with, cascade } = self;
        let say = |words: &Privileges, before: &str, after: &str| {
            let list = sql::join(words.iter().map(|word| format!("{word}{part}")), ", ");
            (!words.is_empty()).then(|| format!("{before} {list} ON {on} {after}"))
        };
        let from = format!("FROM {role}{}", if *cascade { " CASCADE" } else { "" });
        let to = format!("TO {role}");
        [
            say(revoked, "REVOKE", &from),
            say(without, "REVOKE GRANT OPTION FOR", &from),
            say(granted, "GRANT", &to),
            say(with, "GRANT", &format!("{to} WITH GRANT OPTION")),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privileges(all: &[&str]) -> Privileges {
        all.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn only_the_difference_is_spelled() {
        let from = (privileges(&["INSERT", "SELECT", "UPDATE"]), privileges(&["SELECT", "UPDATE"]));
        let to = (privileges(&["DELETE", "SELECT", "UPDATE"]), privileges(&["DELETE", "SELECT"]));
        let rights = |(held, grantable)| Rights { held, grantable };
        let change = rights((&from.0, &from.1)).change(rights((&to.0, &to.1)));
        assert_eq!(
            change.statements("", "TABLE app.t", "reader"),
            [
                "REVOKE INSERT ON TABLE app.t FROM reader",
                "REVOKE GRANT OPTION FOR UPDATE ON TABLE app.t FROM reader",
                "GRANT DELETE ON TABLE app.t TO reader WITH GRANT OPTION",
            ]
        );
    }
}
