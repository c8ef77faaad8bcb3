-- Which definitions need themselves, so that none of them can be made first? A function, for one, whose body (BEGIN ATOMIC) calls it.
-- Where a view, a default or a check is a part of such a circle, pg_dump makes that part later; other circles come back from no
-- archive. Prints obstacle= lines. Follows rehearse.sql, in its transaction.
WITH RECURSIVE begins AS MATERIALIZED ( -- of each other circle one of these is a part
    SELECT 'pg_proc'::regclass::oid AS classid, oid AS objid FROM pg_proc WHERE oid >= 16384 AND (prosqlbody IS NOT NULL OR pronargdefaults > 0)
    UNION ALL
    SELECT 'pg_type'::regclass, oid FROM pg_type WHERE oid >= 16384 AND typtype = 'd' AND typdefault IS NOT NULL),
edge(classid, objid, next_class, next) AS ( -- what is needed for what, to be made at all
    SELECT 0::oid, 0::oid, classid, objid FROM begins
    UNION
    SELECT e.next_class, e.next, d.classid, d.objid
    FROM edge e CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid FROM pg_depend d
        WHERE d.classid = e.next_class AND d.objid = e.next
            AND (d.classid <> 'pg_class'::regclass OR d.refobjid <> e.next AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = e.next AND relkind = 'S'))
        UNION ALL
        SELECT d.refclassid, d.refobjid FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
            JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        WHERE e.next_class = 'pg_class'::regclass AND f.adrelid = e.next AND a.attgenerated <> '' AND d.refobjid <> e.next
        UNION ALL
        SELECT d.refclassid, d.refobjid FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE e.next_class = 'pg_class'::regclass AND r.ev_class = e.next AND c.relkind = 'm' AND d.refobjid <> e.next) d(classid, objid)
    WHERE d.objid >= 16384 AND d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass)),
reached(start, classid, objid) AS (
    SELECT e.objid, e.next_class, e.next FROM edge e JOIN begins b USING (classid, objid)
    UNION
    SELECT r.start, e.next_class, e.next FROM reached r JOIN edge e USING (classid, objid)),
member(start, classid, objid) AS ( -- of a circle, from its end backwards
    SELECT DISTINCT start, classid, objid FROM reached r JOIN begins b USING (classid, objid) WHERE start = objid
    UNION
    SELECT m.start, e.classid, e.objid FROM member m JOIN edge e ON e.next_class = m.classid AND e.next = m.objid
        JOIN reached r ON r.start = m.start AND r.classid = e.classid AND r.objid = e.objid),
circle AS (
    SELECT start, count(*) AS members, string_agg(pg_describe_object(classid, objid, 0), ', ' ORDER BY classid, objid) AS told
    FROM member
    -- The type of a table's rows is the table, to a person.
    WHERE NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid AND typrelid <> 0 AND typrelid IN (SELECT o.objid FROM member o WHERE o.start = member.start))
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e' AND d.classid = member.classid AND d.objid = member.objid)
    GROUP BY start)
SELECT DISTINCT 'obstacle=' || translate(told || CASE members WHEN 1 THEN ' needs itself' ELSE ' need each other' END
    || ' to be made, and no archive can do that: a body of LANGUAGE sql may be a string instead of BEGIN ATOMIC, or a view may stand between them', E'\n\r', '  ')
FROM circle
ORDER BY 1 LIMIT 20;

-- The rule of a view names the view itself, and up to 15 does so twice more, for its old and its new row.
SELECT translate(format('obstacle=%s reads itself: no archive can make it anew', pg_describe_object('pg_class'::regclass, c.oid, 0)), E'\n\r', '  ')
FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid AND rulename = '_RETURN'
WHERE c.relkind = 'v' AND c.oid >= 16384
    AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n')
    AND (SELECT count(*) FROM regexp_matches(r.ev_action::text, ':relid ' || c.oid || '\M', 'g')) > CASE WHEN :SERVER_VERSION_NUM >= 160000 THEN 0 ELSE 2 END
ORDER BY 1 LIMIT 20;

-- A default, a generated column, a partition key or the default of a domain is made before all indexes, and so before the materialized
-- views that need a key. So no archive can make it where it names one of these as a constant of the type regclass.
WITH late AS (
    SELECT oid FROM pg_class WHERE relkind IN ('i', 'I') AND oid >= 16384
    UNION
    SELECT c.oid FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        LEFT JOIN pg_class i ON d.refclassid = 'pg_class'::regclass AND i.oid = d.refobjid
    WHERE c.relkind = 'm' AND (d.refclassid = 'pg_constraint'::regclass OR i.relkind IN ('i', 'I')))
SELECT DISTINCT 'obstacle=' || translate(format('the %s names %s, and no archive can make it before that: write the name as a text, as in (%L::text)::regclass',
    pg_describe_object(d.classid, d.objid, d.objsubid), pg_describe_object(d.refclassid, d.refobjid, 0), d.refobjid::regclass), E'\n\r', '  ')
FROM pg_depend d LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM late) AND d.deptype IN ('n', 'a') AND d.objid >= 16384
    AND (d.classid IN ('pg_attrdef'::regclass, 'pg_type'::regclass) OR c.relkind = 'p' OR d.objsubid > 0) -- up to 14, of a generated column
ORDER BY 1 LIMIT 20;
