-- What has been found, for the plan. Follows rights.sql, in its transaction.
SELECT CASE way WHEN 'swap' THEN 'swap_obstacle=' WHEN 'transaction' THEN 'transaction_obstacle=' ELSE 'obstacle=' END
    || translate(about, E'\n\r', '  ')
FROM obstacle ORDER BY way, about;

SELECT 'ours=' || count(*) FROM owned;

-- An archive tells of no version: an extension that is made anew is of the server's default one.
SELECT translate(format('other_version=the extension %I is %s now, and comes back as %s, which this server makes of it', e.extname, e.extversion, a.default_version), E'\n\r', '  ')
FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
WHERE a.default_version <> e.extversion AND EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_extension'::regclass AND g.objid = e.oid)
ORDER BY 1;

-- What the archive holds and a restore leaves as it is. Before a deploy, of rows that are there, or that the role may add or take away.
WITH kept AS (
    SELECT * FROM configured
    WHERE NOT comes_back AND NOT is_made_anew AND CASE
        WHEN kind = 'SEQUENCE SET' THEN extname IN (SELECT extname FROM configured WHERE comes_back AND kind = 'TABLE DATA')
        WHEN :'goes_back' = 'yes' THEN is_as_then IS NOT TRUE AND (rows_then > 0 OR rows_now IS DISTINCT FROM 0)
        ELSE rows_now > 0 OR has_table_privilege(oid, 'INSERT') OR has_table_privilege(oid, 'DELETE') END)
SELECT 'kept=' || shown FROM kept
UNION ALL
SELECT format('kept_rows=%s of %s, of the extension %s: %s', CASE kind WHEN 'SEQUENCE SET' THEN 'the value' ELSE 'the rows' END, shown,
    translate(format('%I', extname), E'\n\r', '  '), CASE
        WHEN is_writable THEN 'what refers to them cannot be changed with them'
        ELSE translate(format('GRANT %s ON %s TO %I', CASE kind WHEN 'SEQUENCE SET' THEN 'UPDATE' ELSE 'SELECT, INSERT, DELETE' END, shown, current_user), E'\n\r', '  ') END)
FROM kept;

-- What is there now, and will not be afterwards.
SELECT 'disappears=' || translate(pg_describe_object(n.classid, n.objid, 0), E'\n\r', '  ')
FROM there n JOIN owned USING (classid, objid)
WHERE type IN ('table', 'view', 'materialized view', 'sequence', 'foreign table', 'schema', 'function', 'procedure', 'aggregate', 'type', 'extension', 'publication')
    AND NOT EXISTS (SELECT FROM toc t WHERE t.classid = n.classid AND t.objid = n.objid)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = n.classid AND d.objid = n.objid AND d.objsubid = 0 AND d.deptype IN ('i', 'e'))
    AND NOT EXISTS (SELECT FROM toc t
        WHERE starts_with(replace(t.entry, '"', ''), n.kind || ' ' || translate(replace(format('%s %s', n.schema, n.name), '"', ''), E'\n\r', '  ') || ' '))
ORDER BY 1;
