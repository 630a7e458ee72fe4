# What a random schema holds besides what its model spells: one template for each kind of object, and each attribute of it
# as a choice ⟨one¦other¦nothing⟩. `$N` is the number of the object, `==` begins a template: its name, the versions that
# know it, `superuser` where only superusers may have it, `once` where a database can hold only one. `15+:` or `<17:` before
# an alternative says where there is that one. What follows `--rows` fills it, whatever was chosen.

== schema
CREATE SCHEMA other_$N;
⟨COMMENT ON SCHEMA other_$N IS 'first';¦COMMENT ON SCHEMA other_$N IS 'it''s second';¦⟩
⟨GRANT USAGE ON SCHEMA other_$N TO app_reader;¦GRANT USAGE, CREATE ON SCHEMA other_$N TO app_reader;¦GRANT USAGE ON SCHEMA other_$N TO PUBLIC;¦⟩
⟨GRANT USAGE ON SCHEMA other_$N TO app_writer WITH GRANT OPTION;¦⟩
⟨ALTER DEFAULT PRIVILEGES IN SCHEMA other_$N GRANT SELECT ON TABLES TO app_reader;¦ALTER DEFAULT PRIVILEGES IN SCHEMA other_$N GRANT SELECT, INSERT ON TABLES TO app_reader;¦⟩
⟨ALTER DEFAULT PRIVILEGES IN SCHEMA other_$N GRANT EXECUTE ON FUNCTIONS TO app_writer;¦⟩
⟨CREATE TABLE other_$N.inside (id integer);¦CREATE VIEW other_$N.inside AS SELECT 1 AS id;¦⟩

== extension superuser once
CREATE EXTENSION citext SCHEMA ⟨public¦app⟩;
⟨COMMENT ON EXTENSION citext IS 'text of any case';¦⟩

== extension_in_use once
CREATE EXTENSION hstore SCHEMA public;
CREATE TABLE app.facts (id integer PRIMARY KEY, fact public.hstore ⟨NOT NULL¦DEFAULT ''::public.hstore¦⟩);
⟨CREATE INDEX facts_fact ON app.facts USING ⟨gin¦gist⟩ (fact);¦⟩
--rows
INSERT INTO app.facts VALUES (1, 'a=>1'), (2, '');

== collation
CREATE COLLATION app.collation_$N (provider = icu, locale = '⟨en¦de-u-co-phonebk¦sv⟩', deterministic = ⟨true¦false⟩);
⟨COMMENT ON COLLATION app.collation_$N IS 'first';¦COMMENT ON COLLATION app.collation_$N IS 'second';¦⟩
⟨ALTER COLLATION app.collation_$N OWNER TO app_writer;¦⟩
CREATE TABLE app.collated_$N (id integer PRIMARY KEY, word text COLLATE ⟨app.collation_$N¦"C"¦"default"⟩, other text COLLATE app.collation_$N);
⟨CREATE INDEX collated_$N_word ON app.collated_$N (word ⟨COLLATE "C"¦COLLATE app.collation_$N¦⟩);¦⟩
--rows
INSERT INTO app.collated_$N VALUES (1, 'a', 'A'), (2, 'B', 'b'), (3, NULL, NULL);

== libc_collation
CREATE COLLATION app.libc_$N (provider = libc, locale = '⟨C¦POSIX⟩');
⟨COMMENT ON COLLATION app.libc_$N IS 'bytes';¦⟩

== domains
CREATE DOMAIN app.word_$N AS ⟨text¦character varying(40)¦character varying(60)⟩ ⟨COLLATE "C"¦⟩ ⟨DEFAULT 'a'¦DEFAULT 'b'¦⟩;
⟨ALTER DOMAIN app.word_$N ADD CONSTRAINT short CHECK (length(VALUE) < ⟨50¦60⟩);¦ALTER DOMAIN app.word_$N ADD CONSTRAINT short CHECK (length(VALUE) < 50) NOT VALID;¦⟩
⟨COMMENT ON DOMAIN app.word_$N IS 'a word';¦⟩
CREATE DOMAIN app.words_$N AS app.word_$N ⟨CONSTRAINT lower CHECK (VALUE = lower(VALUE))¦⟩ ⟨NOT NULL¦⟩;
⟨ALTER DOMAIN app.words_$N OWNER TO app_writer;¦⟩
⟨GRANT USAGE ON TYPE app.words_$N TO app_reader;¦REVOKE USAGE ON TYPE app.words_$N FROM PUBLIC;¦⟩
CREATE TABLE app.worded_$N (id integer PRIMARY KEY, one app.word_$N, two app.words_$N ⟨DEFAULT 'z'¦⟩, many app.word_$N[]);
⟨CREATE VIEW app.worded_view_$N AS SELECT two, many FROM app.worded_$N;¦⟩
--rows
INSERT INTO app.worded_$N VALUES (1, 'x', 'y', '{p,q}'), (2, NULL, 'w', NULL);

== composite
CREATE TYPE app.place_$N AS (street ⟨text¦character varying(80)⟩ ⟨COLLATE "C"¦⟩, number ⟨integer¦bigint¦text⟩⟨, town text¦, town text, country text¦⟩);
⟨COMMENT ON COLUMN app.place_$N.street IS 'where';¦⟩
⟨ALTER TYPE app.place_$N OWNER TO app_writer;¦⟩
⟨CREATE TABLE app.placed_$N (id integer PRIMARY KEY, place app.place_$N, places app.place_$N[]);¦CREATE TABLE app.placed_$N (id integer PRIMARY KEY, place app.place_$N ⟨CHECK ((place).street <> '')¦⟩, places app.place_$N[]); CREATE INDEX placed_$N_street ON app.placed_$N (((place).street));⟩
--rows
INSERT INTO app.placed_$N (id, place) SELECT i, jsonb_populate_record(NULL::app.place_$N, '{"street": "Main", "number": "7"}') FROM generate_series(1, 2) i;

