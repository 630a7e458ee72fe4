//! The completeness check: finds objects of classes that no kind models.

/// One SELECT of `schema` (null where the object lives in none) and `address`: the objects that no kind models, for people.
pub const UNMODELLED: &str = "
    SELECT n.nspname AS schema, 'table ' || c.oid::regclass || CASE WHEN c.relkind = 'p' THEN ' (partitioned)' ELSE ' (inherits)' END AS address
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid >= 16384 AND n.nspname !~ '^pg_'
        AND (c.relkind = 'p' OR c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid))";
