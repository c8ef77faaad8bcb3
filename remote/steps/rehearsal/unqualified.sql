-- Which functions that a replay runs name something without its schema? A replay has no search path, so they would not find it. Those are
-- the functions behind CHECK constraints, domains, generated columns and indexes. Nothing is run: their texts are read.
-- Prints unqualified= lines. Follows rehearse.sql, in its transaction.
WITH RECURSIVE behind AS MATERIALIZED (
    SELECT d.classid, d.objid, d.objsubid, coalesce(o.oprcode::oid, d.refobjid) AS fn
    FROM pg_depend d LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND (
        d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE contype = 'c')
        OR d.classid = 'pg_class'::regclass AND d.objid IN (SELECT indexrelid FROM pg_index)
        -- Up to 14, a generated column depends itself on its function; from 15 on, its expression does.
        OR d.classid = 'pg_class'::regclass AND (d.objid, d.objsubid) IN (SELECT attrelid, attnum FROM pg_attribute WHERE attgenerated = 's')
        OR d.classid = 'pg_attrdef'::regclass AND d.objid IN (
            SELECT f.oid FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum WHERE a.attgenerated = 's'))),
written AS MATERIALIZED (
    SELECT p.oid, p.proname, EXISTS (SELECT FROM unnest(p.proconfig) AS item WHERE item ~ '^search.path=') AS has_path,
        regexp_replace(regexp_replace(regexp_replace(lower(p.prosrc), '''[^'']*''', ' ', 'g'), '--[^\n]*', ' ', 'g'), '/[*].*?[*]/', ' ', 'g') AS body
    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
    WHERE p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND l.lanname IN ('sql', 'plpgsql')
        AND p.prosqlbody IS NULL),
-- What a body calls: with a schema before it, or without.
reached AS (
    SELECT classid, objid, objsubid, fn FROM behind
    UNION
    SELECT r.classid, r.objid, r.objsubid, w.oid
    FROM reached r JOIN written f ON f.oid = r.fn CROSS JOIN LATERAL regexp_matches(f.body, '\m([a-z_][a-z0-9_$]*)\s*[(]', 'g') AS m
        JOIN written w ON w.proname = m[1]),
bare AS (
    SELECT DISTINCT f.oid AS fn, name
    FROM written f CROSS JOIN LATERAL (
        SELECT m[1] || '()' AS name FROM regexp_matches(f.body, '(?<![.a-z0-9_$"])([a-z_][a-z0-9_$]*)\s*[(]', 'g') AS m
        WHERE m[1] IN (SELECT proname FROM pg_proc WHERE pronamespace <> 'pg_catalog'::regnamespace EXCEPT SELECT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace)
        UNION ALL
        SELECT m[1] FROM regexp_matches(f.body, '\m(?:from|join|into|update|only)\s+([a-z_][a-z0-9_$]*)(?![a-z0-9_$.(])', 'g') AS m
        WHERE m[1] IN (SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p', 'f')
            AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) AND relnamespace::regnamespace::text !~ '^pg_')) AS found
    WHERE NOT f.has_path AND f.oid IN (SELECT fn FROM reached))
SELECT DISTINCT 'unqualified=' || translate(format('%s names %s without a schema, and is run for %s', pg_describe_object('pg_proc'::regclass, fn, 0),
    (SELECT string_agg(name, ', ' ORDER BY name) FROM bare b WHERE b.fn = r.fn),
    CASE classid WHEN 'pg_attrdef'::regclass THEN regexp_replace(pg_describe_object(classid, objid, objsubid), '^default value for', 'the generated')
        ELSE CASE WHEN objsubid = 0 THEN 'the ' ELSE 'the generated ' END || pg_describe_object(classid, objid, objsubid) END), E'\n\r', '  ')
FROM reached r WHERE fn IN (SELECT fn FROM bare)
ORDER BY 1 LIMIT 20;