== enum
CREATE TYPE app.mood_$N AS ENUM (⟨'new', ¦⟩'calm'⟨, 'cross'¦⟩, 'sad'⟨, 'last'¦⟩);
⟨COMMENT ON TYPE app.mood_$N IS 'mood';¦⟩
⟨GRANT USAGE ON TYPE app.mood_$N TO app_reader;¦REVOKE USAGE ON TYPE app.mood_$N FROM PUBLIC;¦⟩
CREATE DOMAIN app.moods_$N AS app.mood_$N ⟨DEFAULT 'calm'¦DEFAULT 'sad'¦⟩;
CREATE TABLE app.moody_$N (id integer PRIMARY KEY, mood app.mood_$N ⟨DEFAULT 'calm'¦DEFAULT 'sad'¦⟩, moods app.mood_$N[], of_domain app.moods_$N);
⟨CREATE INDEX moody_$N_mood ON app.moody_$N (mood) ⟨WHERE mood > 'calm'¦⟩;¦⟩
⟨CREATE VIEW app.moody_view_$N AS SELECT mood, count(*) AS number FROM app.moody_$N WHERE mood <> 'sad' GROUP BY mood;¦⟩
--rows
INSERT INTO app.moody_$N VALUES (1, 'calm', '{calm,sad}', 'sad'), (2, 'sad', NULL, NULL);

== range
CREATE FUNCTION app.distance_$N(integer, integer) RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT ($1 - $2)::double precision $$;
CREATE TYPE app.span_$N AS RANGE (subtype = integer⟨, subtype_diff = app.distance_$N¦⟩⟨, multirange_type_name = app.spans_$N¦, multirange_type_name = app.more_spans_$N¦⟩);
⟨COMMENT ON TYPE app.span_$N IS 'from one to another';¦⟩
CREATE TABLE app.spanned_$N (id integer PRIMARY KEY, span app.span_$N⟨ DEFAULT '[1,2)'¦⟩);
⟨CREATE INDEX spanned_$N_span ON app.spanned_$N USING gist (span);¦⟩
--rows
INSERT INTO app.spanned_$N VALUES (1, '[1,5)'), (2, 'empty'), (3, NULL);

== text_range
CREATE TYPE app.letters_$N AS RANGE (subtype = text⟨, collation = "C"¦, collation = "POSIX"¦⟩⟨, subtype_opclass = text_pattern_ops¦⟩);
CREATE TABLE app.lettered_$N (id integer PRIMARY KEY, letters app.letters_$N);
--rows
INSERT INTO app.lettered_$N VALUES (1, '[a,k)'), (2, NULL);

== base_type superuser
CREATE TYPE app.base_$N;
CREATE FUNCTION app.base_in_$N(cstring) RETURNS app.base_$N LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.base_out_$N(app.base_$N) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE FUNCTION app.base_recv_$N(internal) RETURNS app.base_$N LANGUAGE internal IMMUTABLE STRICT AS 'textrecv';
CREATE FUNCTION app.base_send_$N(app.base_$N) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'textsend';
CREATE TYPE app.base_$N (INPUT = app.base_in_$N, OUTPUT = app.base_out_$N⟨, RECEIVE = app.base_recv_$N¦⟩⟨, SEND = app.base_send_$N¦⟩, STORAGE = ⟨extended¦main¦external⟩);
⟨COMMENT ON TYPE app.base_$N IS 'like text';¦⟩
⟨CREATE TABLE app.based_$N (id integer PRIMARY KEY, base app.base_$N);¦⟩

== shell_type superuser
CREATE TYPE app.shell_$N;
⟨COMMENT ON TYPE app.shell_$N IS 'nothing yet';¦⟩

== function
CREATE FUNCTION app.count_$N(VARIADIC numbers integer[]⟨ DEFAULT '{1}'¦ DEFAULT '{2,3}'¦⟩) RETURNS ⟨integer¦bigint⟩
    ⟨IMMUTABLE¦STABLE¦VOLATILE⟩ ⟨STRICT¦⟩ ⟨PARALLEL SAFE¦PARALLEL RESTRICTED¦⟩ ⟨SECURITY DEFINER¦⟩
    ⟨COST 7¦COST 200¦⟩ ⟨SET search_path = app¦SET search_path = '', app¦SET work_mem = '8MB' SET extra_float_digits = 1¦⟩
    ⟨LANGUAGE sql AS $$ SELECT 1; $$¦LANGUAGE sql AS ' SELECT 2; '¦LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$⟩;
⟨COMMENT ON FUNCTION app.count_$N(integer[]) IS 'counts';¦⟩
⟨GRANT EXECUTE ON FUNCTION app.count_$N(integer[]) TO app_reader;¦REVOKE EXECUTE ON FUNCTION app.count_$N(integer[]) FROM PUBLIC;¦⟩
⟨ALTER FUNCTION app.count_$N(integer[]) OWNER TO app_writer;¦⟩

== set_function
CREATE FUNCTION app.series_$N(⟨start integer¦start integer, step integer DEFAULT 1¦start integer DEFAULT 5, step integer DEFAULT 2⟩) RETURNS TABLE (n integer, twice ⟨integer¦bigint⟩)
    LANGUAGE sql ⟨ROWS 7¦ROWS 70¦⟩ ⟨STABLE¦⟩ AS $$ SELECT 1, 2 $$;

== atomic_function
CREATE TABLE app.atomic_$N (id integer PRIMARY KEY, amount ⟨integer¦bigint⟩ ⟨NOT NULL¦DEFAULT 3¦⟩);
⟨CREATE FUNCTION app.total_$N(OUT total bigint) LANGUAGE sql ⟨STABLE¦⟩ BEGIN ATOMIC SELECT ⟨sum(amount)¦max(amount)⟩::bigint FROM app.atomic_$N; END;¦CREATE FUNCTION app.total_$N(OUT total bigint, OUT number bigint) LANGUAGE sql BEGIN ATOMIC SELECT sum(amount)::bigint, count(*) FROM app.atomic_$N; END;⟩
--rows
INSERT INTO app.atomic_$N VALUES (1, 5), (2, 7);

