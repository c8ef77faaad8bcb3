-- One of everything that the owner of a database can make. Run by psql as that owner; the roles
-- storekeepers and "night shift" (groups of the owner's), reader and "Prüfer ""x""" exist.

SELECT current_setting('server_version_num')::int >= 150000 AS v15,
       current_setting('server_version_num')::int >= 170000 AS v17,
       current_setting('server_version_num')::int >= 180000 AS v18 \gset

SET client_min_messages = warning;
SET check_function_bodies = off;

-- Trusted extensions: the owner's own.
CREATE EXTENSION pgcrypto;
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
COMMENT ON EXTENSION citext IS 'ours, with a comment of ours';

CREATE SCHEMA shop;
COMMENT ON SCHEMA shop IS E'The shop.\nCOMMIT;\n\\.\nROLLBACK;\n\n-- not a comment\n\\connect postgres\nthe end';
GRANT USAGE, CREATE ON SCHEMA shop TO storekeepers;
GRANT USAGE ON SCHEMA shop TO reader;

-- What comes later gets these privileges; made first, so that they have left their marks.
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT USAGE ON SEQUENCES TO "Prüfer ""x""";
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE storekeepers GRANT SELECT ON TABLES TO reader;

-- Types
CREATE TYPE shop.mood AS ENUM ('sad', 'so-so', 'it''s "fine"', '');
ALTER TYPE shop.mood ADD VALUE 'glad' BEFORE 'so-so';
CREATE TYPE shop.address AS (street text, "Nr." integer, tags text[]);
CREATE TYPE shop.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN shop.price AS numeric(12, 2) DEFAULT 0 NOT NULL
    CONSTRAINT not_negative CHECK (value >= 0);
CREATE DOMAIN shop.email AS citext CHECK (value ~ '@');
COMMENT ON TYPE shop.mood IS E'how they feel\nCOMMIT;\n\\.';
COMMENT ON COLUMN shop.address."Nr." IS 'a house';
COMMENT ON DOMAIN shop.price IS 'in euro';
COMMENT ON CONSTRAINT not_negative ON DOMAIN shop.price IS 'nobody pays us to take it';
GRANT USAGE ON TYPE shop.mood TO reader;
REVOKE USAGE ON TYPE shop.price FROM PUBLIC;

CREATE COLLATION shop.plain (provider = libc, locale = 'C');
COMMENT ON COLLATION shop.plain IS 'by bytes';

-- Functions, procedures, aggregates, operators, casts
CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    -- COMMIT;
    NEW.touched := '2025-03-14 12:34:56+00';
    RETURN NEW;
END
$body$;
CREATE FUNCTION shop.check_later() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE FUNCTION shop.double(n integer DEFAULT 2) RETURNS integer
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT n * 2';
CREATE FUNCTION shop.word(t text) RETURNS text LANGUAGE sql IMMUTABLE
    SET search_path = pg_catalog AS $$ SELECT lower(t) $$;
CREATE FUNCTION shop."odd name; COMMIT;"(VARIADIC "in" text[], OUT n integer, OUT "o.k." boolean)
    LANGUAGE sql COST 7 SECURITY DEFINER SET work_mem = '8MB'
    AS $$ SELECT cardinality("in"), true $$;
CREATE FUNCTION shop.addition(a integer, b integer) RETURNS integer
    LANGUAGE sql IMMUTABLE RETURN a + b;
CREATE FUNCTION shop.same_mood(a shop.address, b shop.address) RETURNS boolean
    LANGUAGE sql IMMUTABLE AS $$ SELECT (a).street = (b).street $$;
CREATE FUNCTION shop.in_words(a shop.address) RETURNS text
    LANGUAGE sql IMMUTABLE AS $$ SELECT (a).street || ' ' || (a)."Nr." $$;
CREATE AGGREGATE shop.total(integer) (sfunc = shop.addition, stype = integer, initcond = '0');
CREATE AGGREGATE shop.lines(*) (sfunc = int8inc, stype = bigint, initcond = '0');
CREATE OPERATOR shop.=== (
    leftarg = shop.address, rightarg = shop.address, function = shop.same_mood,
    commutator = OPERATOR(shop.===)
);
CREATE CAST (shop.address AS text) WITH FUNCTION shop.in_words(shop.address) AS ASSIGNMENT;
COMMENT ON FUNCTION shop.touch() IS E'\\.\nCOMMIT;\n';
COMMENT ON AGGREGATE shop.total(integer) IS 'a sum';
COMMENT ON OPERATOR shop.===(shop.address, shop.address) IS 'as good as equal';
COMMENT ON CAST (shop.address AS text) IS 'for letters';
GRANT EXECUTE ON FUNCTION shop.touch() TO reader WITH GRANT OPTION;

-- Tables
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
    number serial NOT NULL UNIQUE,
    email shop.email,
    name text COLLATE shop.plain DEFAULT E'no\tname\\',
    name_length integer GENERATED ALWAYS AS (length(name)) STORED,
    mood shop.mood DEFAULT 'so-so',
    home shop.address,
    others shop.address[],
    visits daterange,
    lengths shop.span,
    attributes jsonb DEFAULT '{"a": [1, null, "\\u00e9"]}',
    settings hstore,
    words tsvector,
    photo bytea,
    balance shop.price,
    odd numeric,
    matrix integer[][],
    since timestamptz DEFAULT '2025-01-01 00:00:00+00',
    until timestamp,
    short interval,
    address inet,
    bits bit varying(10),
    key uuid DEFAULT gen_random_uuid(),
    document xml,
    ratio double precision,
    referrer bigint CONSTRAINT referrer_is_a_customer REFERENCES shop.customers DEFERRABLE,
    touched timestamptz,
    gone text,
    picture oid,
    CONSTRAINT name_is_short CHECK (length(name) < 1000)
) WITH (fillfactor = 70, autovacuum_enabled = off);
ALTER TABLE shop.customers DROP COLUMN gone;
ALTER TABLE shop.customers ALTER COLUMN name SET STATISTICS 500;
ALTER TABLE shop.customers ALTER COLUMN photo SET STORAGE EXTERNAL;
ALTER TABLE shop.customers ALTER COLUMN name SET (n_distinct = -0.5);
ALTER TABLE shop.customers ALTER COLUMN name SET COMPRESSION pglz;
COMMENT ON TABLE shop.customers IS E'Line one\nCOMMIT;\nBEGIN;\n\\.\n';
COMMENT ON COLUMN shop.customers.name IS E'a\ttab, a \\, a ''quote''\nCOMMIT;';
COMMENT ON CONSTRAINT name_is_short ON shop.customers IS 'for the label';
INSERT INTO shop.customers (email, name, mood, home, others, visits, lengths, settings, words,
    photo, balance, odd, matrix, since, until, short, address, bits, key, ratio, referrer)
