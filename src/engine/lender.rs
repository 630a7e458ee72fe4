//! Hands out what lends superuser to the loading role of a cluster of ours.

use crate::connect::Target;
use postgres::Client;

/// A superuser's connections to a scratch database, and to one that nobody loads anything into.
pub struct SuperuserLender {
    admin: Client,
    clean: Target,
}

impl SuperuserLender {
    /// Lends over a superuser's connection to the database; `clean` leads a superuser to an empty one.
    pub(super) fn new(admin: Client, clean: Target) -> Self {
        Self { admin, clean }
    }
}

impl crate::source::Lender for SuperuserLender {
    fn admin(&mut self) -> &mut Client {
        &mut self.admin
    }

    fn elsewhere(&mut self) -> Result<Client, String> {
        self.clean.connect().map_err(|error| error.to_string())
    }
}
