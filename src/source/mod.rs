//! The desired state as written: files become statements with spans and directives, and are loaded into PostgreSQL.