VALUES
    ('A@example.org', E'tab\there\nnewline \\ backslash', 'glad', ROW('Main "St."', 1, '{a,"b c",NULL}'),
     ARRAY[ROW('x', NULL, NULL), ROW('', 2, '{}')]::shop.address[], '[2025-01-01,)', '[1.5,2.5)',
     'a=>"b", "c d"=>NULL', to_tsvector('simple', 'some words, two words'), '\x00ff5c2e0a',
     12.50, 'NaN', '{{1,2},{3,NULL}}', 'infinity', '-infinity', '1 year -2 days 03:04:05.6',
     '::1', '101', '00000000-0000-0000-0000-000000000001', 'NaN', NULL),
    ('b@example.org', '', 'it''s "fine"', NULL, '{}', 'empty', '(,)', '', '', '', 0,
     '123456789012345678901234567890123456789012345678901234567890.000000000100',
     '{}', '0044-03-15 12:00:00+00 BC', 'infinity', '-1 mon', '10.0.0.0/8', '',
     '00000000-0000-0000-0000-000000000002', '-Infinity', 100),
    ('c@example.org', E'first\n\\.\nlast', '', ROW(NULL, NULL, NULL), NULL, NULL, NULL, NULL, NULL,
     NULL, 1e9, 1e-300, NULL, NULL, NULL, NULL, NULL, NULL,
     '00000000-0000-0000-0000-000000000003', 1e-307, 110),
    ('d@example.org', '\N', NULL, NULL, NULL, NULL, NULL, '\N=>NULL', NULL, '\x5c4e', 3, -0.0,
     NULL, NULL, '294276-12-31 23:59:59.999999', NULL, NULL, NULL,
     '00000000-0000-0000-0000-000000000004', 0.1, 120),
    ('ü@example.org', 'Ünïcödé 漢字 🙂 ' || U&'\202e' || E'\r\n\x01\x7f', NULL, NULL, NULL, NULL,
     NULL, NULL, NULL, decode(repeat('00ff', 5000), 'hex'), 4, NULL, NULL, NULL, NULL, NULL, NULL,
     NULL, '00000000-0000-0000-0000-000000000005', NULL, 100);
