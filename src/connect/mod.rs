//! Connections: URLs, key=value strings, the PG* environment, password and service files, TLS.