== procedure
CREATE PROCEDURE app.work_$N(⟨a integer¦INOUT a integer¦a integer, b text DEFAULT 'x'⟩) LANGUAGE plpgsql ⟨SECURITY DEFINER¦⟩ ⟨SET search_path = ''¦⟩
    AS ⟨$$ BEGIN NULL; END $$¦$$ BEGIN COMMIT; END $$⟩;
⟨COMMENT ON PROCEDURE app.work_$N IS 'works';¦⟩
⟨REVOKE ALL ON PROCEDURE app.work_$N FROM PUBLIC;¦⟩

== aggregate
CREATE FUNCTION app.plus_$N(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce($1, 0) + coalesce($2, 0) $$;
CREATE FUNCTION app.minus_$N(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce($1, 0) - coalesce($2, 0) $$;
CREATE FUNCTION app.same_$N(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE AGGREGATE app.sum_$N(integer) (SFUNC = app.plus_$N, STYPE = integer⟨, INITCOND = '0'¦, INITCOND = '10'¦⟩⟨, FINALFUNC = app.same_$N⟨, FINALFUNC_MODIFY = SHAREABLE¦⟩¦⟩⟨, COMBINEFUNC = app.plus_$N, PARALLEL = SAFE¦⟩⟨, MSFUNC = app.plus_$N, MINVFUNC = app.minus_$N, MSTYPE = integer, MINITCOND = '0'¦⟩⟨, SSPACE = 8¦⟩);
⟨COMMENT ON AGGREGATE app.sum_$N(integer) IS 'adds up';¦⟩
⟨ALTER AGGREGATE app.sum_$N(integer) OWNER TO app_writer;¦⟩
⟨CREATE VIEW app.summed_$N AS SELECT app.sum_$N(i) AS total FROM generate_series(1, 3) i;¦⟩

== ordered_set_aggregate
CREATE FUNCTION app.last_$N(state integer, value integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT $2 $$;
CREATE FUNCTION app.final_$N(state integer, fraction double precision) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE AGGREGATE app.pick_$N(double precision ORDER BY integer) (SFUNC = app.last_$N, STYPE = integer, FINALFUNC = app.final_$N⟨, INITCOND = '1'¦⟩);

== operator
CREATE FUNCTION app.less_$N(point, point) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1[0] < $2[0] $$;
CREATE FUNCTION app.more_$N(point, point) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT $1[0] > $2[0] $$;
CREATE SCHEMA operators_$N;
CREATE OPERATOR operators_$N.>>> (FUNCTION = app.more_$N, LEFTARG = point, RIGHTARG = point⟨, RESTRICT = scalargtsel¦⟩);
CREATE OPERATOR operators_$N.<<< (FUNCTION = app.⟨less_$N¦more_$N⟩, LEFTARG = point, RIGHTARG = point⟨, COMMUTATOR = OPERATOR(operators_$N.>>>)¦⟩⟨, RESTRICT = scalarltsel¦, RESTRICT = eqsel¦⟩⟨, JOIN = scalarltjoinsel¦⟩);
⟨COMMENT ON OPERATOR operators_$N.<<< (point, point) IS 'left of';¦⟩
⟨CREATE VIEW app.operated_$N AS SELECT '(1,2)'::point OPERATOR(operators_$N.<<<) '(2,1)'::point AS left_of;¦⟩

== operator_class superuser
CREATE FUNCTION app.backwards_$N(integer, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT btint4cmp($2, $1) $$;
⟨CREATE OPERATOR FAMILY app.family_$N USING btree;¦CREATE OPERATOR FAMILY app.family_$N USING btree; COMMENT ON OPERATOR FAMILY app.family_$N USING btree IS 'family';⟩
CREATE OPERATOR CLASS app.class_$N FOR TYPE integer USING btree FAMILY app.family_$N AS
    OPERATOR 1 pg_catalog.>, OPERATOR 2 pg_catalog.>=, OPERATOR 3 pg_catalog.=, OPERATOR 4 pg_catalog.<=, OPERATOR 5 pg_catalog.<, FUNCTION 1 app.backwards_$N(integer, integer);
⟨COMMENT ON OPERATOR CLASS app.class_$N USING btree IS 'backwards';¦⟩
⟨CREATE TABLE app.classed_$N (id integer); CREATE INDEX classed_$N_id ON app.classed_$N (id ⟨app.class_$N¦⟩ ⟨DESC¦⟩);¦⟩

== cast
CREATE TYPE app.celsius_$N AS (degrees double precision);
CREATE FUNCTION app.degrees_$N(app.celsius_$N) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1.degrees $$;
⟨CREATE CAST (app.celsius_$N AS double precision) WITH FUNCTION app.degrees_$N(app.celsius_$N)⟨ AS ASSIGNMENT¦ AS IMPLICIT¦⟩;¦CREATE CAST (app.celsius_$N AS double precision) WITH INOUT;¦⟩
⟨CREATE CAST (app.celsius_$N AS text) WITH INOUT⟨ AS ASSIGNMENT¦⟩; COMMENT ON CAST (app.celsius_$N AS text) IS ⟨'one'¦'two'¦NULL⟩;¦⟩

== conversion once
CREATE ⟨DEFAULT ¦⟩CONVERSION app.conversion_$N FOR ⟨'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8¦'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1⟩;
⟨COMMENT ON CONVERSION app.conversion_$N IS 'converts';¦⟩
⟨ALTER CONVERSION app.conversion_$N OWNER TO app_writer;¦⟩

== text_search
CREATE TEXT SEARCH DICTIONARY app.dictionary_$N (TEMPLATE = pg_catalog.simple⟨, STOPWORDS = 'english'¦⟩⟨, ACCEPT = false¦⟩);
⟨COMMENT ON TEXT SEARCH DICTIONARY app.dictionary_$N IS 'plain';¦⟩
CREATE TEXT SEARCH CONFIGURATION app.search_$N (PARSER = pg_catalog."default");
ALTER TEXT SEARCH CONFIGURATION app.search_$N ADD MAPPING FOR ⟨asciiword¦asciiword, word¦asciiword, email, url⟩ WITH ⟨app.dictionary_$N¦app.dictionary_$N, pg_catalog.english_stem¦pg_catalog.simple⟩;
⟨COMMENT ON TEXT SEARCH CONFIGURATION app.search_$N IS 'search';¦⟩
⟨ALTER TEXT SEARCH CONFIGURATION app.search_$N OWNER TO app_writer;¦⟩
CREATE TABLE app.searched_$N (id integer PRIMARY KEY, body text⟨, found tsvector GENERATED ALWAYS AS (to_tsvector('app.search_$N', body)) STORED¦⟩);
⟨CREATE INDEX searched_$N_body ON app.searched_$N USING ⟨gin¦gist⟩ (to_tsvector('app.search_$N', body));¦⟩
--rows
INSERT INTO app.searched_$N (id, body) VALUES (1, 'the quick brown fox'), (2, NULL);

== text_search_parser superuser
CREATE TEXT SEARCH PARSER app.parser_$N (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype⟨, HEADLINE = prsd_headline¦⟩);
⟨COMMENT ON TEXT SEARCH PARSER app.parser_$N IS 'parser';¦⟩
CREATE TEXT SEARCH TEMPLATE app.template_$N (⟨INIT = dsimple_init, ¦⟩LEXIZE = dsimple_lexize);
⟨COMMENT ON TEXT SEARCH TEMPLATE app.template_$N IS 'template';¦⟩

== statistics
CREATE TABLE app.measured_$N (a integer, b ⟨integer¦bigint⟩, c text);
CREATE STATISTICS app.statistics_$N ⟨(ndistinct)¦(dependencies, mcv)¦⟩ ON ⟨a, b¦a, b, c¦a, lower(c)⟩ FROM app.measured_$N;
⟨ALTER STATISTICS app.statistics_$N SET STATISTICS 50;¦ALTER STATISTICS app.statistics_$N SET STATISTICS 0;¦⟩
⟨COMMENT ON STATISTICS app.statistics_$N IS 'correlated';¦⟩
⟨ALTER STATISTICS app.statistics_$N OWNER TO app_writer;¦⟩
--rows
INSERT INTO app.measured_$N VALUES (1, 2, 'A'), (2, 3, 'b');

== becomes_partitioned
CREATE TABLE app.spread_$N (id ⟨integer¦bigint⟩ NOT NULL, at integer NOT NULL, word ⟨text¦character varying(30)⟩⟨, twice integer GENERATED ALWAYS AS (at * 2) STORED¦, extra text DEFAULT 'none'¦⟩)⟨¦ PARTITION BY RANGE (at); CREATE TABLE app.spread_$N_low PARTITION OF app.spread_$N FOR VALUES FROM (MINVALUE) TO (10); CREATE TABLE app.spread_$N_rest PARTITION OF app.spread_$N DEFAULT¦ PARTITION BY HASH (id); CREATE TABLE app.spread_$N_even PARTITION OF app.spread_$N FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE app.spread_$N_odd PARTITION OF app.spread_$N FOR VALUES WITH (MODULUS 2, REMAINDER 1)⟩;
⟨CREATE UNIQUE INDEX spread_$N_both ON app.spread_$N (id, at);¦CREATE INDEX spread_$N_word ON app.spread_$N (word);¦⟩
⟨CREATE VIEW app.spread_view_$N AS SELECT id, word FROM app.spread_$N;¦CREATE MATERIALIZED VIEW app.spread_view_$N AS SELECT id, word FROM app.spread_$N;¦⟩
⟨COMMENT ON COLUMN app.spread_$N.word IS 'word';¦⟩
CREATE POLICY open ON app.spread_$N USING (true);
⟨ALTER TABLE app.spread_$N ENABLE ROW LEVEL SECURITY; ⟨ALTER TABLE app.spread_$N FORCE ROW LEVEL SECURITY;¦⟩¦⟩
⟨GRANT SELECT (id) ON app.spread_$N TO app_reader;¦⟩
--rows
INSERT INTO app.spread_$N (id, at, word) VALUES (1, 1, 'a'), (2, 20, 'b'), (3, 5, NULL);

== range_partitions
CREATE TABLE app.log_$N (id integer ⟨NOT NULL¦DEFAULT 1 NOT NULL¦DEFAULT 2 NOT NULL⟩, at integer NOT NULL, body ⟨text¦character varying(50)⟩⟨, extra integer DEFAULT 4¦⟩) PARTITION BY RANGE (at);
⟨ALTER TABLE app.log_$N ADD CONSTRAINT log_$N_key PRIMARY KEY (id, at);¦ALTER TABLE app.log_$N ADD CONSTRAINT log_$N_unique UNIQUE (at, id);¦⟩
⟨CREATE INDEX log_$N_body ON app.log_$N (body ⟨DESC¦⟩);¦⟩
⟨CREATE TABLE app.log_one_$N PARTITION OF app.log_$N FOR VALUES FROM (0) TO (⟨100¦200⟩);¦CREATE TABLE app.log_one_$N (LIKE app.log_$N INCLUDING DEFAULTS);⟩
⟨CREATE TABLE app.log_two_$N PARTITION OF app.log_$N ⟨(body DEFAULT 'two') ¦⟩FOR VALUES FROM (⟨300¦200⟩) TO (400)⟨ WITH (fillfactor = 70)¦⟩;¦CREATE TABLE app.log_two_$N PARTITION OF app.log_$N FOR VALUES FROM (300) TO (400) PARTITION BY LIST (id); CREATE TABLE app.log_two_rest_$N PARTITION OF app.log_two_$N DEFAULT;¦⟩
CREATE TABLE app.log_rest_$N PARTITION OF app.log_$N DEFAULT;
⟨ALTER TABLE app.log_$N ADD CONSTRAINT log_$N_body CHECK (body <> '');¦ALTER TABLE app.log_$N ADD CONSTRAINT log_$N_body CHECK (body <> 'x') NOT VALID;¦⟩
⟨COMMENT ON TABLE app.log_one_$N IS 'the first';¦⟩
⟨GRANT SELECT ON app.log_$N TO app_reader;¦GRANT SELECT (id), UPDATE (body) ON app.log_$N TO app_reader;¦⟩
--rows
INSERT INTO app.log_one_$N (id, at, body) VALUES (1, 5, 'in the first');
INSERT INTO app.log_rest_$N (id, at, body) VALUES (2, 1000, 'in the rest');

== list_partitions
CREATE TABLE app.region_$N (code text NOT NULL, amount integer) PARTITION BY LIST (⟨code¦lower(code)⟩);
CREATE TABLE app.region_eu_$N PARTITION OF app.region_$N FOR VALUES IN ('de', 'fr'⟨, 'it'¦⟩⟨, NULL¦⟩);
⟨CREATE TABLE app.region_us_$N PARTITION OF app.region_$N FOR VALUES IN ('us'⟨, 'mx'¦⟩);¦⟩
⟨ALTER TABLE app.region_eu_$N ALTER COLUMN amount SET DEFAULT 3;¦ALTER TABLE app.region_eu_$N ALTER COLUMN amount SET NOT NULL;¦⟩
⟨CREATE TRIGGER same BEFORE UPDATE ON app.region_$N FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger(); ⟨ALTER TABLE app.region_eu_$N DISABLE TRIGGER same;¦⟩¦⟩
--rows
INSERT INTO app.region_$N VALUES ('de', 1), ('fr', 2);

== hash_partitions
CREATE TABLE app.bucket_$N (id integer⟨ PRIMARY KEY¦⟩, word text⟨ NOT NULL¦⟩) PARTITION BY HASH (id);
CREATE TABLE app.bucket_one_$N PARTITION OF app.bucket_$N FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.bucket_two_$N PARTITION OF app.bucket_$N FOR VALUES WITH (MODULUS 2, REMAINDER 1);
⟨CREATE INDEX bucket_$N_word ON ONLY app.bucket_$N (word); CREATE INDEX bucket_one_$N_word ON app.bucket_one_$N (word); ALTER INDEX app.bucket_$N_word ATTACH PARTITION app.bucket_one_$N_word; CREATE INDEX bucket_two_$N_word ON app.bucket_two_$N (word); ALTER INDEX app.bucket_$N_word ATTACH PARTITION app.bucket_two_$N_word;¦CREATE INDEX bucket_$N_word ON app.bucket_$N (word);¦⟩
⟨ALTER TABLE app.bucket_one_$N SET (autovacuum_enabled = false);¦⟩
--rows
INSERT INTO app.bucket_$N SELECT i, 'w' || i FROM generate_series(1, 9) i;

== inheritance
CREATE TABLE app.animal_$N (id integer NOT NULL, name ⟨text¦character varying(30)⟩⟨ NOT NULL¦ DEFAULT 'none'¦⟩⟨, legs integer DEFAULT 4¦⟩);
CREATE TABLE app.owned_$N (owner text⟨ DEFAULT 'me'¦⟩);
⟨CREATE TABLE app.dog_$N (breed text) INHERITS (app.animal_$N);¦CREATE TABLE app.dog_$N (breed text) INHERITS (app.animal_$N, app.owned_$N);¦CREATE TABLE app.dog_$N (id integer NOT NULL, name text NOT NULL, breed text);¦CREATE TABLE app.dog_$N (name ⟨text¦character varying(30)⟩ DEFAULT 'rex', breed text, id integer NOT NULL);⟩
⟨ALTER TABLE app.animal_$N ADD CONSTRAINT named CHECK (name <> '');¦ALTER TABLE app.animal_$N ADD CONSTRAINT named CHECK (name <> '') NO INHERIT;¦⟩
⟨COMMENT ON COLUMN app.dog_$N.breed IS 'which';¦⟩
--rows
INSERT INTO app.dog_$N (id, name, breed) VALUES (1, 'rex', 'terrier');
INSERT INTO app.animal_$N (id, name) VALUES (2, 'tom');

== typed_table
CREATE TYPE app.row_$N AS (id integer, word text⟨, more text¦⟩);
⟨CREATE TABLE app.typed_$N OF app.row_$N ⟨(PRIMARY KEY (id))¦(id NOT NULL, word DEFAULT 'a')¦⟩;¦CREATE TABLE app.typed_$N (id integer, word text⟨, more text¦⟩);⟩
--rows
INSERT INTO app.typed_$N (id, word) VALUES (1, 'a'), (2, 'b');

== columns
CREATE TABLE app.stored_$N (id integer GENERATED ⟨ALWAYS¦BY DEFAULT⟩ AS IDENTITY ⟨(START WITH 100 INCREMENT BY 10)¦(MINVALUE 0 CACHE 5 CYCLE)¦⟩, a ⟨text¦character varying(100)¦character varying(200)⟩, b bytea, c ⟨integer¦bigint¦numeric(12,2)⟩ ⟨DEFAULT 7¦⟩ ⟨NOT NULL¦⟩, d integer GENERATED ALWAYS AS (⟨length(a)¦length(a) + 1⟩) ⟨STORED¦18+:VIRTUAL⟩);
⟨ALTER TABLE app.stored_$N ALTER COLUMN a SET STORAGE ⟨external¦main¦plain⟩;¦⟩
⟨ALTER TABLE app.stored_$N ALTER COLUMN b SET COMPRESSION pglz;¦⟩
⟨ALTER TABLE app.stored_$N ALTER COLUMN a SET STATISTICS ⟨10¦500⟩;¦⟩
⟨ALTER TABLE app.stored_$N ALTER COLUMN a SET (n_distinct = ⟨5¦-0.5⟩);¦⟩
⟨COMMENT ON COLUMN app.stored_$N.a IS 'a';¦⟩
⟨GRANT SELECT (a), INSERT (a, b) ON app.stored_$N TO app_reader;¦GRANT UPDATE (a) ON app.stored_$N TO app_reader WITH GRANT OPTION;¦⟩
⟨CREATE VIEW app.stored_view_$N AS SELECT id, a, c FROM app.stored_$N;¦⟩
--rows
INSERT INTO app.stored_$N (a, b, c) VALUES ('one', '\x01', 1), ('two', NULL, 2);

== serial
CREATE TABLE app.counted_$N (id ⟨serial¦bigserial¦integer GENERATED BY DEFAULT AS IDENTITY¦bigint GENERATED BY DEFAULT AS IDENTITY⟩ ⟨PRIMARY KEY¦UNIQUE¦⟩, word text);
--rows
INSERT INTO app.counted_$N (word) VALUES ('a'), ('b');

== table
CREATE ⟨UNLOGGED ¦⟩TABLE app.plain_$N (id integer NOT NULL, word text NOT NULL, number integer) ⟨WITH (fillfactor = 70)¦WITH (autovacuum_vacuum_scale_factor = 0.2, toast.autovacuum_enabled = false)¦⟩;
CREATE UNIQUE INDEX plain_$N_id ON app.plain_$N (id)⟨ WITH (fillfactor = 60)¦⟩;
⟨ALTER TABLE app.plain_$N REPLICA IDENTITY USING INDEX plain_$N_id;¦ALTER TABLE app.plain_$N REPLICA IDENTITY FULL;¦ALTER TABLE app.plain_$N REPLICA IDENTITY NOTHING;¦⟩
⟨ALTER TABLE app.plain_$N CLUSTER ON plain_$N_id;¦⟩
⟨ALTER TABLE app.plain_$N OWNER TO app_writer;¦⟩
⟨COMMENT ON TABLE app.plain_$N IS 'plain';¦COMMENT ON TABLE app.plain_$N IS 'other';¦⟩
⟨COMMENT ON INDEX app.plain_$N_id IS 'index';¦⟩
⟨GRANT SELECT, INSERT ON app.plain_$N TO app_reader;¦GRANT ALL ON app.plain_$N TO app_reader;¦GRANT SELECT ON app.plain_$N TO PUBLIC;¦⟩
⟨CREATE RULE ⟨none¦other⟩ AS ON ⟨DELETE¦UPDATE⟩ TO app.plain_$N ⟨WHERE old.id > 3 ¦⟩DO INSTEAD NOTHING;¦⟩
--rows
INSERT INTO app.plain_$N VALUES (1, 'a', 1), (2, 'b', NULL);

== constraints
CREATE TABLE app.target_$N (a integer, b integer, PRIMARY KEY (a, b)⟨ DEFERRABLE INITIALLY DEFERRED¦⟩, CONSTRAINT target_$N_ab UNIQUE (b, a)⟨ INCLUDE (c)¦⟩⟨ WITH (fillfactor = 80)¦⟩, c integer);
CREATE TABLE app.source_$N (id integer, a integer, b integer, c integer, word text, CONSTRAINT source_$N_word UNIQUE ⟨15+:NULLS NOT DISTINCT ¦⟩(word, id)⟨ DEFERRABLE¦⟩);
⟨ALTER TABLE app.source_$N ADD CONSTRAINT source_$N_target FOREIGN KEY (b, a) REFERENCES app.target_$N (b, a) ⟨MATCH FULL¦⟩ ⟨ON DELETE CASCADE¦ON DELETE SET NULL¦15+:ON DELETE SET NULL (a)¦⟩ ⟨ON UPDATE CASCADE¦⟩ ⟨DEFERRABLE¦DEFERRABLE INITIALLY DEFERRED¦⟩ ⟨NOT VALID¦⟩;¦⟩
⟨ALTER TABLE app.source_$N ADD CONSTRAINT positive CHECK (c > 0) ⟨NO INHERIT¦⟩ ⟨NOT VALID¦⟩;¦18+:ALTER TABLE app.source_$N ADD CONSTRAINT positive CHECK (c > 0) NOT ENFORCED;¦⟩
⟨ALTER TABLE app.source_$N ADD CONSTRAINT source_$N_range EXCLUDE USING gist (int4range(a, b) WITH &&) ⟨WHERE (c > 100)¦⟩;¦⟩
⟨18+:ALTER TABLE app.source_$N ADD CONSTRAINT has_c NOT NULL c;¦18+:ALTER TABLE app.source_$N ADD CONSTRAINT has_c NOT NULL c NOT VALID;¦ALTER TABLE app.source_$N ALTER COLUMN c SET NOT NULL;¦⟩
⟨COMMENT ON CONSTRAINT source_$N_word ON app.source_$N IS 'once';¦⟩
--rows
INSERT INTO app.target_$N VALUES (1, 2, 3), (3, 4, NULL);
INSERT INTO app.source_$N VALUES (1, 1, 2, 1, 'x'), (2, 3, 4, 5, 'y');

== indexes
CREATE TABLE app.indexed_$N (id integer, word text, tags text[], area box, at timestamptz);
CREATE ⟨UNIQUE ¦⟩INDEX indexed_$N_word ON app.indexed_$N (word ⟨COLLATE "C"¦⟩ ⟨text_pattern_ops¦⟩ ⟨DESC¦⟩ ⟨NULLS FIRST¦NULLS LAST¦⟩⟨, id¦⟩)⟨ INCLUDE (at)¦⟩ ⟨15+:NULLS NOT DISTINCT¦⟩ ⟨WITH (fillfactor = 50)¦WITH (deduplicate_items = off)¦⟩ ⟨WHERE id > 0¦⟩;
CREATE INDEX indexed_$N_tags ON app.indexed_$N USING gin (tags) ⟨WITH (fastupdate = off)¦⟩;
CREATE INDEX indexed_$N_area ON app.indexed_$N USING ⟨gist (area)¦spgist (area)¦brin (at) WITH (pages_per_range = 16)¦gist (area) WITH (buffering = on)⟩;
CREATE INDEX indexed_$N_expression ON app.indexed_$N (⟨lower(word)¦upper(word)⟩);
⟨ALTER INDEX app.indexed_$N_expression ALTER COLUMN 1 SET STATISTICS 200;¦⟩
⟨CREATE INDEX indexed_$N_hash ON app.indexed_$N USING hash (word);¦⟩
⟨COMMENT ON INDEX app.indexed_$N_word IS 'words';¦⟩
--rows
INSERT INTO app.indexed_$N VALUES (1, 'a', '{x}', '(1,1),(0,0)', '2024-01-01'), (2, 'b', NULL, NULL, NULL);

== views
CREATE TABLE app.viewed_$N (id integer PRIMARY KEY, word text);
CREATE VIEW app.seen_$N⟨ WITH (security_barrier)¦15+: WITH (security_invoker)¦ WITH (check_option = local)¦⟩ AS SELECT id, word⟨, length(word) AS size¦⟩ FROM app.viewed_$N⟨ WHERE id > 0¦⟩;
⟨ALTER VIEW app.seen_$N ALTER COLUMN word SET DEFAULT 'none';¦⟩
⟨COMMENT ON COLUMN app.seen_$N.word IS 'word';¦⟩
⟨COMMENT ON VIEW app.seen_$N IS 'seen';¦⟩
⟨CREATE RULE silent AS ON INSERT TO app.seen_$N DO ALSO NOTHING; ⟨COMMENT ON RULE silent ON app.seen_$N IS 'silent';¦⟩¦⟩
CREATE VIEW app.above_$N AS SELECT id⟨, word¦⟩ FROM app.seen_$N;
⟨GRANT SELECT ON app.above_$N TO app_reader;¦⟩
⟨CREATE RECURSIVE VIEW app.nested_$N (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM nested_$N WHERE n < ⟨5¦6⟩;¦⟩
CREATE MATERIALIZED VIEW app.kept_$N⟨ WITH (fillfactor = 80)¦⟩ AS SELECT id, ⟨word¦word, id * 2 AS twice⟩ FROM app.viewed_$N ⟨WITH NO DATA¦⟩;
⟨CREATE UNIQUE INDEX kept_$N_id ON app.kept_$N (id); COMMENT ON INDEX app.kept_$N_id IS 'kept';¦⟩
⟨ALTER MATERIALIZED VIEW app.kept_$N ALTER COLUMN word SET STATISTICS 77;¦⟩
⟨COMMENT ON MATERIALIZED VIEW app.kept_$N IS 'kept';¦⟩
⟨ALTER MATERIALIZED VIEW app.kept_$N OWNER TO app_writer; GRANT SELECT ON app.viewed_$N TO app_writer;¦⟩
--rows
INSERT INTO app.viewed_$N VALUES (1, 'a'), (2, NULL);

== triggers
CREATE TABLE app.watched_$N (id integer PRIMARY KEY, word text, number integer);
CREATE FUNCTION app.watch_$N() RETURNS trigger LANGUAGE plpgsql AS ⟨$$ BEGIN RETURN NEW; END $$¦$$ BEGIN RETURN NULL; END $$⟩;
CREATE TRIGGER watch AFTER ⟨INSERT¦INSERT OR UPDATE OF word¦UPDATE OF number, word¦DELETE OR UPDATE⟩ ON app.watched_$N FOR EACH ⟨ROW¦STATEMENT⟩ ⟨EXECUTE FUNCTION app.watch_$N()¦EXECUTE FUNCTION app.watch_$N('a', 'b')⟩;
⟨ALTER TABLE app.watched_$N DISABLE TRIGGER watch;¦ALTER TABLE app.watched_$N ENABLE REPLICA TRIGGER watch;¦ALTER TABLE app.watched_$N ENABLE ALWAYS TRIGGER watch;¦⟩
⟨CREATE TRIGGER before BEFORE UPDATE ON app.watched_$N FOR EACH ROW WHEN (⟨old.* IS DISTINCT FROM new.*¦new.number > 5⟩) EXECUTE FUNCTION app.watch_$N();¦⟩
⟨CREATE CONSTRAINT TRIGGER constrained AFTER INSERT ON app.watched_$N ⟨DEFERRABLE INITIALLY DEFERRED¦DEFERRABLE¦⟩ FOR EACH ROW EXECUTE FUNCTION app.watch_$N();¦⟩
⟨CREATE TRIGGER transition AFTER UPDATE ON app.watched_$N REFERENCING ⟨OLD TABLE AS before¦OLD TABLE AS before NEW TABLE AS after⟩ FOR EACH STATEMENT EXECUTE FUNCTION app.watch_$N();¦⟩
⟨COMMENT ON TRIGGER watch ON app.watched_$N IS 'watches';¦⟩
--rows
INSERT INTO app.watched_$N VALUES (1, 'a', 1);

== policies
CREATE TABLE app.guarded_$N (id integer PRIMARY KEY, who name DEFAULT current_user);
⟨ALTER TABLE app.guarded_$N ENABLE ROW LEVEL SECURITY;¦⟩
⟨CREATE POLICY own ON app.guarded_$N AS ⟨PERMISSIVE¦RESTRICTIVE⟩ FOR ⟨ALL¦SELECT¦UPDATE⟩ TO ⟨PUBLIC¦app_reader¦app_reader, app_writer⟩ USING (⟨who = current_user¦id > 0⟩);¦⟩
⟨CREATE POLICY add ON app.guarded_$N FOR INSERT WITH CHECK (⟨id > 0¦id > 1⟩); COMMENT ON POLICY add ON app.guarded_$N IS ⟨'one'¦'two'⟩;¦⟩
--rows
INSERT INTO app.guarded_$N VALUES (1, 'a');

== sequence
CREATE ⟨15+:UNLOGGED ¦⟩SEQUENCE app.numbers_$N AS ⟨integer¦bigint⟩ ⟨INCREMENT BY 2¦⟩ ⟨MINVALUE -5¦⟩ ⟨MAXVALUE 10000¦⟩ ⟨START WITH 20¦⟩ ⟨CACHE 3¦⟩ ⟨CYCLE¦⟩;
⟨GRANT USAGE ON SEQUENCE app.numbers_$N TO app_reader;¦GRANT SELECT, UPDATE ON SEQUENCE app.numbers_$N TO app_reader;¦⟩
⟨ALTER SEQUENCE app.numbers_$N OWNER TO app_writer;¦⟩
⟨COMMENT ON SEQUENCE app.numbers_$N IS 'numbers';¦⟩
--rows
SELECT nextval('app.numbers_$N');

== publication superuser
CREATE TABLE app.published_$N (id integer PRIMARY KEY, word text);
CREATE PUBLICATION publication_$N ⟨FOR TABLE app.published_$N¦FOR ALL TABLES¦15+:FOR TABLE app.published_$N (id)¦15+:FOR TABLE app.published_$N, TABLES IN SCHEMA public¦15+:FOR TABLE app.published_$N WHERE (id > 5)¦⟩ ⟨WITH (publish = 'insert')¦WITH (publish_via_partition_root = true)¦⟩;
⟨COMMENT ON PUBLICATION publication_$N IS 'published';¦⟩

== subscription superuser
CREATE SUBSCRIPTION subscription_$N CONNECTION 'host=nowhere.invalid dbname=⟨one¦two⟩' PUBLICATION ⟨first¦first, second⟩ WITH (connect = false, slot_name = ⟨NONE¦'slot'⟩⟨, binary = true¦⟩⟨, synchronous_commit = 'off'¦⟩);
⟨COMMENT ON SUBSCRIPTION subscription_$N IS 'subscribed';¦⟩

== event_trigger superuser
CREATE FUNCTION app.on_event_$N() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER event_$N ON ⟨ddl_command_start¦ddl_command_end⟩ ⟨WHEN TAG IN ('CREATE TABLE')¦WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')¦⟩ EXECUTE FUNCTION app.on_event_$N();
⟨ALTER EVENT TRIGGER event_$N DISABLE;¦ALTER EVENT TRIGGER event_$N ENABLE ALWAYS;¦⟩
⟨COMMENT ON EVENT TRIGGER event_$N IS 'events';¦⟩

== foreign_data superuser
CREATE FOREIGN DATA WRAPPER wrapper_$N ⟨OPTIONS (a '1')¦OPTIONS (a '2', b 'x')¦⟩;
⟨COMMENT ON FOREIGN DATA WRAPPER wrapper_$N IS 'wrapper';¦⟩
⟨GRANT USAGE ON FOREIGN DATA WRAPPER wrapper_$N TO app_reader;¦⟩
CREATE SERVER server_$N ⟨VERSION '1'¦VERSION '2'¦⟩ FOREIGN DATA WRAPPER wrapper_$N ⟨OPTIONS (host 'a')¦OPTIONS (host 'b', port '1')¦⟩;
⟨COMMENT ON SERVER server_$N IS 'server';¦⟩
⟨GRANT USAGE ON FOREIGN SERVER server_$N TO app_reader;¦⟩
⟨CREATE USER MAPPING FOR PUBLIC SERVER server_$N ⟨OPTIONS (name 'x')¦OPTIONS (name 'y', kind 'z')¦⟩;¦⟩
CREATE FOREIGN TABLE app.far_$N (id ⟨integer¦bigint⟩ ⟨NOT NULL¦DEFAULT 3¦⟩, word text ⟨OPTIONS (name 'w')¦OPTIONS (name 'v', more 'm')¦⟩⟨, extra text¦⟩) SERVER server_$N ⟨OPTIONS (table 't')¦OPTIONS (table 'u')¦⟩;
⟨ALTER FOREIGN TABLE app.far_$N ADD CONSTRAINT named CHECK (word <> '');¦⟩
⟨COMMENT ON FOREIGN TABLE app.far_$N IS 'far';¦⟩

== language superuser
CREATE FUNCTION app.call_$N() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION app.inline_$N(internal) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION app.valid_$N(oid) RETURNS void LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE ⟨TRUSTED ¦⟩LANGUAGE talk_$N HANDLER app.call_$N ⟨INLINE app.inline_$N¦⟩ ⟨VALIDATOR app.valid_$N¦⟩;
⟨COMMENT ON LANGUAGE talk_$N IS 'talk';¦⟩
⟨CREATE FUNCTION app.talked_$N() RETURNS integer LANGUAGE talk_$N AS $$ BEGIN RETURN 1; END $$;¦⟩

== transform superuser
CREATE FUNCTION app.to_talk_$N(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'prsd_lextype';
CREATE TYPE app.spoken_$N AS (word text);
CREATE FUNCTION app.from_talk_$N(internal) RETURNS app.spoken_$N LANGUAGE internal IMMUTABLE AS 'int4recv';
CREATE TRANSFORM FOR app.spoken_$N LANGUAGE plpgsql (⟨FROM SQL WITH FUNCTION app.to_talk_$N(internal)¦TO SQL WITH FUNCTION app.from_talk_$N(internal)¦FROM SQL WITH FUNCTION app.to_talk_$N(internal), TO SQL WITH FUNCTION app.from_talk_$N(internal)⟩);
⟨COMMENT ON TRANSFORM FOR app.spoken_$N LANGUAGE plpgsql IS 'transform';¦⟩

== access_method superuser
CREATE ACCESS METHOD heap_$N TYPE TABLE HANDLER heap_tableam_handler;
⟨COMMENT ON ACCESS METHOD heap_$N IS 'heap';¦⟩
CREATE TABLE app.heaped_$N (id integer) USING ⟨heap_$N¦heap⟩;
--rows
INSERT INTO app.heaped_$N VALUES (1);

== default_privileges once
ALTER DEFAULT PRIVILEGES ⟨GRANT SELECT ON TABLES TO app_reader¦GRANT SELECT, UPDATE ON TABLES TO app_reader WITH GRANT OPTION¦REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC¦GRANT USAGE ON TYPES TO app_writer¦GRANT USAGE ON SCHEMAS TO app_reader⟩;
