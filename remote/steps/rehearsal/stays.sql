-- What is not the role's own stays as it is. In which way is that another than when the archive was taken (:around_then, from its manifest)?
-- Prints transaction_obstacle=, other_version= and kept_rows= lines. Follows rehearse.sql, in its transaction.
\set around_then `cat "$RUN_DIR/around_then"`
\set around_now `cat "$RUN_DIR/around"`
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'

-- A schema of ours stays where others have something in it, under the name that it has now.
SELECT translate(format('transaction_obstacle=the schema %I stays, as others have something in it, and was the schema %I in the archive: ALTER SCHEMA %I RENAME TO %I',
    name, then_name, name, then_name), E'\n\r', '  ')
FROM kept_schema k JOIN toc t ON t.classid = 'pg_namespace'::regclass AND t.objid = k.oid,
    LATERAL (SELECT substr(left(t.entry, -length(t.owner) - 1), 10) AS then_name) e
WHERE :'goes_back' = 'yes' AND t.entry LIKE 'SCHEMA - %' AND name <> 'public' AND translate(name, E'\n\r', '  ') <> then_name
    AND NOT EXISTS (SELECT FROM pg_namespace n WHERE translate(n.nspname, E'\n\r', '  ') = then_name)
    AND NOT EXISTS (SELECT FROM toc o WHERE o.classid = t.classid AND o.entry = 'SCHEMA - ' || translate(name, E'\n\r', '  ') || ' ' || o.owner)
ORDER BY 1;

-- Under another name of its own, ours would not find it.
SELECT translate(format('transaction_obstacle=%s of the role %s has another name in the archive, %s: only that role can rename it or move it back',
    pg_describe_object(s.classid, s.objid, 0), s.owner::regrole, t.told), E'\n\r', '  ')
FROM of_another t JOIN there s USING (classid, objid) LEFT JOIN pg_proc p ON s.classid = 'pg_proc'::regclass AND p.oid = s.objid,
    LATERAL (SELECT replace(left(t.entry, -length(t.owner) - 1), '"', '') AS listed, coalesce(p.proname || '(', s.name) AS name) n,
    LATERAL (SELECT translate(replace(format('%s %s %s', s.kind, s.schema, n.name), '"', ''), E'\n\r', '  ') AS present) w
WHERE :'goes_back' = 'yes' AND s.classid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass)
    AND s.owner NOT IN (SELECT oid FROM our_role) AND starts_with(listed, s.kind || ' ')
    AND CASE WHEN p.oid IS NULL THEN listed <> present ELSE NOT starts_with(listed, present) END
    AND NOT EXISTS (SELECT FROM kept_schema k WHERE k.name = s.schema AND position(' ' || replace(n.name, '"', '') IN listed) > 0) -- only its schema is
ORDER BY 1;

WITH line AS (
    SELECT 'then' AS side, m FROM string_to_table(:'around_then', E'\n') AS line, regexp_match(line, '^installed=(' || :'name' || ') in (' || :'name' || ') (.*)$') AS m
    UNION ALL
    SELECT 'now', m FROM string_to_table(:'around_now', E'\n') AS line, regexp_match(line, '^installed=(' || :'name' || ') in (' || :'name' || ') (.*)$') AS m),
changed AS (
    SELECT t.m[1] AS extension, t.m[2] AS schema_then, n.m[2] AS schema_now, t.m[3] AS version_then, n.m[3] AS version_now
    FROM line t JOIN line n ON n.side = 'now' AND n.m[1] = t.m[1]
    WHERE t.side = 'then' AND n.m <> t.m AND EXISTS (
        SELECT FROM pg_extension e WHERE translate(quote_ident(extname), E'\n\r', '  ') = t.m[1]
            AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_extension'::regclass AND g.objid = e.oid)))
SELECT format('transaction_obstacle=the extension %s stays in the schema %s, and was in %s when the archive was taken: let its owner ALTER EXTENSION %s SET SCHEMA %s',
    extension, schema_now, schema_then, extension, schema_then)
FROM changed WHERE schema_now <> schema_then
    AND NOT EXISTS (SELECT FROM kept_schema k JOIN toc t ON t.classid = 'pg_namespace'::regclass AND t.objid = k.oid
        WHERE translate(quote_ident(k.name), E'\n\r', '  ') = schema_now AND t.entry LIKE 'SCHEMA - %'
            AND t.entry <> 'SCHEMA - ' || translate(k.name, E'\n\r', '  ') || ' ' || t.owner) -- it is told above
UNION ALL
SELECT format('other_version=the extension %s belongs to another role and stays: it is %s now, and was %s when the archive was taken', extension, version_now, version_then)
FROM changed WHERE version_now <> version_then;

-- Grants of the role on what others own: the statements that make up for them.
WITH past AS (SELECT DISTINCT substr(line, 7) AS statement FROM string_to_table(:'around_then', E'\n') AS line WHERE line ~ '^given=GRANT '),
present AS (SELECT DISTINCT substr(line, 7) AS statement FROM string_to_table(:'around_now', E'\n') AS line WHERE line ~ '^given=GRANT ')
SELECT 'kept_rows=a grant that has been taken away since, on what another role owns: ' || statement
FROM past WHERE statement NOT IN (SELECT p.statement FROM present p)
UNION ALL
SELECT 'kept_rows=a grant that has been made since, on what another role owns: ' || statement
FROM present WHERE :'goes_back' = 'yes' AND statement NOT IN (SELECT p.statement FROM past p)
    AND EXISTS (SELECT FROM string_to_table(:'around_then', E'\n') AS line WHERE line ~ '^installed=') -- an archive of an earlier release tells of none
ORDER BY 1;

-- A sequence of another role that ours may draw from and not set: where ours may set it, its value comes back.
SELECT translate(format('kept_rows=the value of the sequence %I.%I, of the role %I: GRANT UPDATE ON SEQUENCE %I.%I TO %I',
    nspname, relname, owner.rolname, nspname, relname, current_user), E'\n\r', '  ')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_roles owner ON owner.oid = relowner
    JOIN toc t ON t.kind = 'SEQUENCE SET' AND t.entry = 'SEQUENCE SET ' || translate(nspname || ' ' || relname, E'\n\r', '  ') || ' ' || t.owner
WHERE CASE relkind WHEN 'S' THEN NOT pg_has_role(relowner, 'USAGE') AND has_sequence_privilege(c.oid, 'USAGE') AND NOT has_sequence_privilege(c.oid, 'UPDATE') END
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1;
