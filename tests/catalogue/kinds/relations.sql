-- @ table | TABLE | r
CREATE TABLE r (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 10) PRIMARY KEY,
    number serial NOT NULL UNIQUE,
    name text COLLATE "C" DEFAULT E'no\tname\\' CONSTRAINT short CHECK (length(name) < 1000),
    length int GENERATED ALWAYS AS (length(name)) STORED,
    parent bigint CONSTRAINT of_itself REFERENCES r DEFERRABLE INITIALLY DEFERRED,
    during int4range,
    gone int,
    EXCLUDE USING gist (during WITH &&) WHERE (during IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE r DROP COLUMN gone;
ALTER TABLE r ALTER COLUMN name SET STATISTICS 500, ALTER COLUMN name SET STORAGE EXTERNAL,
    ALTER COLUMN name SET (n_distinct = -0.5), ALTER COLUMN name SET COMPRESSION pglz;
COMMENT ON TABLE r IS E':name \\gset\n\\.\na table';
COMMENT ON COLUMN r.name IS 'a column';
COMMENT ON CONSTRAINT short ON r IS 'a check';
GRANT SELECT ON r TO reader WITH GRANT OPTION;
GRANT UPDATE (name), REFERENCES (id) ON r TO reader;
INSERT INTO r (name, during) VALUES (E'\\.', '[1,2)'), (E':name\t\\\\gset\n\\q', NULL), (NULL, '[5,)');
-- @ use
CREATE TABLE on_it (r bigint CONSTRAINT to_it REFERENCES :s.r);
-- @ change
ALTER TABLE r DROP COLUMN length, ADD COLUMN late int DEFAULT 7;
UPDATE r SET name = 'changed';
-- @ table_empty | TABLE | r
CREATE TABLE r ();
-- @ table_unlogged | TABLE | r
CREATE UNLOGGED TABLE r (n serial);
INSERT INTO r DEFAULT VALUES;
-- @ change
ALTER TABLE r SET LOGGED;
-- @ table_typed | TABLE | r
CREATE TYPE kind AS (n int, t text);
CREATE TABLE r OF kind (PRIMARY KEY (n), t WITH OPTIONS DEFAULT 'x');
INSERT INTO r VALUES (1);
-- @ change
ALTER TABLE r NOT OF;
-- @ table_inherits | TABLE | r
CREATE TABLE first (a int CHECK (a > 0), b int);
CREATE TABLE second (c int NOT NULL, CHECK (c > 0) NO INHERIT);
CREATE TABLE r (own text DEFAULT 'x', a int DEFAULT 5) INHERITS (first, second);
INSERT INTO r (c) VALUES (1);
-- @ change
ALTER TABLE r NO INHERIT first;
-- @ table_parted | TABLE | r
CREATE TABLE r (at date NOT NULL, k int, v text, PRIMARY KEY (at, k)) PARTITION BY RANGE (at);
CREATE TABLE r_2024 PARTITION OF r FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE r_2025 PARTITION OF r FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY HASH (k);
CREATE TABLE r_2025_0 PARTITION OF r_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE r_2025_1 (v text, k int NOT NULL, at date NOT NULL);
ALTER TABLE r_2025 ATTACH PARTITION r_2025_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE r_other PARTITION OF r DEFAULT;
CREATE INDEX r_v ON r (v);
CREATE INDEX r_only ON ONLY r (k);
INSERT INTO r SELECT '2024-06-01'::date + n * 30, n, 'v' FROM generate_series(1, 30) n;
-- @ use
CREATE TABLE on_it (at date, k int, FOREIGN KEY (at, k) REFERENCES :s.r);
-- @ change
ALTER TABLE r DETACH PARTITION r_2024;
DROP TABLE r_2025_0;
-- @ table_parted_by_list | TABLE | r
CREATE TABLE r (k text) PARTITION BY LIST (lower(k));
CREATE TABLE r_a PARTITION OF r (CHECK (k <> '')) FOR VALUES IN ('a', NULL);
INSERT INTO r VALUES ('A'), (NULL);
-- @ partition | TABLE | part
CREATE TABLE r (k int, v text) PARTITION BY LIST (k);
CREATE TABLE part PARTITION OF r FOR VALUES IN (1);
INSERT INTO r VALUES (1);
-- @ table_of_keys | TABLE | r
CREATE TABLE one (a int, b int, UNIQUE (a, b) DEFERRABLE);
CREATE UNIQUE INDEX one_b_a ON one (b, a);
CREATE TABLE r (a int, b int, x int,
    FOREIGN KEY (b, a) REFERENCES one (b, a) MATCH FULL ON DELETE SET NULL ON UPDATE CASCADE);
ALTER TABLE r ADD CONSTRAINT late CHECK (x > 0) NOT VALID, ADD CONSTRAINT key_late FOREIGN KEY (a, b) REFERENCES one (b, a) NOT VALID;
COMMENT ON CONSTRAINT late ON r IS 'not valid';
-- @ table_of_circles | TABLE | r
CREATE TABLE r (id int PRIMARY KEY, other int);
CREATE TABLE other (id int PRIMARY KEY, r int REFERENCES r);
ALTER TABLE r ADD FOREIGN KEY (other) REFERENCES other;
INSERT INTO r VALUES (1);
INSERT INTO other VALUES (2, 1);
UPDATE r SET other = 2;
-- @ table_clustered | TABLE | r
CREATE TABLE r (n int NOT NULL, m int NOT NULL);
CREATE UNIQUE INDEX r_n ON r (n);
CREATE INDEX r_m ON r (m);
ALTER TABLE r CLUSTER ON r_m;
-- @ change
ALTER TABLE r SET WITHOUT CLUSTER;
-- @ table_replica_index | TABLE | r
CREATE TABLE r (n int NOT NULL, m int NOT NULL);
CREATE UNIQUE INDEX r_n ON r (n);
ALTER TABLE r REPLICA IDENTITY USING INDEX r_n;
-- @ change
ALTER TABLE r REPLICA IDENTITY FULL;
-- @ table_replica_nothing | TABLE | r
CREATE TABLE r (n int);
ALTER TABLE r REPLICA IDENTITY NOTHING;
-- @ table_secured | TABLE | r
CREATE TABLE r (n int, who name DEFAULT CURRENT_USER);
ALTER TABLE r ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON r AS RESTRICTIVE FOR SELECT TO reader, CURRENT_USER USING (who = CURRENT_USER);
CREATE POLICY anybody ON r FOR INSERT WITH CHECK (n > 0);
COMMENT ON POLICY mine ON r IS 'a policy';
-- @ change
DROP POLICY mine ON r;
-- @ table_secured_forced | TABLE | r | superuser
CREATE TABLE r (n int);
ALTER TABLE r ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- @ change
ALTER TABLE r NO FORCE ROW LEVEL SECURITY;
-- @ table_rules | TABLE | r
CREATE TABLE r (n int);
CREATE TABLE log (n int);
CREATE RULE also AS ON INSERT TO r DO ALSO INSERT INTO log VALUES (NEW.n);
CREATE RULE instead AS ON DELETE TO r WHERE OLD.n > 5 DO INSTEAD (INSERT INTO log VALUES (1); UPDATE log SET n = 2);
ALTER TABLE r DISABLE RULE also;
COMMENT ON RULE also ON r IS 'a rule';
-- @ change
DROP RULE instead ON r;
-- @ table_triggers | TABLE | r
CREATE TABLE r (n int, t text);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER rows BEFORE UPDATE OF n ON r FOR EACH ROW WHEN (OLD.n IS DISTINCT FROM NEW.n) EXECUTE FUNCTION f('a', 'b');
CREATE TRIGGER tables AFTER UPDATE ON r REFERENCING OLD TABLE AS was NEW TABLE AS is_now FOR EACH STATEMENT EXECUTE FUNCTION f();
CREATE TRIGGER emptied BEFORE TRUNCATE ON r EXECUTE FUNCTION f();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON r DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE r DISABLE TRIGGER rows;
ALTER TABLE r ENABLE ALWAYS TRIGGER tables;
COMMENT ON TRIGGER rows ON r IS 'a trigger';
-- @ change
DROP TRIGGER later ON r;
ALTER TABLE r ENABLE REPLICA TRIGGER rows;
-- @ table_in_18 | TABLE | r | 18+
CREATE TABLE r (
    a int CONSTRAINT a_is_there NOT NULL NO INHERIT,
    twice int GENERATED ALWAYS AS (a * 2) VIRTUAL,
    b int CONSTRAINT b_positive CHECK (b > 0) NOT ENFORCED,
    k int4range, during daterange,
    CONSTRAINT apart PRIMARY KEY (k, during WITHOUT OVERLAPS)
);
CREATE TABLE child (k int4range, during daterange, FOREIGN KEY (k, PERIOD during) REFERENCES r (k, PERIOD during));
CREATE TABLE loose (n int PRIMARY KEY, m int REFERENCES loose NOT ENFORCED);
ALTER TABLE r ADD CONSTRAINT b_is_there NOT NULL b NOT VALID;
-- @ table_in_15 | TABLE | r | 15+
CREATE TABLE r (a int, b int, UNIQUE NULLS NOT DISTINCT (a));
CREATE TABLE pairs (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE child (a int, b int, FOREIGN KEY (a, b) REFERENCES pairs ON DELETE SET NULL (a));
-- @ column_of_own_function | TABLE | r
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE TABLE r (n int DEFAULT :s.f(2), m int GENERATED ALWAYS AS (:s.f(n)) STORED, CHECK (:s.f(n) > 0));
CREATE INDEX r_f ON r (:s.f(n)) INCLUDE (m) WHERE :s.f(n) > 3;
INSERT INTO r VALUES (1);
-- @ index | INDEX | i
CREATE TABLE r (n int, t text);
CREATE UNIQUE INDEX i ON r USING btree (n DESC NULLS LAST, lower(t) COLLATE "C" text_pattern_ops) INCLUDE (t) WITH (fillfactor = 50) WHERE n > 0;
ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 99;
COMMENT ON INDEX i IS 'an index';
CREATE INDEX i_brin ON r USING brin (n) WITH (pages_per_range = 4);
-- @ view | VIEW | v
CREATE TABLE r (n int);
CREATE VIEW v (m) WITH (security_barrier) AS SELECT n FROM r WHERE n > 0 WITH LOCAL CHECK OPTION;
ALTER VIEW v ALTER COLUMN m SET DEFAULT 5;
COMMENT ON VIEW v IS 'a view';
COMMENT ON COLUMN v.m IS 'its column';
GRANT SELECT (m) ON v TO reader;
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER t INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION f();
-- @ use
CREATE VIEW on_it AS SELECT * FROM :s.v;
-- @ change
CREATE OR REPLACE VIEW v AS SELECT n AS m, 1 AS late FROM r;
-- @ view_recursive | VIEW | v
CREATE RECURSIVE VIEW v (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM v WHERE n < 5;
-- @ view_circle | VIEW | v
CREATE VIEW v AS SELECT 1 AS n;
CREATE VIEW w AS SELECT n FROM v;
CREATE OR REPLACE VIEW v AS SELECT 1 AS n FROM w;
-- @ view_by_key | VIEW | v
CREATE TABLE r (id int PRIMARY KEY, t text);
CREATE VIEW v AS SELECT id, t, count(*) FROM r GROUP BY id;
CREATE MATERIALIZED VIEW of_it AS SELECT * FROM v;
-- @ view_invoker | VIEW | v | 15+
CREATE VIEW v WITH (security_invoker = true) AS SELECT 1 AS n;
-- @ matview | MATERIALIZED VIEW | m
CREATE TABLE r AS SELECT generate_series(1, 5) AS n;
CREATE MATERIALIZED VIEW m WITH (fillfactor = 60) AS SELECT n FROM r;
CREATE UNIQUE INDEX m_n ON m (n);
ALTER MATERIALIZED VIEW m CLUSTER ON m_n, ALTER COLUMN n SET STATISTICS 7;
COMMENT ON MATERIALIZED VIEW m IS 'a materialized view';
GRANT SELECT ON m TO reader;
-- @ use
CREATE MATERIALIZED VIEW on_it AS SELECT * FROM :s.m;
-- @ matview_empty | MATERIALIZED VIEW | m
CREATE MATERIALIZED VIEW m AS SELECT 1 AS n WITH NO DATA;
-- @ sequence | SEQUENCE | q
CREATE SEQUENCE q AS smallint INCREMENT -3 MINVALUE -900 MAXVALUE 100 START 9 CACHE 4 CYCLE;
SELECT nextval('q') \g /dev/null
COMMENT ON SEQUENCE q IS 'a sequence';
GRANT USAGE ON SEQUENCE q TO reader;
-- @ use
CREATE TABLE on_it (n int DEFAULT nextval(':s.q'));
-- @ change
ALTER SEQUENCE q RESTART WITH 50 NO CYCLE;
-- @ sequence_unlogged | SEQUENCE | q | 15+
CREATE UNLOGGED SEQUENCE q;
-- @ sequence_owned | SEQUENCE | q | no-schema, no-owner
CREATE TABLE r (n int);
CREATE SEQUENCE q OWNED BY r.n;
ALTER TABLE r ALTER COLUMN n SET DEFAULT nextval('q');
-- @ sequence_of_identity | SEQUENCE | q | no-schema, no-owner, no-drop
CREATE TABLE r (n int GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME :s.q MINVALUE 5));
INSERT INTO r DEFAULT VALUES;
-- @ statistics | STATISTICS | st
CREATE TABLE r (a int, b int, c text);
CREATE STATISTICS st (ndistinct, dependencies) ON a, b FROM r;
CREATE STATISTICS of_expressions ON lower(c), (a + b) FROM r;
CREATE STATISTICS of_one ON (a % 10) FROM r;
ALTER STATISTICS st SET STATISTICS 77;
COMMENT ON STATISTICS st IS 'a statistics object';
-- @ trigger | TRIGGER | t ON r | no-schema, no-owner
CREATE TABLE r (n int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f();
-- @ policy | POLICY | p ON r | no-schema, no-owner
CREATE TABLE r (n int);
CREATE POLICY p ON r TO reader USING (n > (SELECT 0));
-- @ rule | RULE | u ON r | no-schema, no-owner
CREATE TABLE r (n int);
CREATE RULE u AS ON UPDATE TO r DO INSTEAD NOTHING;
