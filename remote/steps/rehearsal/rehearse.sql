-- Could this role bring this archive back here, and how? From the archive's table of contents (:toc) and the catalogs.
-- Prints obstacle= (for either way to restore) and swap_obstacle= (for a restore into a new database) lines; writes what
-- pg_restore is to replay as lists of entries into files. Changes nothing: its temporary tables go with the transaction.
-- Follows ours.sql, in its transaction.
SET LOCAL statement_timeout = '120s';
SET LOCAL client_encoding = :'archive_encoding';
\set toc `cat "$RUN_DIR/toc"`

-- The list prints: number; class object KIND schema name owner. Blanks occur in all of the last three, and a name may look
-- like a kind ("TABLE DATA …" is a table, too, of the schema DATA): the class tells them apart.
CREATE TEMP TABLE toc ON COMMIT DROP AS
WITH odd_role AS MATERIALIZED (SELECT translate(rolname, E'\n\r', '  ') AS name FROM pg_roles WHERE rolname ~ '\s'),
listed AS (
    SELECT rtrim(id, ';')::int AS id, classid::oid, objid::oid,
        substr(line, length(id) + length(classid) + length(objid) + 4) AS entry, position
    -- A pattern with groups takes most of a second for a list of 35,000 entries.
    FROM string_to_table(:'toc', E'\n') WITH ORDINALITY AS t(line, position),
        LATERAL (VALUES (split_part(line, ' ', 1), split_part(line, ' ', 2), split_part(line, ' ', 3))) AS first(id, classid, objid)
    WHERE line ~ '^\d+; \d+ \d+ ')
SELECT *, CASE WHEN classid IN ('pg_am'::regclass, 'pg_transform'::regclass, 'pg_ts_parser'::regclass, 'pg_ts_template'::regclass)
            OR classid = 0 AND owner IS NULL AND entry ~ '^COMMENT [^ ]+ (ACCESS METHOD|TRANSFORM|TEXT SEARCH PARSER|TEXT SEARCH TEMPLATE) '
        THEN EXISTS (SELECT FROM our_role WHERE oid = 10) -- it has no owner, and only a superuser can make it
        ELSE owner IN (SELECT translate(name, E'\n\r', '  ') FROM our_role) END AS ours
FROM (SELECT *, CASE
        WHEN entry ~ '^ACL - SCHEMA ' AND classid = 0
            AND (entry LIKE 'ACL - SCHEMA public %' OR replace(substr(entry, 14), '"', '') IN (SELECT replace(substr(entry, 10), '"', '') FROM listed WHERE classid = 'pg_namespace'::regclass))
            THEN 'ACL - SCHEMA'
        WHEN classid = 0 THEN substring(entry FROM '^(TABLE DATA|TABLE ATTACH|SEQUENCE SET|SEQUENCE OWNED BY|MATERIALIZED VIEW DATA|BLOBS|ACL|COMMENT) ')
        WHEN classid = 'pg_class'::regclass THEN substring(entry FROM '^(TABLE|MATERIALIZED VIEW) ')
        WHEN classid = 'pg_largeobject'::regclass THEN substring(entry FROM '^(BLOB METADATA|BLOB) ')
        WHEN classid = 'pg_namespace'::regclass THEN 'SCHEMA'
        WHEN classid = 'pg_extension'::regclass THEN 'EXTENSION'
        WHEN classid = 'pg_publication'::regclass THEN 'PUBLICATION'
        WHEN classid = 'pg_default_acl'::regclass THEN 'DEFAULT ACL'
        WHEN classid = 'pg_attrdef'::regclass THEN 'DEFAULT'
    END AS kind, coalesce(
        (SELECT name FROM odd_role WHERE right(entry, length(name) + 1) = ' ' || name ORDER BY length(name) DESC LIMIT 1),
        nullif(split_part(entry, ' ', -1), '')) AS owner
    FROM listed
    OFFSET 0) t; -- so that the owner of an entry is looked for once

RESET client_encoding;

