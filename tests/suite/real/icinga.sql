-- undo 2.8.1.sql
ALTER TABLE icinga_comments ADD CONSTRAINT UQ_comments UNIQUE (instance_id, object_id, comment_time, internal_comment_id);
ALTER TABLE icinga_commenthistory ADD CONSTRAINT UQ_commenthistory UNIQUE (instance_id, object_id, comment_time, internal_comment_id);
ALTER TABLE icinga_downtimehistory ADD CONSTRAINT UQ_downtimehistory UNIQUE (instance_id, object_id, entry_time, internal_downtime_id);
ALTER TABLE icinga_scheduleddowntime ADD CONSTRAINT UQ_scheduleddowntime UNIQUE (instance_id, object_id, entry_time, internal_downtime_id);
-- undo 2.8.0.sql
DROP INDEX idx_downtimehistory_remove;
DROP INDEX idx_scheduleddowntime_remove;
DROP INDEX idx_commenthistory_remove;
DROP INDEX idx_comments_remove;
-- undo 2.6.0.sql
DROP FUNCTION from_unixtime(bigint);
CREATE FUNCTION from_unixtime(bigint) RETURNS timestamp with time zone AS $$
    SELECT to_timestamp($1) AS result
$$ LANGUAGE sql;
DROP FUNCTION unix_timestamp(timestamp);
CREATE FUNCTION unix_timestamp(timestamp with time zone) RETURNS bigint AS '
    SELECT EXTRACT(EPOCH FROM $1)::bigint AS result;
' LANGUAGE sql;
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT table_name AS rel, column_name AS col FROM information_schema.columns
        WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE timestamp with time zone, ALTER COLUMN %2$I SET DEFAULT %L',
            it.rel, it.col, '1970-01-01 00:00:00+00');
    END LOOP;
END $$;
-- rows
INSERT INTO icinga_instances (instance_name) VALUES ('default');
INSERT INTO icinga_objects (instance_id, objecttype_id, name1) SELECT 1, 1, 'host' || n FROM generate_series(1, 3) n;
INSERT INTO icinga_hosts (instance_id, host_object_id, alias) SELECT 1, object_id, name1 FROM icinga_objects;
INSERT INTO icinga_comments (instance_id, object_id, comment_time, comment_data) SELECT 1, object_id, now(), 'up' FROM icinga_objects;
