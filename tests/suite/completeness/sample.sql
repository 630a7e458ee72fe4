-- One object of each variety of relation, type, routine and constraint that the catalogs tell apart.
CREATE SCHEMA s;
CREATE DOMAIN s.domain AS integer NOT NULL CONSTRAINT positive CHECK (VALUE > 0);
CREATE TYPE s.enum AS ENUM ('a');
CREATE TYPE s.composite AS (a integer);
CREATE TYPE s.range AS RANGE (SUBTYPE = integer);
CREATE TYPE s.shell;
CREATE TYPE s.base;
CREATE FUNCTION s.base_in(cstring) RETURNS s.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION s.base_out(s.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE s.base (INPUT = s.base_in, OUTPUT = s.base_out, LIKE = integer);
CREATE TABLE s."table" (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    a integer NOT NULL UNIQUE DEFAULT 1 CHECK (a > 0),
    parent integer REFERENCES s."table",
    EXCLUDE USING btree (parent WITH =)
);
ALTER TABLE s."table" ALTER COLUMN a SET STATISTICS 7;
CREATE TABLE s.partitioned (a integer) PARTITION BY LIST (a);
CREATE TABLE s.partition PARTITION OF s.partitioned DEFAULT;
CREATE SEQUENCE s.sequence;
CREATE VIEW s.view AS SELECT a FROM s."table";
CREATE MATERIALIZED VIEW s.materialized AS SELECT a FROM s."table";
CREATE INDEX index ON s."table" ((a + 1));
CREATE INDEX partitioned_index ON s.partitioned (a);
CREATE FOREIGN DATA WRAPPER wrapper;
CREATE SERVER server FOREIGN DATA WRAPPER wrapper;
CREATE FOREIGN TABLE s.foreign_table (a integer OPTIONS (b 'c')) SERVER server;
CREATE FUNCTION s.function(a integer) RETURNS integer LANGUAGE sql RETURN a;
CREATE PROCEDURE s.procedure() LANGUAGE sql AS '';
CREATE AGGREGATE s.aggregate(integer) (SFUNC = int4pl, STYPE = integer);
CREATE FUNCTION s."window"() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION s.trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER constraint_trigger AFTER INSERT ON s."table" FOR EACH ROW EXECUTE FUNCTION s.trigger();

-- What is an object of its own only where it is not as PostgreSQL chooses.
ALTER TABLE s."table" FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL;
ALTER TABLE s.partitioned FORCE ROW LEVEL SECURITY, REPLICA IDENTITY FULL, ALTER COLUMN a SET STATISTICS 7;
ALTER FOREIGN TABLE s.foreign_table ALTER COLUMN a SET STATISTICS 7;
GRANT SELECT ON ALL TABLES IN SCHEMA s TO completeness;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA s TO completeness;
GRANT SELECT (a) ON s."table", s.view, s.materialized, s.partitioned, s.foreign_table TO completeness;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA s TO completeness;
GRANT USAGE ON TYPE s.base, s.enum, s.domain, s.composite, s.range TO completeness;

-- One object of each further class.
CREATE EXTENSION citext;
CREATE USER MAPPING FOR completeness SERVER server;
CREATE CAST (s.enum AS s.composite) WITH INOUT;
CREATE CONVERSION s.conversion FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE LANGUAGE lang HANDLER plpgsql_call_handler;
CREATE OPERATOR s.=== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq);
CREATE OPERATOR FAMILY s.family USING btree;
CREATE OPERATOR CLASS s.class FOR TYPE s.composite USING btree AS STORAGE s.composite;
ALTER OPERATOR FAMILY s.family USING btree ADD OPERATOR 3 s.=== (integer, integer), FUNCTION 1 btint4cmp(integer, integer);
CREATE ACCESS METHOD method TYPE INDEX HANDLER bthandler;
CREATE TEXT SEARCH PARSER s.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE s.template (LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY s.dictionary (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION s.configuration (COPY = simple);
CREATE COLLATION s.collation (LOCALE = 'C');
CREATE STATISTICS s.statistics ON a, parent FROM s."table";
CREATE RULE rule AS ON INSERT TO s."table" DO NOTHING;
CREATE POLICY policy ON s."table";
CREATE FUNCTION s.event_trigger() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE FUNCTION s.transform(internal) RETURNS internal LANGUAGE internal IMMUTABLE AS 'textin';
CREATE EVENT TRIGGER event_trigger ON ddl_command_end EXECUTE FUNCTION s.event_trigger();
CREATE TRANSFORM FOR s.enum LANGUAGE plpgsql (FROM SQL WITH FUNCTION s.transform(internal));
CREATE PUBLICATION publication FOR TABLE s."table";
CREATE SUBSCRIPTION subscription CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false, slot_name = NONE);
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO completeness;
