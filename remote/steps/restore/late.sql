-- Whose rows are to go in last, and in which order: tables that have checks, generated columns or types whose functions name other
-- tables, after those tables, which are told as `needed=`. In the transaction of a restore, once the definitions are there and before the rows.
SET LOCAL client_encoding = :'archive_encoding';
\set toc `cat "$RUN_DIR/toc"`
\o :run_dir/late
WITH RECURSIVE typed(relid, typid) AS ( -- the types of each table's columns, and what these are made of
    SELECT a.attrelid, a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid >= 16384
    UNION
    SELECT t.relid, part
    FROM typed t JOIN pg_type y ON y.oid = t.typid CROSS JOIN LATERAL (
        SELECT unnest(ARRAY[y.typbasetype, y.typelem]) UNION ALL
        SELECT atttypid FROM pg_attribute WHERE attrelid = y.typrelid AND attnum > 0) p(part)
    WHERE part >= 16384),
calls(relid, classid, objid) AS ( -- what each table calls, and what that calls or names
    SELECT * FROM (
        SELECT n.conrelid, d.refclassid, d.refobjid FROM pg_constraint n JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = n.oid
        WHERE n.contype = 'c'
        UNION
        SELECT t.relid, d.refclassid, d.refobjid FROM typed t JOIN pg_constraint n ON n.contypid = t.typid
            JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = n.oid
        UNION
        SELECT a.adrelid, d.refclassid, d.refobjid FROM pg_attrdef a JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = a.oid
        ) direct(relid, classid, objid)
    WHERE classid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND objid >= 16384
    UNION
    SELECT c.relid, next.classid, next.objid
    FROM calls c CROSS JOIN LATERAL (
        SELECT 'pg_proc'::regclass::oid, oprcode::oid FROM pg_operator WHERE c.classid = 'pg_operator'::regclass AND oid = c.objid
        UNION ALL
        SELECT d.refclassid, d.refobjid FROM pg_depend d
        WHERE c.classid = 'pg_proc'::regclass AND d.classid = c.classid AND d.objid = c.objid
            AND d.refclassid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass)
        UNION ALL
        SELECT d.refclassid, d.refobjid FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE c.classid = 'pg_class'::regclass AND r.ev_class = c.objid AND d.refclassid IN ('pg_proc'::regclass, 'pg_class'::regclass)
        UNION ALL
        SELECT o.classid, o.objid
        FROM pg_proc p JOIN named o ON p.prosrc ~* ('\m' || regexp_replace(o.name, '([^[:alnum:]_])', '\\\1', 'g') || '\M')
        WHERE c.classid = 'pg_proc'::regclass AND p.oid = c.objid AND p.prolang <> 12 AND p.prolang <> 13 -- not internal, not c
        ) next(classid, objid)
    WHERE next.objid >= 16384),
named(classid, objid, name) AS (
    SELECT 'pg_proc'::regclass::oid, p.oid, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
needs(relid, other) AS ( -- a table is there once all of its partitions are
    SELECT DISTINCT c.relid, part.relid FROM calls c JOIN pg_class r ON c.classid = 'pg_class'::regclass AND r.oid = c.objid
        CROSS JOIN LATERAL (SELECT r.oid UNION SELECT t.relid FROM pg_partition_tree(r.oid) t) part(relid)
    WHERE part.relid <> c.relid),
depth(relid, n) AS (
    SELECT DISTINCT relid, 0 FROM calls
    UNION
    SELECT needs.relid, depth.n + 1 FROM depth JOIN needs ON needs.other = depth.relid
    WHERE depth.n < (SELECT count(DISTINCT relid) FROM calls))
SELECT word || m[1]
FROM (SELECT '' AS word, relid, max(n) AS n FROM depth GROUP BY relid UNION ALL SELECT DISTINCT 'needed=', other, -1 FROM needs) d JOIN pg_class c ON c.oid = d.relid JOIN pg_namespace s ON s.oid = c.relnamespace,
    string_to_table(:'toc', E'\n') WITH ORDINALITY AS t(line, position), regexp_match(line, '^(\d+); 0 \d+ TABLE DATA (.*)$') AS m
WHERE m IS NOT NULL AND starts_with(m[2], translate(format('%s %s ', s.nspname, c.relname), E'\n\r', '  '))
ORDER BY n, position;
\o
RESET client_encoding;