UPDATE shop.customers SET balance = 5 WHERE id = 110; -- so heap order is not the key's order
UPDATE shop.customers SET name = NULL WHERE id = 130;
CREATE INDEX customers_by_word ON shop.customers (shop.word(name), lower(email::text) DESC NULLS LAST);
CREATE INDEX customers_glad ON shop.customers (id) INCLUDE (name) WHERE mood = 'glad';
CREATE INDEX customers_words ON shop.customers USING gin (words) WITH (fastupdate = off);
CREATE INDEX customers_settings ON shop.customers USING gist (settings);
CREATE INDEX customers_email_digest ON shop.customers (digest(email::text, 'sha256'));
CREATE UNIQUE INDEX customers_key ON shop.customers (key);
ALTER INDEX shop.customers_by_word ALTER COLUMN 1 SET STATISTICS 300;
CREATE INDEX customers_since ON shop.customers (since);
ALTER TABLE shop.customers CLUSTER ON customers_since;
COMMENT ON INDEX shop.customers_key IS E'unique\n\\.';
CREATE STATISTICS shop.moods (ndistinct, dependencies, mcv) ON mood, name FROM shop.customers;
CREATE STATISTICS shop.lengths ON (length(name)) FROM shop.customers;
ALTER STATISTICS shop.moods SET STATISTICS 200;
COMMENT ON STATISTICS shop.moods IS 'they go together';
GRANT SELECT (id, name), UPDATE (name) ON shop.customers TO "Prüfer ""x""";
GRANT ALL ON shop.customers TO storekeepers WITH GRANT OPTION;
GRANT USAGE ON SEQUENCE shop.customers_number_seq TO PUBLIC;
SET ROLE storekeepers; -- passes on what it was given: pg_dump writes SET SESSION AUTHORIZATION
GRANT SELECT, DELETE ON shop.customers TO reader;
RESET ROLE;