CREATE TEMP TABLE replayed ON COMMIT DROP AS
SELECT id, position, classid, objid, entry, kind, owner, CASE
        WHEN kind IN ('SCHEMA', 'ACL - SCHEMA') THEN 'schemas'
        WHEN kind = 'BLOBS' THEN 'blobs'
        WHEN kind IN ('ACL', 'DEFAULT ACL') THEN 'grants'
        WHEN kind = 'MATERIALIZED VIEW DATA' THEN 'matviews'
        WHEN kind IN ('TABLE DATA', 'SEQUENCE SET') THEN 'data'
        WHEN position < first_data OR kind = 'BLOB METADATA' THEN 'before'
        ELSE 'after' END AS pass
-- Definitions, then data, then what is built on data: so pg_dump orders them.
FROM toc, (SELECT coalesce(min(position) FILTER (WHERE kind IN ('TABLE DATA', 'SEQUENCE SET', 'BLOBS', 'BLOB METADATA')), max(position) + 1) AS first_data FROM toc) first
WHERE (ours IS NOT FALSE
        OR classid = 0 AND entry LIKE 'USER MAPPING - %' AND EXISTS ( -- it stands there under the owner of the server
            SELECT FROM our_role WHERE starts_with(entry, 'USER MAPPING - USER MAPPING ' || translate(name, E'\n\r', '  ') || ' SERVER ')))
    AND NOT EXISTS ( -- what stays in place must not come twice; pg_dump quotes a name where another one speaks of it
        SELECT FROM pg_extension e, translate(extname, E'\n\r', '  ') AS listed, LATERAL (VALUES (listed), ('"' || replace(listed, '"', '""') || '"')) AS quoted(name)
        WHERE entry IN ('EXTENSION - ' || listed || ' ', 'COMMENT - EXTENSION ' || quoted.name || ' ', 'SECURITY LABEL - EXTENSION ' || quoted.name || ' ')
            AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_extension'::regclass AND g.objid = e.oid))
    AND NOT EXISTS (
        SELECT FROM kept_schema k WHERE k.name <> 'public' AND entry = 'SCHEMA - ' || translate(k.name, E'\n\r', '  ') || ' ' || toc.owner)
    AND NOT (owner IS NULL AND EXISTS (
        SELECT FROM pg_cast c, translate(format('CAST (%s AS %s) ', format_type(castsource, NULL), format_type(casttarget, NULL)), E'\n\r', '  ') AS listed
        WHERE entry IN ('CAST - ' || listed, 'COMMENT - ' || listed)
            AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_cast'::regclass AND g.objid = c.oid)));

-- Tables of extensions whose rows are in the archive, as the extension marks them as its configuration. Where the extension stays, the
-- rows of the archive take the place of those that are there, if the role may write them, and all that refers to them, too.
\set configured_then `cat "$RUN_DIR/configured_then"`
\set configured_now `cat "$RUN_DIR/configured"`
CREATE TEMP TABLE configured ON COMMIT DROP AS
WITH RECURSIVE marked AS (
    SELECT t.id, t.position, t.kind, c.oid, c.relkind, e.extname,
        translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown,
        EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_extension'::regclass AND g.objid = e.oid) AS is_made_anew,
        has_schema_privilege(n.oid, 'USAGE') AND CASE c.relkind
            WHEN 'S' THEN has_sequence_privilege(c.oid, 'UPDATE')
            ELSE has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'DELETE')
                AND NOT row_security_active(c.oid) END AS is_writable,
        -- What the script of the extension grants to everybody holds from the moment it is made.
        (SELECT count(DISTINCT a.privilege_type) = 2 FROM pg_init_privs i, aclexplode(i.initprivs) a WHERE i.objoid = c.oid AND i.classoid = 'pg_class'::regclass
            AND i.objsubid = 0 AND a.grantee = 0 AND a.privilege_type IN ('SELECT', CASE c.relkind WHEN 'S' THEN 'UPDATE' ELSE 'INSERT' END)) AS is_open
    FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig) AS k(oid) JOIN pg_class c ON c.oid = k.oid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN toc t ON t.kind = CASE c.relkind WHEN 'S' THEN 'SEQUENCE SET' ELSE 'TABLE DATA' END
            AND t.entry = t.kind || ' ' || translate(n.nspname || ' ' || c.relname, E'\n\r', '  ') || ' ' || t.owner),
known AS (
    SELECT side, told, substr(told, position(' ' IN told) + 1) AS shown,
        CASE WHEN starts_with(told, 'content=config_rows:') THEN substr(split_part(told, ' ', 1), 21)::bigint END AS rows
    FROM (SELECT 'then' AS side, string_to_table(:'configured_then', E'\n') AS told UNION ALL SELECT 'now', string_to_table(:'configured_now', E'\n')) sides
    WHERE told ~ '^(content=config_rows:[0-9]{1,18}|content=config:-?[0-9]+) '),
key AS MATERIALIZED (
    SELECT conrelid, confrelid FROM pg_constraint
    WHERE contype = 'f' AND conrelid NOT IN (SELECT objid FROM gone WHERE classid = 'pg_class'::regclass)),
closed(oid) AS (
    (SELECT oid FROM marked WHERE NOT is_writable AND NOT is_made_anew
    UNION SELECT conrelid FROM key WHERE conrelid NOT IN (SELECT oid FROM marked))
    UNION SELECT CASE f.conrelid WHEN c.oid THEN f.confrelid ELSE f.conrelid END FROM closed c JOIN key f ON c.oid IN (f.conrelid, f.confrelid))
SELECT m.*, past.rows AS rows_then, present.rows AS rows_now, past.told = present.told AS is_as_then, CASE WHEN m.is_made_anew THEN m.owner IN (SELECT oid FROM our_role) OR m.is_open
        ELSE m.oid NOT IN (SELECT oid FROM closed) END AS comes_back
FROM (SELECT m.*, c.relowner AS owner FROM marked m JOIN pg_class c ON c.oid = m.oid) m
    LEFT JOIN LATERAL (SELECT max(rows) AS rows, string_agg(told, E'\n' ORDER BY told) AS told FROM known WHERE side = 'then' AND known.shown = m.shown) past ON true
    LEFT JOIN LATERAL (SELECT max(rows) AS rows, string_agg(told, E'\n' ORDER BY told) AS told FROM known WHERE side = 'now' AND known.shown = m.shown) present ON true;
DELETE FROM replayed WHERE id IN (SELECT id FROM configured);
INSERT INTO replayed
SELECT t.id, t.position, t.classid, t.objid, t.entry, t.kind, t.owner, CASE WHEN c.kind = 'SEQUENCE SET' AND NOT c.is_made_anew THEN 'sequences' ELSE 'data' END
FROM configured c JOIN toc t USING (id) WHERE c.comes_back;
-- So do the values of sequences that others own and the role may set.
INSERT INTO replayed
SELECT t.id, t.position, t.classid, t.objid, t.entry, t.kind, t.owner, 'sequences'
FROM toc t CROSS JOIN pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.kind = 'SEQUENCE SET' AND NOT t.ours AND t.entry = 'SEQUENCE SET ' || translate(n.nspname || ' ' || c.relname, E'\n\r', '  ') || ' ' || t.owner
    AND c.relowner NOT IN (SELECT oid FROM our_role) AND has_schema_privilege(n.oid, 'USAGE')
    AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'UPDATE') END -- no such question may be asked of another relation
    AND t.id NOT IN (SELECT id FROM configured) AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_class'::regclass AND g.objid = c.oid AND g.objsubid = 0);

\o :run_dir/sequences.list
SELECT id FROM replayed WHERE pass = 'sequences' ORDER BY position;
\o :run_dir/configured_oids
SELECT oid FROM configured WHERE comes_back AND NOT is_made_anew AND kind = 'TABLE DATA' ORDER BY position;
\o :run_dir/configured_names
SELECT shown FROM configured WHERE comes_back AND kind = 'TABLE DATA';
\o :run_dir/schemas.list
SELECT id FROM replayed WHERE pass = 'schemas' ORDER BY position;
\o :run_dir/before.list
SELECT id FROM replayed WHERE pass = 'before' ORDER BY position;
\o :run_dir/data.list
SELECT id FROM replayed WHERE pass = 'data' ORDER BY position;
\o :run_dir/after.list
SELECT id FROM replayed WHERE pass = 'after' ORDER BY position;
\o :run_dir/blobs.list
SELECT id FROM replayed WHERE pass = 'blobs' ORDER BY position;
\o :run_dir/grants.list
SELECT id FROM replayed WHERE pass = 'grants' ORDER BY position;
\o :run_dir/matviews.list
SELECT id FROM replayed WHERE pass = 'matviews' ORDER BY position;
\o
