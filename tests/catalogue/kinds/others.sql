-- @ publication | PUBLICATION | :n
CREATE TABLE r (n int PRIMARY KEY);
CREATE TABLE s (n int);
CREATE PUBLICATION :n FOR TABLE r, ONLY s WITH (publish = 'insert, update');
COMMENT ON PUBLICATION :n IS 'a publication';
-- @ change
ALTER PUBLICATION :n DROP TABLE s;
-- @ publication_of_nothing | PUBLICATION | :n
CREATE PUBLICATION :n;
-- @ publication_of_rows | PUBLICATION | :n | 15+
CREATE TABLE r (n int PRIMARY KEY, t text);
CREATE PUBLICATION :n FOR TABLE r (n) WHERE (n > 1) WITH (publish_via_partition_root);
-- @ server | SERVER | :n
CREATE SERVER :n TYPE 'a' VERSION '1' FOREIGN DATA WRAPPER wrapper OPTIONS (host 'elsewhere', port '1');
COMMENT ON SERVER :n IS 'far away';
GRANT USAGE ON FOREIGN SERVER :n TO reader;
-- @ user_mapping | USER MAPPING | FOR PUBLIC SERVER :n | no-rename, no-owner
CREATE SERVER :n FOREIGN DATA WRAPPER wrapper;
CREATE USER MAPPING FOR PUBLIC SERVER :n OPTIONS (user 'x', password 'not a secret');
-- @ foreign_table | FOREIGN TABLE | r
CREATE SERVER :n FOREIGN DATA WRAPPER wrapper;
CREATE FOREIGN TABLE r (id int NOT NULL, t text OPTIONS (column_name 'T') DEFAULT 'x', CHECK (id > 0)) SERVER :n OPTIONS (a 'b');
COMMENT ON FOREIGN TABLE r IS 'far';
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER t BEFORE INSERT ON r FOR EACH ROW EXECUTE FUNCTION f();
-- @ use
CREATE VIEW on_it AS SELECT * FROM :s.r;
-- @ foreign_partition | FOREIGN TABLE | part
CREATE SERVER :n FOREIGN DATA WRAPPER wrapper;
CREATE TABLE r (k int) PARTITION BY LIST (k);
CREATE FOREIGN TABLE part PARTITION OF r FOR VALUES IN (1) SERVER :n;
-- @ schema | SCHEMA | :n
CREATE SCHEMA :n;
COMMENT ON SCHEMA :n IS 'another';
GRANT USAGE, CREATE ON SCHEMA :n TO reader;
CREATE TABLE :n.inside AS SELECT 1 AS n;
-- @ extension | EXTENSION | hstore | no-rename, no-owner, once
CREATE EXTENSION hstore;
CREATE TABLE r (h hstore);
-- @ default_privileges | SCHEMA | :n
CREATE SCHEMA :n;
ALTER DEFAULT PRIVILEGES IN SCHEMA :n GRANT SELECT ON TABLES TO reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA :n GRANT EXECUTE ON FUNCTIONS TO reader WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
-- @ large_object | LARGE OBJECT | 4711 | no-rename, once
SELECT lo_from_bytea(4711, E':name\n..gset') \g /dev/null
COMMENT ON LARGE OBJECT 4711 IS 'large';
GRANT SELECT ON LARGE OBJECT 4711 TO reader;
-- @ change
SELECT lo_put(4711, 0, 'overwritten') \g /dev/null
-- @ language | LANGUAGE | :n | superuser, refused
CREATE FUNCTION call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE LANGUAGE :n HANDLER call;
-- @ publication_of_all | PUBLICATION | :n | superuser, refused
CREATE PUBLICATION :n FOR ALL TABLES;
-- @ event_trigger | EVENT TRIGGER | :n | superuser, refused, no-owner
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER :n ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION f();
ALTER EVENT TRIGGER :n DISABLE;