CREATE TABLE shop.orders (
    id bigint GENERATED BY DEFAULT AS IDENTITY,
    customer bigint NOT NULL,
    lines integer DEFAULT 1,
    at timestamptz NOT NULL DEFAULT '2025-03-14 12:00:00+00',
    during tstzrange,
    CONSTRAINT orders_pkey PRIMARY KEY (id) INCLUDE (at),
    CONSTRAINT one_at_a_time EXCLUDE USING gist (during WITH &&) WHERE (lines > 0)
        DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES shop.customers
        ON UPDATE CASCADE ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO shop.orders (id, customer, lines) SELECT n, 100 + 10 * (n % 5), n FROM generate_series(1, 200) n;
DELETE FROM shop.orders WHERE id % 7 = 0;
UPDATE shop.orders SET lines = -lines WHERE id % 11 = 0;
SELECT setval('shop.orders_id_seq', 1000);
ALTER TABLE shop.orders ADD CONSTRAINT lines_are_positive CHECK (lines > 0) NOT VALID;
CREATE TABLE shop.refunds (order_id bigint, reason text, UNIQUE (order_id, reason));
INSERT INTO shop.refunds VALUES (4711, 'no such order'), (NULL, ''), (NULL, NULL);
ALTER TABLE shop.refunds ADD CONSTRAINT refunds_of_orders FOREIGN KEY (order_id)
    REFERENCES shop.orders MATCH FULL ON DELETE SET NULL NOT VALID;
ALTER TABLE shop.refunds REPLICA IDENTITY FULL;
ALTER TABLE shop.customers REPLICA IDENTITY USING INDEX customers_pkey;

-- Two tables that refer to each other
CREATE TABLE shop.chicken (id integer PRIMARY KEY, egg integer NOT NULL);
CREATE TABLE shop.egg (
    id integer PRIMARY KEY,
    chicken integer NOT NULL REFERENCES shop.chicken DEFERRABLE INITIALLY DEFERRED
);
ALTER TABLE shop.chicken ADD CONSTRAINT hatched FOREIGN KEY (egg) REFERENCES shop.egg;
BEGIN;
INSERT INTO shop.egg VALUES (1, 1);
INSERT INTO shop.chicken VALUES (1, 1);
COMMIT;

CREATE TABLE shop.empty (id integer PRIMARY KEY, t text DEFAULT '');
CREATE TABLE shop.columnless ();
CREATE UNLOGGED TABLE shop.cache (key text PRIMARY KEY, value text);
INSERT INTO shop.cache VALUES ('a', E'\\.'), ('b', E'\n\\.\n'), ('c', ''), ('d', NULL);
ALTER TABLE shop.columnless SET (autovacuum_enabled = off);
CREATE TABLE shop.typed OF shop.address (street WITH OPTIONS DEFAULT 'x');
INSERT INTO shop.typed VALUES ('s', 1, '{}');

-- Names
CREATE SCHEMA "Läden & ""Co."" \1";
CREATE TABLE "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \" (
    "Schlüssel ""1""" integer PRIMARY KEY,
    "a.b c\n" text DEFAULT E'\\''"',
    "COMMIT;" text,
    "select" text CONSTRAINT "it's, ""checked""" CHECK ("select" <> $$'"\$$)
);
INSERT INTO "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \" VALUES (1, 'ä', E'\\.', '');
INSERT INTO "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \" VALUES (2, E'\t\b\f\v\r', NULL, NULL);
COMMENT ON TABLE "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \" IS $$'"\$$;
CREATE INDEX "Index – 漢字" ON "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \" ("a.b c\n");
CREATE VIEW "Läden & ""Co."" \1"." leading and trailing " AS
    SELECT * FROM "Läden & ""Co."" \1"."Preis.Liste 'A' ""B"" \";
GRANT USAGE ON SCHEMA "Läden & ""Co."" \1" TO "Prüfer ""x""", PUBLIC;
GRANT SELECT ON "Läden & ""Co."" \1"." leading and trailing " TO "Prüfer ""x""";
CREATE TABLE shop."EXTENSION - x postgres" (id integer);
CREATE TABLE shop."-- two
lines" ("line
break" text);
INSERT INTO shop."-- two
lines" VALUES ('x');

-- Partitions
CREATE SCHEMA parts;
CREATE TABLE parts.events (
    id bigint NOT NULL, region text NOT NULL, at date NOT NULL, note text, PRIMARY KEY (id, region, at)
) PARTITION BY LIST (region);
CREATE TABLE parts.events_eu PARTITION OF parts.events FOR VALUES IN ('de', 'fr', 'it''s')
    PARTITION BY RANGE (at);
CREATE TABLE parts.events_eu_2024 PARTITION OF parts.events_eu
    FOR VALUES FROM (MINVALUE) TO ('2025-01-01') WITH (fillfactor = 50);
CREATE TABLE parts.events_eu_2025 PARTITION OF parts.events_eu
    FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (id);
CREATE TABLE parts.events_eu_2025_0 PARTITION OF parts.events_eu_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parts.events_eu_2025_1 PARTITION OF parts.events_eu_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE parts.events_eu_later PARTITION OF parts.events_eu DEFAULT;
CREATE TABLE parts.events_other PARTITION OF parts.events DEFAULT;
CREATE TABLE parts.events_us (id bigint NOT NULL, region text NOT NULL, at date NOT NULL, note text DEFAULT 'us');
ALTER TABLE parts.events ATTACH PARTITION parts.events_us FOR VALUES IN ('us', NULL);
CREATE INDEX events_note ON parts.events (note, at DESC);
CREATE INDEX events_only ON ONLY parts.events (at);
INSERT INTO parts.events
    SELECT n, (ARRAY['de', 'us', 'it''s', 'jp'])[1 + n % 4], '2024-06-01'::date + 30 * n, NULLIF(n % 3, 0)
    FROM generate_series(1, 40) n;
CREATE TABLE parts.visits (event bigint, region text, at date,
    FOREIGN KEY (event, region, at) REFERENCES parts.events) PARTITION BY RANGE (at);
CREATE TABLE parts.visits_all PARTITION OF parts.visits DEFAULT;
INSERT INTO parts.visits SELECT id, region, at FROM parts.events WHERE id < 10;
COMMENT ON TABLE parts.events_other IS 'all else';
GRANT SELECT ON parts.events TO reader;

-- Inheritance
CREATE TABLE shop.animal (id integer CHECK (id > 0), name text DEFAULT 'none');
CREATE TABLE shop.dog (breed text, CHECK (name <> '') NO INHERIT) INHERITS (shop.animal);
CREATE TABLE shop.puppy (age integer) INHERITS (shop.dog);
ALTER TABLE shop.puppy ALTER COLUMN name SET DEFAULT 'small';
INSERT INTO shop.animal VALUES (1, 'cat');
INSERT INTO shop.dog VALUES (2, 'rex', NULL);
INSERT INTO shop.puppy VALUES (3, 'pip', 'mix', 1);

-- Sequences
CREATE SEQUENCE shop.untouched START 7;
CREATE SEQUENCE shop.set_but_not_called;
SELECT setval('shop.set_but_not_called', 42, false);
CREATE SEQUENCE shop.downwards AS smallint INCREMENT -3 MINVALUE -100 MAXVALUE -1 START -5 CACHE 4;
SELECT nextval('shop.downwards');
CREATE SEQUENCE shop.around MINVALUE 1 MAXVALUE 3 CYCLE;
SELECT nextval('shop.around') FROM generate_series(1, 5);
CREATE SEQUENCE shop.huge MAXVALUE 9223372036854775807;
SELECT setval('shop.huge', 9223372036854775807);
CREATE SEQUENCE shop.owned OWNED BY shop.empty.id;
COMMENT ON SEQUENCE shop.around IS 'one, two, three, one';
GRANT SELECT, UPDATE ON SEQUENCE shop.around TO reader;

-- Views, rules, materialized views
CREATE VIEW shop.good AS SELECT id, name, mood FROM shop.customers WHERE mood <> 'sad';
CREATE VIEW shop.better WITH (security_barrier) AS SELECT * FROM shop.good WHERE name IS NOT NULL
    WITH LOCAL CHECK OPTION;
CREATE VIEW shop.best AS SELECT b.*, shop.double(2) AS four FROM shop.better b;
CREATE RECURSIVE VIEW shop.chain (id, depth) AS
    SELECT id, 0 FROM shop.customers WHERE referrer IS NULL
    UNION ALL SELECT c.id, depth + 1 FROM shop.customers c JOIN chain ON c.referrer = chain.id;
-- Groups by its key: the view needs the primary key, which is restored late.
CREATE VIEW shop.per_customer AS
    SELECT c.id, c.name, count(o.id) AS orders
    FROM shop.customers c LEFT JOIN shop.orders o ON o.customer = c.id GROUP BY c.id;
CREATE VIEW shop.over_per_customer AS SELECT max(orders) FROM shop.per_customer;
COMMENT ON VIEW shop.good IS E'good\n\\.';
COMMENT ON COLUMN shop.good.name IS 'their name';
ALTER VIEW shop.good ALTER COLUMN name SET DEFAULT 'nobody';
CREATE RULE hush AS ON DELETE TO shop.good DO INSTEAD NOTHING;
CREATE RULE keep AS ON INSERT TO shop.empty WHERE NEW.id < 0 DO INSTEAD
    INSERT INTO shop.cache VALUES (NEW.id::text, NEW.t);
COMMENT ON RULE hush ON shop.good IS 'nothing is deleted';
CREATE FUNCTION shop.customer_of(o shop.orders) RETURNS bigint STABLE
    LANGUAGE sql BEGIN ATOMIC SELECT (o).customer; END;
CREATE FUNCTION shop.names() RETURNS SETOF text LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT name FROM shop.best ORDER BY id; END;
CREATE PROCEDURE shop.pay(order_id bigint, INOUT done boolean DEFAULT false) LANGUAGE sql
    BEGIN ATOMIC UPDATE shop.orders SET lines = lines WHERE id = order_id; SELECT true; END;
CREATE PROCEDURE shop.commit_inside() LANGUAGE plpgsql AS $$
BEGIN
    COMMIT;
END
$$;
COMMENT ON PROCEDURE shop.commit_inside() IS 'COMMIT;';

CREATE MATERIALIZED VIEW shop.sums AS
    SELECT customer, count(*) AS orders, sum(lines) AS lines FROM shop.orders GROUP BY customer;
CREATE UNIQUE INDEX sums_customer ON shop.sums (customer);
CREATE MATERIALIZED VIEW shop.sum_of_sums WITH (fillfactor = 80) AS
    SELECT sum(s.orders) AS orders, n FROM shop.sums s, shop.names() n GROUP BY n;
CREATE VIEW shop.view_on_sums AS SELECT * FROM shop.sum_of_sums;
CREATE MATERIALIZED VIEW shop.a_third AS SELECT count(*) FROM shop.view_on_sums;
CREATE MATERIALIZED VIEW shop.unpopulated AS SELECT id FROM shop.customers WITH NO DATA;
CREATE INDEX unpopulated_id ON shop.unpopulated (id);
COMMENT ON MATERIALIZED VIEW shop.sums IS E'COMMIT;\n\\.';
GRANT SELECT ON shop.sums TO "Prüfer ""x""";

-- Triggers
CREATE TRIGGER touch BEFORE INSERT OR UPDATE OF name, mood ON shop.customers
    FOR EACH ROW WHEN (NEW.name IS DISTINCT FROM '') EXECUTE FUNCTION shop.touch();
CREATE CONSTRAINT TRIGGER later AFTER INSERT OR UPDATE ON shop.orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shop.check_later();
CREATE TRIGGER asleep AFTER DELETE ON shop.orders REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION shop.check_later();
CREATE TRIGGER always AFTER TRUNCATE ON shop.orders EXECUTE FUNCTION shop.check_later();
CREATE TRIGGER on_parts AFTER INSERT ON parts.events
    FOR EACH ROW EXECUTE FUNCTION shop.check_later();
CREATE TRIGGER instead INSTEAD OF INSERT ON shop.best
    FOR EACH ROW EXECUTE FUNCTION shop.check_later();
ALTER TABLE shop.orders DISABLE TRIGGER asleep;
ALTER TABLE shop.orders ENABLE ALWAYS TRIGGER always;
ALTER TABLE parts.events_us DISABLE TRIGGER on_parts;
COMMENT ON TRIGGER later ON shop.orders IS 'at the end';

-- Row level security, not forced: the owner sees all.
CREATE TABLE shop.secrets (id integer PRIMARY KEY, reader name DEFAULT current_user, t text);
INSERT INTO shop.secrets SELECT n, 'reader', 'secret' FROM generate_series(1, 3) n;
ALTER TABLE shop.secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON shop.secrets FOR SELECT TO reader, storekeepers USING (reader = current_user);
CREATE POLICY "no ""writes""" ON shop.secrets AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (false);
COMMENT ON POLICY own ON shop.secrets IS 'one''s own';
GRANT SELECT ON shop.secrets TO storekeepers;

-- Text search
CREATE TEXT SEARCH DICTIONARY shop.words (template = pg_catalog.simple, accept = true);
CREATE TEXT SEARCH CONFIGURATION shop.search (parser = pg_catalog."default");
ALTER TEXT SEARCH CONFIGURATION shop.search ADD MAPPING FOR asciiword, word WITH shop.words, english_stem;
COMMENT ON TEXT SEARCH CONFIGURATION shop.search IS 'for names';
COMMENT ON TEXT SEARCH DICTIONARY shop.words IS 'all of them';
CREATE INDEX customers_search ON shop.customers
    USING gin (to_tsvector('shop.search'::regconfig, COALESCE(name, '')));

-- Large objects
SELECT lo_from_bytea(0, '\x0001fffe') AS small, lo_from_bytea(0, '') AS hollow,
       lo_from_bytea(0, decode(repeat('5c2e0a434f4d4d49543b0a', 20000), 'hex')) AS big,
       lo_from_bytea(0, 'of the group') AS theirs, lo_from_bytea(0, 'bare') AS bare \gset
COMMENT ON LARGE OBJECT :big IS E'a picture\nCOMMIT;\n\\.';
GRANT SELECT ON LARGE OBJECT :small TO reader;
GRANT SELECT, UPDATE ON LARGE OBJECT :big TO "Prüfer ""x""", PUBLIC;
ALTER LARGE OBJECT :theirs OWNER TO storekeepers;
UPDATE shop.customers SET picture = :big WHERE id = 100;

-- What groups own: a schema, a table in a schema of ours, a table in public
CREATE SCHEMA stock AUTHORIZATION storekeepers;
CREATE SCHEMA "night shift" AUTHORIZATION "night shift";
SET ROLE storekeepers;
CREATE TABLE stock.items (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, kind shop.mood);
INSERT INTO stock.items (name) VALUES ('bolt'), (E'nut\t\\'), (NULL);
CREATE VIEW stock.named AS SELECT * FROM stock.items WHERE name IS NOT NULL;
CREATE MATERIALIZED VIEW stock.counted AS SELECT count(*) FROM stock.items;
CREATE FUNCTION stock.one() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TABLE shop.shelves (id serial PRIMARY KEY, item integer REFERENCES stock.items, t text);
INSERT INTO shop.shelves (item) VALUES (1), (2);
CREATE TABLE public.theirs (id integer PRIMARY KEY, t text);
INSERT INTO public.theirs VALUES (1, E'\\.');
GRANT SELECT ON public.theirs TO reader, "night shift";
COMMENT ON TABLE stock.items IS 'of the group';
SET ROLE "night shift";
CREATE TABLE "night shift"."the list" (id integer PRIMARY KEY, stock integer);
INSERT INTO "night shift"."the list" VALUES (1, 1);
GRANT USAGE ON SCHEMA "night shift" TO reader;
RESET ROLE;
CREATE TABLE shop.wishes (item integer REFERENCES stock.items ON DELETE CASCADE, n integer);
INSERT INTO shop.wishes VALUES (1, 1);

-- Schema public
CREATE TABLE public.plain (id integer PRIMARY KEY, t text);
INSERT INTO public.plain VALUES (1, 'one'), (2, '');
CREATE FUNCTION public.count_plain() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM plain';
\if :v17
\else
-- Needs the session's search_path, which a refresh has only before version 17.
CREATE MATERIALIZED VIEW public.by_search_path AS SELECT count_plain() AS n;
\endif

CREATE PUBLICATION "some tables" FOR TABLE shop.customers, ONLY shop.orders WITH (publish = 'insert, update');
CREATE PUBLICATION nothing;
COMMENT ON PUBLICATION nothing IS 'yet';

\if :v15
CREATE PUBLICATION columns_and_rows FOR TABLE shop.secrets (id, t) WHERE (id > 1) WITH (publish = 'insert');
CREATE VIEW shop.of_the_invoker WITH (security_invoker = true) AS SELECT * FROM shop.secrets;
CREATE TABLE shop.one_null (n integer, UNIQUE NULLS NOT DISTINCT (n));
CREATE TABLE shop.pairs (a integer, b integer, PRIMARY KEY (a, b));
CREATE TABLE shop.set_columns (a integer, b integer, FOREIGN KEY (a, b) REFERENCES shop.pairs ON DELETE SET NULL (a));
\endif
\if :v17
CREATE TABLE parts.numbered (id bigint GENERATED ALWAYS AS IDENTITY, at date) PARTITION BY RANGE (at);
CREATE TABLE parts.numbered_all PARTITION OF parts.numbered DEFAULT;
INSERT INTO parts.numbered (at) VALUES ('2025-03-14'), (NULL);
\endif
\if :v18
CREATE TABLE shop.new_in_18 (
    a integer CONSTRAINT a_is_there NOT NULL,
    twice integer GENERATED ALWAYS AS (a * 2) VIRTUAL,
    b integer CONSTRAINT b_positive CHECK (b > 0) NOT ENFORCED,
    blocks int4range,
    during daterange,
    CONSTRAINT without_overlap PRIMARY KEY (blocks, during WITHOUT OVERLAPS)
);
ALTER TABLE shop.new_in_18 ADD CONSTRAINT b_is_there NOT NULL b NOT VALID;
INSERT INTO shop.new_in_18 VALUES (1, DEFAULT, -1, '[1,2)', '[2025-01-01,2026-01-01)');
\endif

-- A partitioned table whose schema is not dropped as a whole.
CREATE TABLE public.measured (at date NOT NULL, what integer) PARTITION BY RANGE (at);
CREATE TABLE public.measured_2025 PARTITION OF public.measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
INSERT INTO public.measured VALUES ('2025-05-05', 1);
