//! A scratch PostgreSQL: a named server, binaries found on the machine, a download, or the target itself.
