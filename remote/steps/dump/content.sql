-- Count and hash the rows of each table in the snapshot at hand: what count.sql does, and the contents. A sum over the rows,
-- as a table has no order, and so that one that is there twice counts twice. Against corruption, not against people.
\set hashed content=rows:
\o :run_dir/rows
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL TimeZone = 'UTC';
SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex';
SET LOCAL xmloption = 'content';
SET LOCAL lc_monetary = 'C';
-- Going back to it leaves the transaction usable where a table could not be hashed.
\set ON_ERROR_STOP off
SAVEPOINT before_count;
-- The columns by name, as a table that inherits may come back with another order of them. Each as its hash, where that
-- is of the value alone: an enum is hashed by a number that is another in each database, an array without its bounds,
-- citext by the locale. All else as the type itself writes it, by its own function: a cast to text may be anybody's.
-- Bytes, whatever the collation: hashes of ICU's change with its version. The outer hash, as the inner one is linear:
-- a sum of it alone would be the same if two rows had exchanged the values of a column.
SELECT format('SELECT %L || count(*) || %L || coalesce(sum(hashint8extended(hash_record_extended(ROW(%s), 0), 0)), 0) || %L FROM ONLY %I.%I t',
        'rows=', shown || E'\ncontent=rows:', columns, shown, nspname, relname),
    'ROLLBACK TO SAVEPOINT before_count'
FROM (SELECT n.nspname, c.relname, ' ' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown,
    (SELECT string_agg(CASE
            WHEN a.atttypid <> ALL ('{bool,"char",name,int2,int4,int8,oid,float4,float8,numeric,text,varchar,bpchar,bytea,date,time,timetz,timestamp,timestamptz,uuid,jsonb,inet,cidr,macaddr,macaddr8,pg_lsn}'::regtype[])
                THEN format('textin(%s(t.%I)) COLLATE "C"', y.typoutput, a.attname)
            WHEN a.attcollation <> 0 THEN format('t.%I COLLATE "C"', a.attname)
            ELSE format('t.%I', a.attname) END, ', ' ORDER BY a.attname)
        FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    :dumped
    ORDER BY 1, 2) tables
\gexec
\set ON_ERROR_STOP on
-- Large objects in pieces of a megabyte, as a whole one may not fit into a value.
WITH RECURSIVE piece AS (
    SELECT m.oid, 0::bigint AS number, p.* FROM pg_largeobject_metadata m CROSS JOIN LATERAL (
        SELECT length(bytes) AS length, hash_record_extended(ROW(m.oid, 0::bigint, bytes), 0) AS hash FROM lo_get(m.oid, 0, 1048576) AS bytes) p
    UNION ALL
    SELECT f.oid, f.number + 1, p.* FROM piece f CROSS JOIN LATERAL (
        SELECT length(bytes) AS length, hash_record_extended(ROW(f.oid, f.number + 1, bytes), 0) AS hash
        FROM lo_get(f.oid, (f.number + 1) * 1048576, 1048576) AS bytes) p
    WHERE f.length = 1048576)
SELECT 'content=large_objects:' || count(DISTINCT oid) || ':' || coalesce(sum(hashint8extended(hash, 0)), 0) || ' large objects' FROM piece;
\o
