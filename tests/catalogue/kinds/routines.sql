-- @ f_no_arguments | FUNCTION | f()
CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
-- @ use
CREATE VIEW on_it AS SELECT :s.f() AS n;
-- @ f_defaults | FUNCTION | f(int, text)
CREATE FUNCTION f(a int, b text DEFAULT 'x') RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 3 AS 'SELECT a';
COMMENT ON FUNCTION f(int, text) IS 'with a default';
GRANT EXECUTE ON FUNCTION f(int, text) TO reader;
-- @ use
CREATE TABLE on_it (n int DEFAULT :s.f(1));
-- @ f_out | FUNCTION | f(int)
CREATE FUNCTION f(a int, OUT b int, OUT c text) LANGUAGE sql AS $$ SELECT a, 'x' $$;
-- @ f_inout | FUNCTION | f(int)
CREATE FUNCTION f(INOUT a int) LANGUAGE sql AS 'SELECT a';
-- @ f_variadic | FUNCTION | f(VARIADIC int[])
CREATE FUNCTION f(VARIADIC a int[] DEFAULT '{}') RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT cardinality(a)';
-- @ use
CREATE TABLE on_it (n int CHECK (:s.f(n) > 0));
-- @ f_table | FUNCTION | f(int)
CREATE FUNCTION f(a int) RETURNS TABLE (n int, t text) LANGUAGE sql ROWS 3 AS $$ SELECT a, 'x' $$;
-- @ f_setof | FUNCTION | f(text[])
CREATE FUNCTION f(text[]) RETURNS SETOF text LANGUAGE sql AS 'SELECT unnest($1)';
-- @ f_polymorphic | FUNCTION | f(anyelement, anyarray)
CREATE FUNCTION f(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
-- @ f_multirange | FUNCTION | f(anymultirange)
CREATE FUNCTION f(anymultirange) RETURNS anyrange LANGUAGE sql AS 'SELECT range_merge($1)';
-- @ f_overloads | FUNCTION | f(int)
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION f(int, int) RETURNS int LANGUAGE sql AS 'SELECT 3';
-- @ f_definer | FUNCTION | f("char", timestamp with time zone, character varying, bit varying)
CREATE FUNCTION f("char", timestamptz, varchar, varbit) RETURNS int LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp SET work_mem = '8MB' SET "DateStyle" = 'ISO, DMY' AS 'BEGIN RETURN 1; END';
-- @ f_atomic | FUNCTION | f(int)
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT a; SELECT a + 1; END;
-- @ f_of_its_own_types | FUNCTION | f(kind, kind[])
CREATE TYPE kind AS ENUM ('a');
CREATE FUNCTION f(kind, kind[] DEFAULT '{a}') RETURNS SETOF kind LANGUAGE sql AS 'SELECT $1';
-- @ f_of_a_table | FUNCTION | f(r, r[])
CREATE TABLE r (n int);
CREATE FUNCTION f(r, r[]) RETURNS SETOF r LANGUAGE sql AS 'SELECT $1';
-- @ f_trigger | FUNCTION | f()
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- @ use
CREATE TABLE on_it (n int);
CREATE TRIGGER t BEFORE INSERT ON on_it FOR EACH ROW EXECUTE FUNCTION :s.f();
-- @ f_event_trigger | FUNCTION | f()
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- @ f_psql_words | FUNCTION | f(int)
CREATE FUNCTION f(a int) RETURNS text LANGUAGE sql AS $$
SELECT ':name' || :'x' || ':"y"' \gset
\q
\! touch /tmp/never
\.
:nn :'db_name' :{?x} \\ \gexec
$$;
COMMENT ON FUNCTION f(int) IS E':name :''x'' \\gset\n\\q\n\\.\n\\connect nowhere\n:{?name} \\x';
-- @ p_no_arguments | PROCEDURE | f()
CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT 1';
-- @ p_out | PROCEDURE | f(int, OUT text)
CREATE PROCEDURE f(a int, OUT b text) LANGUAGE plpgsql AS $$ BEGIN b := 'x'; END $$;
COMMENT ON PROCEDURE f(int, OUT text) IS 'with OUT';
GRANT EXECUTE ON PROCEDURE f(int, OUT text) TO reader;
-- @ p_out_first | PROCEDURE | f(OUT int, IN int)
CREATE PROCEDURE f(OUT b int, IN a int) LANGUAGE plpgsql AS 'BEGIN b := a; END';
-- @ p_inout | PROCEDURE | f(INOUT int)
CREATE PROCEDURE f(INOUT a int DEFAULT 3) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
-- @ p_variadic | PROCEDURE | f(int, VARIADIC text[])
CREATE PROCEDURE f(a int, VARIADIC b text[]) LANGUAGE plpgsql AS 'BEGIN COMMIT; END';
-- @ p_atomic | PROCEDURE | f()
CREATE TABLE r (n int);
CREATE PROCEDURE f() LANGUAGE sql BEGIN ATOMIC INSERT INTO r VALUES (1); DELETE FROM r; END;
-- @ a_star | AGGREGATE | f(*)
CREATE AGGREGATE f(*) (sfunc = int8inc, stype = bigint, initcond = '0');
COMMENT ON AGGREGATE f(*) IS 'counts';
GRANT EXECUTE ON FUNCTION f() TO reader;
-- @ use
CREATE VIEW on_it AS SELECT :s.f(*) AS n;
-- @ a_plain | AGGREGATE | f(int)
CREATE AGGREGATE f(int) (sfunc = int4pl, stype = int, initcond = '0', combinefunc = int4pl, parallel = safe);
-- @ use
CREATE MATERIALIZED VIEW on_it AS SELECT :s.f(1) AS n;
-- @ a_two | AGGREGATE | f(float8, float8)
CREATE FUNCTION two(s float8, a float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT s + a * b';
CREATE AGGREGATE f(float8, float8) (sfunc = two, stype = float8, initcond = '0');
-- @ a_own_parts | AGGREGATE | f(text)
CREATE FUNCTION step(s text[], t text) RETURNS text[] LANGUAGE sql IMMUTABLE AS 'SELECT s || t';
CREATE FUNCTION last(s text[]) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT s[1]';
CREATE AGGREGATE f(text) (sfunc = step, stype = text[], finalfunc = last, initcond = '{}', finalfunc_modify = shareable);
-- @ a_moving | AGGREGATE | f(int)
CREATE AGGREGATE f(int) (sfunc = int4pl, stype = int, initcond = '0', msfunc = int4pl, minvfunc = int4mi, mstype = int, minitcond = '0');
-- @ a_sortop | AGGREGATE | f(int)
CREATE AGGREGATE f(int) (sfunc = int4smaller, stype = int, sortop = OPERATOR(pg_catalog.<));
-- @ a_variadic | AGGREGATE | f(int, VARIADIC text[])
CREATE FUNCTION step(s int, a int, VARIADIC b text[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT s + a';
CREATE AGGREGATE f(int, VARIADIC text[]) (sfunc = step, stype = int, initcond = '0');
-- @ a_ordered_set | AGGREGATE | f(float8 ORDER BY float8)
CREATE FUNCTION step(s float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT s + b';
CREATE FUNCTION last(s float8, a float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT s + a';
CREATE AGGREGATE f(float8 ORDER BY float8) (sfunc = step, stype = float8, finalfunc = last, initcond = '0');
COMMENT ON AGGREGATE f(float8 ORDER BY float8) IS 'ordered';
-- @ a_ordered_set_alone | AGGREGATE | f(ORDER BY float8)
CREATE FUNCTION step(s float8, b float8) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT s + b';
CREATE AGGREGATE f(ORDER BY float8) (sfunc = step, stype = float8, initcond = '0');
-- @ a_hypothetical | AGGREGATE | f(int ORDER BY int)
CREATE FUNCTION step(s int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT s + b';
CREATE FUNCTION last(s int, a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT s';
CREATE AGGREGATE f(int ORDER BY int) (sfunc = step, stype = int, finalfunc = last, finalfunc_extra, initcond = '0', hypothetical);
-- @ o_binary | OPERATOR | === (int, text)
CREATE FUNCTION same(int, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2';
CREATE OPERATOR === (leftarg = int, rightarg = text, function = same, restrict = eqsel, join = eqjoinsel);
COMMENT ON OPERATOR === (int, text) IS 'same';
-- @ use
CREATE VIEW on_it AS SELECT 1 OPERATOR(:s.===) '1'::text AS same;
-- @ o_prefix | OPERATOR | !== (NONE, text)
CREATE FUNCTION odd(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE OPERATOR !== (rightarg = text, function = odd);
COMMENT ON OPERATOR !== (NONE, text) IS 'odd';
-- @ use
CREATE VIEW on_it AS SELECT OPERATOR(:s.!==) 'a'::text AS odd;
-- @ o_pair | OPERATOR | =~= (box, box)
CREATE FUNCTION near(box, box) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR =~= (leftarg = box, rightarg = box, function = near, commutator = =~=, negator = <~>);
CREATE OPERATOR <~> (leftarg = box, rightarg = box, function = near, commutator = <~>, negator = =~=);
-- @ cast_own_function | CAST | (kind AS int) | no-name
CREATE TYPE kind AS ENUM ('a');
CREATE FUNCTION as_int(kind) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE CAST (kind AS int) WITH FUNCTION as_int(kind) AS ASSIGNMENT;
COMMENT ON CAST (kind AS int) IS 'a cast';
-- @ cast_inout | CAST | (text AS kind) | no-name
CREATE TYPE kind AS ENUM ('a');
CREATE CAST (text AS kind) WITH INOUT AS IMPLICIT;
-- @ cast_domain | CAST | (kind AS text) | no-name
CREATE DOMAIN kind AS int;
CREATE FUNCTION as_text(kind) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE CAST (kind AS text) WITH FUNCTION as_text(kind);
-- @ cast_composite | CAST | (kind AS text) | no-name
CREATE TYPE kind AS (n int);
CREATE FUNCTION as_text(kind) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'x' $$;
CREATE CAST (kind AS text) WITH FUNCTION as_text(kind) AS IMPLICIT;
-- @ language_function | FUNCTION | f() | superuser, refused
CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'pg_backend_pid';
-- @ window_function | FUNCTION | f() | superuser, refused
CREATE FUNCTION f() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
-- @ leakproof_function | FUNCTION | f() | superuser, refused
CREATE FUNCTION f() RETURNS int LANGUAGE sql LEAKPROOF AS 'SELECT 1';
-- @ leakproof_procedure | FUNCTION | f(int, OUT text) | superuser, refused
CREATE FUNCTION f(int, OUT text) LANGUAGE plpgsql LEAKPROOF AS 'BEGIN END';
-- @ setting_function | FUNCTION | f() | superuser, refused
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET log_statement = 'none' AS 'SELECT 1';
-- @ placeholder_function | FUNCTION | f() | superuser, refused
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET app.x = '1' AS 'SELECT 1';
-- @ support_function | FUNCTION | f(text, text) | superuser, refused
CREATE FUNCTION f(text, text) RETURNS boolean LANGUAGE sql SUPPORT textlike_support AS 'SELECT true';
-- @ internal_aggregate | AGGREGATE | f(bigint) | superuser, refused
CREATE AGGREGATE f(bigint) (sfunc = int8_avg_accum, stype = internal, finalfunc = numeric_poly_avg);
-- @ hypothetical_of_any | AGGREGATE | f(VARIADIC "any" ORDER BY VARIADIC "any") | superuser, refused
CREATE AGGREGATE f(VARIADIC "any" ORDER BY VARIADIC "any") (sfunc = ordered_set_transition_multi, stype = internal,
    finalfunc = rank_final, finalfunc_extra, hypothetical);
