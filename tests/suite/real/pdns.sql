-- undo 4.3.0_to_4.7.0_schema.pgsql.sql
DROP INDEX catalog_idx;
ALTER TABLE domains DROP COLUMN options, DROP COLUMN catalog;
ALTER TABLE domains ALTER COLUMN type TYPE varchar(8);
-- undo 4.2.0_to_4.3.0_schema.pgsql.sql
ALTER TABLE cryptokeys DROP COLUMN published;
-- undo 4.1.0_to_4.2.0_schema.pgsql.sql
ALTER TABLE records ADD COLUMN change_date integer;
ALTER TABLE domains ALTER COLUMN notified_serial TYPE integer;
-- undo 3.4.0_to_4.1.0_schema.pgsql.sql
ALTER TABLE records ALTER COLUMN id TYPE integer;
-- rows
INSERT INTO domains (name, type) VALUES ('example.org', 'NATIVE'), ('example.net', 'MASTER');
INSERT INTO records (domain_id, name, type, content, ttl) SELECT id, name, 'SOA', 'ns.' || name, 3600 FROM domains;
INSERT INTO cryptokeys (domain_id, flags, active, content) SELECT id, 257, true, 'key' FROM domains;
