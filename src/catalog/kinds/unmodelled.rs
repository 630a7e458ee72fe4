//! The completeness check: finds objects of classes that no kind models.

/// One SELECT of `schema` (null where the object lives in none) and `address`: the objects that no kind models, for people.
///
/// Each class of objects that a user can make is listed until a kind reads it, and then taken out. What belongs to an
/// extension, to the server or to a session is nobody's to manage. By now these are what no version that is known has, and
/// partitions of which a `DETACH PARTITION … CONCURRENTLY` has stopped half-way.
pub const UNMODELLED: &str = "
    SELECT i.schema, pg_catalog.concat_ws(' ', i.type, i.identity, o.what) AS address
    FROM (
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid,
            CASE WHEN c.relispartition THEN '(being detached)' END AS what
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = c.oid
        WHERE h.inhdetachpending OR c.relkind NOT IN ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I', 'c', 't')
        UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, NULL FROM pg_catalog.pg_type t
        WHERE t.typtype NOT IN ('b', 'p', 'c', 'd', 'e', 'r', 'm')
    ) o CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
    WHERE o.objid >= 16384 AND i.schema IS DISTINCT FROM 'information_schema' AND coalesce(i.schema !~ '^pg_', true)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
    ORDER BY 1, 2";
