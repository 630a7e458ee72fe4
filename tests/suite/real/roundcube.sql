-- undo 2022081200.sql
DROP INDEX responses_user_id_idx;
CREATE UNIQUE INDEX responses_user_id_idx ON responses (user_id, del);
-- undo 2021081000.sql
DROP TABLE responses;
DROP SEQUENCE responses_seq;
ALTER TABLE identities ALTER html_signature TYPE integer;
-- undo 2020122900.sql
UPDATE users SET preferences = '' WHERE preferences IS NULL;
ALTER TABLE users ALTER COLUMN preferences SET DEFAULT '';
ALTER TABLE users ALTER COLUMN preferences SET NOT NULL;
-- undo 2020091000.sql
DROP TABLE collected_addresses;
DROP SEQUENCE collected_addresses_seq;
-- undo 2020020100.sql
ALTER TABLE dictionary ALTER COLUMN "language" TYPE varchar(5);
ALTER TABLE users ALTER COLUMN "language" TYPE varchar(5);
-- undo 2018122300.sql
ALTER TABLE filestore DROP CONSTRAINT filestore_user_id_filename;
ALTER TABLE filestore DROP COLUMN context;
ALTER TABLE filestore ADD CONSTRAINT filestore_user_id_filename UNIQUE (user_id, filename);
-- undo 2018021600.sql
DROP TABLE filestore;
DROP SEQUENCE filestore_seq;
-- undo 2016112200.sql
DROP TABLE cache;
DROP TABLE cache_shared;
CREATE TABLE cache (user_id integer NOT NULL REFERENCES users (user_id) ON DELETE CASCADE ON UPDATE CASCADE,
    cache_key varchar(128) DEFAULT '' NOT NULL, created timestamp with time zone DEFAULT now() NOT NULL,
    expires timestamp with time zone, data text NOT NULL);
CREATE INDEX cache_user_id_idx ON cache (user_id, cache_key);
CREATE INDEX cache_expires_idx ON cache (expires);
CREATE TABLE cache_shared (cache_key varchar(255) NOT NULL, created timestamp with time zone DEFAULT now() NOT NULL,
    expires timestamp with time zone, data text NOT NULL);
CREATE INDEX cache_shared_cache_key_idx ON cache_shared (cache_key);
-- rows
INSERT INTO users (username, mail_host, language, preferences) VALUES ('ada', 'example.org', 'en_GB', 'a'), ('bob', 'example.org', 'de_DE', 'b');
INSERT INTO identities (user_id, name, email, html_signature) SELECT user_id, username, username || '@example.org', 1 FROM users;
INSERT INTO contacts (user_id, name, email) SELECT user_id, 'a contact', 'c@example.org' FROM users;
