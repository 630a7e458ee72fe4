//! The completeness check: finds objects of classes that no kind models.

/// One SELECT of `schema` (null where the object lives in none) and `address`: the objects that no kind models, for people.
///
/// Each class of objects that a user can make is listed until a kind reads it, and then taken out. What belongs to an
/// extension, to the server or to a session is nobody's to manage.
pub const UNMODELLED: &str = "
    SELECT i.schema, pg_catalog.concat_ws(' ', i.type, i.identity, o.what) AS address
    FROM (
        SELECT 'pg_catalog.pg_class'::regclass::oid AS classid, c.oid AS objid,
            CASE WHEN c.relkind = 'p' THEN '(partitioned)' WHEN c.reloftype <> 0 THEN '(of a type)'
                WHEN c.relkind = 'r' THEN '(inherits)' END AS what
        FROM pg_catalog.pg_class c
        WHERE c.relkind IN ('p', 'f') OR c.reloftype <> 0
            OR c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid)
        UNION ALL SELECT 'pg_catalog.pg_type'::regclass, t.oid, CASE WHEN NOT t.typisdefined THEN '(shell)' END
        FROM pg_catalog.pg_type t
        WHERE t.typtype IN ('b', 'p') AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
        UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, NULL FROM pg_catalog.pg_proc WHERE prokind = 'a'
        UNION ALL SELECT 'pg_catalog.pg_operator'::regclass, oid, NULL FROM pg_catalog.pg_operator
        UNION ALL SELECT 'pg_catalog.pg_opclass'::regclass, oid, NULL FROM pg_catalog.pg_opclass
        UNION ALL SELECT 'pg_catalog.pg_opfamily'::regclass, oid, NULL FROM pg_catalog.pg_opfamily
        UNION ALL SELECT 'pg_catalog.pg_cast'::regclass, oid, NULL FROM pg_catalog.pg_cast
        UNION ALL SELECT 'pg_catalog.pg_transform'::regclass, oid, NULL FROM pg_catalog.pg_transform
        UNION ALL SELECT 'pg_catalog.pg_collation'::regclass, oid, NULL FROM pg_catalog.pg_collation
        UNION ALL SELECT 'pg_catalog.pg_conversion'::regclass, oid, NULL FROM pg_catalog.pg_conversion
        UNION ALL SELECT 'pg_catalog.pg_language'::regclass, oid, NULL FROM pg_catalog.pg_language
        UNION ALL SELECT 'pg_catalog.pg_am'::regclass, oid, NULL FROM pg_catalog.pg_am
        UNION ALL SELECT 'pg_catalog.pg_ts_parser'::regclass, oid, NULL FROM pg_catalog.pg_ts_parser
        UNION ALL SELECT 'pg_catalog.pg_ts_template'::regclass, oid, NULL FROM pg_catalog.pg_ts_template
        UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, NULL FROM pg_catalog.pg_ts_dict
        UNION ALL SELECT 'pg_catalog.pg_ts_config'::regclass, oid, NULL FROM pg_catalog.pg_ts_config
        UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, NULL FROM pg_catalog.pg_statistic_ext
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_catalog.pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, NULL FROM pg_catalog.pg_foreign_server
        UNION ALL SELECT 'pg_catalog.pg_user_mapping'::regclass, umid, NULL FROM pg_catalog.pg_user_mappings
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, NULL FROM pg_catalog.pg_event_trigger
        UNION ALL SELECT 'pg_catalog.pg_default_acl'::regclass, oid, NULL FROM pg_catalog.pg_default_acl
        UNION ALL SELECT 'pg_catalog.pg_publication'::regclass, oid, NULL FROM pg_catalog.pg_publication
        UNION ALL SELECT 'pg_catalog.pg_subscription'::regclass, s.oid, NULL FROM pg_catalog.pg_subscription s
            JOIN pg_catalog.pg_database b ON b.oid = s.subdbid WHERE b.datname = pg_catalog.current_database()
        UNION ALL SELECT l.classoid, l.objoid, '(security label)' FROM pg_catalog.pg_seclabel l
        UNION ALL SELECT d.classid, d.objid, '(depends on an extension)' FROM pg_catalog.pg_depend d WHERE d.deptype = 'x'
    ) o CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
    WHERE o.objid >= 16384 AND i.schema IS DISTINCT FROM 'information_schema' AND coalesce(i.schema !~ '^pg_', true)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
            WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype IN ('e', 'i'))
    ORDER BY 1, 2";
