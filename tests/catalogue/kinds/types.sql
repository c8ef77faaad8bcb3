-- @ enum | TYPE | kind
CREATE TYPE kind AS ENUM ('b', 'it''s', '');
ALTER TYPE kind ADD VALUE 'a' BEFORE 'b';
COMMENT ON TYPE kind IS 'an enum';
GRANT USAGE ON TYPE kind TO reader;
-- @ use
CREATE TABLE on_it (kinds :s.kind[]);
-- @ change
ALTER TYPE kind ADD VALUE 'z';
-- @ enum_empty | TYPE | kind
CREATE TYPE kind AS ENUM ();
-- @ composite | TYPE | kind
CREATE TYPE kind AS (n int, "T t" text COLLATE "C", a int[]);
COMMENT ON COLUMN kind."T t" IS 'a column';
-- @ use
CREATE FUNCTION on_it(:s.kind) RETURNS :s.kind LANGUAGE sql AS 'SELECT $1';
-- @ change
ALTER TYPE kind ADD ATTRIBUTE late int, DROP ATTRIBUTE n;
-- @ composite_nested | TYPE | kind
CREATE TYPE inner_one AS (n int);
CREATE TYPE kind AS (i inner_one, o inner_one[]);
-- @ composite_empty | TYPE | kind
CREATE TYPE kind AS ();
-- @ domain | DOMAIN | kind
CREATE DOMAIN kind AS numeric(12, 2) DEFAULT 0 NOT NULL CONSTRAINT positive CHECK (value >= 0) CHECK (value < 100);
COMMENT ON DOMAIN kind IS 'a domain';
COMMENT ON CONSTRAINT positive ON DOMAIN kind IS 'a check';
REVOKE USAGE ON TYPE kind FROM PUBLIC;
-- @ use
CREATE TABLE on_it (n :s.kind);
-- @ change
ALTER DOMAIN kind DROP CONSTRAINT positive;
ALTER DOMAIN kind DROP DEFAULT;
-- @ domain_of_domain | DOMAIN | kind
CREATE DOMAIN base AS text COLLATE "C" CHECK (value <> '');
CREATE DOMAIN kind AS base CHECK (length(value) < 9);
-- @ domain_of_array | DOMAIN | kind
CREATE DOMAIN kind AS int[] CHECK (cardinality(value) < 4);
-- @ domain_of_composite | DOMAIN | kind
CREATE TYPE row_of AS (n int);
CREATE DOMAIN kind AS row_of CHECK ((value).n > 0);
-- @ domain_of_range | DOMAIN | kind
CREATE DOMAIN kind AS int4range CHECK (NOT isempty(value));
-- @ domain_not_valid | DOMAIN | kind
CREATE DOMAIN kind AS int;
ALTER DOMAIN kind ADD CONSTRAINT late CHECK (value > 0) NOT VALID;
-- @ range | TYPE | kind
CREATE TYPE kind AS RANGE (subtype = float8, subtype_diff = float8mi);
COMMENT ON TYPE kind IS 'a range';
GRANT USAGE ON TYPE kind TO reader;
-- @ use
CREATE TABLE on_it (n :s.kind, EXCLUDE USING gist (n WITH &&));
-- @ range_of_its_own | TYPE | kind
CREATE FUNCTION apart(text, text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT 1.0::float8';
CREATE TYPE kind AS RANGE (subtype = text, collation = "C", subtype_diff = apart, multirange_type_name = kinds);
COMMENT ON TYPE kind IS 'a range of texts';
-- @ use
CREATE TABLE on_it (n :s.kinds DEFAULT :s.kinds(:s.kind('a', 'b')));
-- @ range_of_enum | TYPE | kind
CREATE TYPE level AS ENUM ('low', 'high');
CREATE TYPE kind AS RANGE (subtype = level);
CREATE FUNCTION multi(kind_multirange) RETURNS kind LANGUAGE sql AS 'SELECT range_merge($1)';
-- @ base_type | TYPE | kind | superuser, refused
CREATE TYPE kind;
CREATE FUNCTION kind_in(cstring) RETURNS kind LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION kind_out(kind) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE kind (input = kind_in, output = kind_out, like = int4);
-- @ collation_libc | COLLATION | c
CREATE COLLATION c (provider = libc, lc_collate = 'C', lc_ctype = 'C');
COMMENT ON COLLATION c IS 'by bytes';
-- @ use
CREATE TABLE on_it (t text COLLATE :s.c UNIQUE);
-- @ collation_icu | COLLATION | c | icu
CREATE COLLATION c (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
-- @ collation_of_another | COLLATION | c
CREATE COLLATION c FROM "C";
-- @ collation_builtin | COLLATION | c | 17+
CREATE COLLATION c (provider = builtin, locale = 'C.UTF-8');
-- @ conversion | CONVERSION | c
CREATE CONVERSION c FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION c IS 'a conversion';
-- @ conversion_default | CONVERSION | c
CREATE DEFAULT CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;
-- @ ts_dictionary | TEXT SEARCH DICTIONARY | d
CREATE TEXT SEARCH DICTIONARY d (template = simple, accept = false);
COMMENT ON TEXT SEARCH DICTIONARY d IS 'a dictionary';
-- @ use
CREATE TEXT SEARCH CONFIGURATION on_it (copy = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION on_it ALTER MAPPING FOR word WITH :s.d;
-- @ ts_configuration | TEXT SEARCH CONFIGURATION | c
CREATE TEXT SEARCH DICTIONARY d (template = snowball, language = german, stopwords = german);
CREATE TEXT SEARCH CONFIGURATION c (parser = pg_catalog.default);
ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR asciiword, word WITH d, simple;
COMMENT ON TEXT SEARCH CONFIGURATION c IS 'a configuration';
-- @ use
CREATE TABLE on_it (t text);
CREATE INDEX on_it_words ON on_it USING gin (to_tsvector(':s.c', t));
-- @ ts_configuration_copy | TEXT SEARCH CONFIGURATION | c
CREATE TEXT SEARCH CONFIGURATION c (copy = pg_catalog.english);
-- @ ts_template | TEXT SEARCH TEMPLATE | t | superuser, refused, no-owner
CREATE TEXT SEARCH TEMPLATE t (init = dsimple_init, lexize = dsimple_lexize);
COMMENT ON TEXT SEARCH TEMPLATE t IS 'a template';
-- @ ts_parser | TEXT SEARCH PARSER | p | superuser, refused, no-owner
CREATE TEXT SEARCH PARSER p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
-- @ operator_family | OPERATOR FAMILY | o USING btree | superuser, refused
CREATE OPERATOR FAMILY o USING btree;
-- @ operator_family_filled | OPERATOR FAMILY | o USING btree | superuser, refused
CREATE OPERATOR FAMILY o USING btree;
ALTER OPERATOR FAMILY o USING btree ADD OPERATOR 1 < (int4, int8), FUNCTION 1 btint48cmp(int4, int8);
-- @ operator_class | OPERATOR CLASS | o USING btree | superuser, refused
CREATE OPERATOR CLASS o FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
COMMENT ON OPERATOR CLASS o USING btree IS 'a class';
-- @ use
CREATE TABLE on_it (n int);
CREATE INDEX on_it_n ON on_it (n :s.o);
-- @ cast_binary | CAST | (date AS int) | superuser, once
CREATE CAST (date AS int) WITHOUT FUNCTION;
COMMENT ON CAST (date AS int) IS 'of the superuser';
