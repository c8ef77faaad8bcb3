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

CREATE TEMP TABLE obstacle (about text, way text DEFAULT 'either') ON COMMIT DROP;
SELECT rolsuper AS is_super, CASE WHEN :SERVER_VERSION_NUM >= 150000 THEN 'has_parameter_privilege(name, ''SET'')' ELSE 'false' END AS may_set
FROM pg_roles WHERE rolname = current_user \gset

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: it would go with what it depends on, and %s cannot bring it back',
        CASE WHEN contype = 'f' THEN replace(told, 'constraint ', 'foreign key ') ELSE told END, owner::regrole, current_user), 'transaction'
FROM victim v LEFT JOIN pg_constraint c ON classid = 'pg_constraint'::regclass AND c.oid = objid, pg_describe_object(classid, objid, objsubid) AS told;

-- The entries of others, as a person would name them: "table app.orders".
CREATE TEMP TABLE of_another ON COMMIT DROP AS
SELECT t.*, coalesce(nullif(owner, ''), (SELECT name FROM our_role WHERE oid = 10), pg_get_userbyid(10)) AS role,
    CASE WHEN words IS NULL THEN whole
        ELSE CASE words WHEN 'TABLE DATA' THEN 'table' WHEN 'ACL' THEN 'grants on' WHEN 'COMMENT' THEN 'comment on' ELSE lower(words) END
            || CASE WHEN substr(whole, length(words) + 1) LIKE ' - %' THEN substr(whole, length(words) + 3)
                ELSE regexp_replace(substr(whole, length(words) + 1), '^( [^ ]+) ', '\1.') END END AS told
FROM toc t,
    LATERAL (SELECT CASE WHEN owner IS NULL THEN rtrim(entry) ELSE left(entry, -length(owner) - 1) END AS whole) e,
    LATERAL (SELECT substring(whole FROM '^(TABLE DATA|PUBLICATION TABLES IN SCHEMA|PUBLICATION TABLE|MATERIALIZED VIEW DATA|MATERIALIZED VIEW|FOREIGN TABLE|FOREIGN DATA WRAPPER|FK CONSTRAINT|CHECK CONSTRAINT|TEXT SEARCH [A-Z]+|OPERATOR CLASS|OPERATOR FAMILY|EVENT TRIGGER|ACCESS METHOD|DEFAULT ACL|USER MAPPING|ROW SECURITY|[A-Z]+) ') AS words) w
WHERE NOT ours AND NOT (classid = 'pg_rewrite'::regclass AND entry LIKE '% \_RETURN %'); -- a part of a view

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: %s cannot put its rows back', told, role, current_user)
FROM of_another toc
WHERE kind IN ('TABLE DATA', 'BLOBS', 'BLOB', 'BLOB METADATA')
    AND id NOT IN (SELECT id FROM configured);

INSERT INTO obstacle
SELECT format('the rows of %s would go with the extension %I: they belong to the role %s, and %s cannot put them back', shown, extname, owner::regrole, current_user), 'transaction'
FROM configured
WHERE is_made_anew AND NOT comes_back AND kind = 'TABLE DATA' AND rows_then IS DISTINCT FROM 0;

INSERT INTO obstacle
SELECT format('%s of the role %s is in the archive, and not in the database: %s cannot create it', told, role, current_user),
    'transaction'
FROM of_another
WHERE classid <> 0 AND kind IS DISTINCT FROM 'BLOB' AND kind IS DISTINCT FROM 'BLOB METADATA'
    AND CASE WHEN kind = 'DEFAULT ACL' THEN entry NOT IN ( -- each change gives these another OID
            SELECT translate(format('DEFAULT ACL %s DEFAULT PRIVILEGES FOR %s %s', coalesce(nspname, '-'),
                CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END,
                rolname), E'\n\r', '  ')
            FROM pg_default_acl JOIN pg_roles r ON r.oid = defaclrole LEFT JOIN pg_namespace n ON n.oid = defaclnamespace)
        ELSE pg_describe_object(classid, objid, 0) IS NULL END;

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: %s cannot create it in a new database', told, role, current_user), 'swap'
FROM of_another;

-- What there is, with the names under which pg_dump lists it: of a restored database no OID is that of the archive.
CREATE TEMP TABLE there ON COMMIT DROP AS
SELECT o.classid, o.objid, o.owner, i.type, coalesce(i.schema, '-') AS schema,
    CASE WHEN p.prokind = 'a' THEN 'AGGREGATE' WHEN p.prokind = 'p' THEN 'PROCEDURE' WHEN t.typtype = 'd' THEN 'DOMAIN'
        WHEN i.type = 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END AS kind,
    CASE WHEN p.oid IS NOT NULL THEN format('%s(%s)', p.proname, CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
            ELSE (SELECT string_agg(format_type(type, NULL), ', ' ORDER BY place) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS argument(type, place)) END)
        ELSE coalesce(c.relname::text, t.typname::text, n.nspname::text, (SELECT oprname::text FROM pg_operator WHERE o.classid = 'pg_operator'::regclass AND oid = o.objid), i.name, i.identity) END AS name
FROM owner o CROSS JOIN pg_identify_object(o.classid, o.objid, 0) AS i
    LEFT JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
    LEFT JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid
    LEFT JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
    LEFT JOIN pg_namespace n ON o.classid = 'pg_namespace'::regclass AND n.oid = o.objid
WHERE (whole = 0 OR o.classid = 'pg_class'::regclass) AND i.identity IS NOT NULL;

-- What was of another role, and has been given to one of ours: it goes, and only the other could make it what it was.
INSERT INTO obstacle
SELECT format('%s was of the role %s in the archive, and belongs to the role %s now: %s cannot give it back', told, role, s.owner::regrole, current_user), 'transaction'
FROM of_another t JOIN there s ON replace(left(t.entry, -length(t.owner) - 1), '"', '') = s.kind || ' ' || translate(replace(format('%s %s', s.schema, s.name), '"', ''), E'\n\r', '  ')
WHERE t.classid <> 0 AND s.owner IN (SELECT oid FROM our_role)
    AND (s.kind <> 'OPERATOR' OR t.objid = s.objid); -- several have one name

-- What has been given to another role, or has been made by one under a name of the archive: it stays, and is in the way.
INSERT INTO obstacle
WITH stays AS MATERIALIZED (
    SELECT * FROM there s
    WHERE owner NOT IN (SELECT oid FROM our_role) AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = s.classid AND g.objid = s.objid AND g.objsubid = 0)),
wanted AS MATERIALIZED (
    SELECT classid, objid, owner, replace(left(entry, -length(owner) - 1), '"', '') AS listed FROM replayed WHERE classid <> 0),
clash AS (
    SELECT s.*, w.owner AS rightful
    FROM stays s
        CROSS JOIN unnest(CASE -- a relation and a type share their names, and so does all that can be called
            WHEN classid IN ('pg_class'::regclass, 'pg_type'::regclass) THEN '{TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FOREIGN TABLE,INDEX,TYPE,DOMAIN}'
            WHEN classid = 'pg_proc'::regclass THEN '{FUNCTION,PROCEDURE,AGGREGATE}' ELSE ARRAY[kind] END::text[]) AS made
        JOIN wanted w ON w.listed = made || ' ' || translate(replace(format('%s %s', schema,
            CASE made WHEN 'AGGREGATE' THEN regexp_replace(name, '\(\)$', '(*)') ELSE regexp_replace(name, '\(\*\)$', '()') END), '"', ''), E'\n\r', '  ')
    -- Of these several may have one name, and the list does not tell which is meant.
    WHERE kind NOT IN ('OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY')
    UNION ALL
    SELECT s.*, w.owner
    FROM stays s JOIN wanted w USING (classid, objid)
    WHERE kind IN ('OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY') AND starts_with(w.listed, kind || ' ' || translate(replace(schema, '"', ''), E'\n\r', '  ') || ' '))
SELECT DISTINCT format('%s belongs to the role %s now, and has the name of what the archive would bring back: that role must give it to %s, rename it or drop it',
        pg_describe_object(classid, objid, 0), owner::regrole, rightful), 'transaction'
FROM clash;

-- An extension is created anew where it would be dropped, where it is missing, and in a new database.
INSERT INTO obstacle
SELECT format('the extension %s is not one that %s may create%s', x.name, current_user,
        CASE WHEN v.name IS NULL THEN ': the server does not have it' ELSE ': it is not trusted' END),
    CASE WHEN e.oid IS NULL OR e.extowner IN (SELECT oid FROM our_role) THEN 'either' ELSE 'swap' END
FROM toc CROSS JOIN LATERAL (SELECT substring(entry FROM '^EXTENSION - (.*) $') AS name WHERE kind = 'EXTENSION') x
LEFT JOIN pg_extension e ON translate(e.extname, E'\n\r', '  ') = x.name
LEFT JOIN (SELECT translate(a.name, E'\n\r', '  ') AS name, bool_or(NOT v.superuser OR v.trusted) AS ours
    FROM pg_available_extensions a JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
    GROUP BY a.name) v ON v.name = x.name
WHERE x.name IS NOT NULL AND x.name <> 'plpgsql' AND v.ours IS NOT TRUE
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

INSERT INTO obstacle
SELECT format('%s may not create schemas, extensions or publications in this database: GRANT CREATE ON DATABASE %I TO %I',
    current_user, current_database(), current_user), 'transaction'
WHERE EXISTS (SELECT FROM replayed WHERE kind IN ('EXTENSION', 'PUBLICATION') OR kind = 'SCHEMA' AND entry !~ '^SCHEMA - public ')
    AND NOT has_database_privilege(current_database(), 'CREATE');

-- Who makes something in a schema, and who is to own it, must be let create there; a schema that stays has its present grants.
INSERT INTO obstacle
WITH closed AS MATERIALIZED (
    SELECT n.nspname, r.name
    FROM pg_namespace n CROSS JOIN our_role r
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspowner NOT IN (SELECT oid FROM our_role) AND NOT has_schema_privilege(r.oid, n.oid, 'CREATE'))
SELECT DISTINCT format('the role %s may not create in the schema %I: GRANT CREATE ON SCHEMA %I TO %I', name, nspname, nspname, name), 'transaction'
FROM closed JOIN replayed t ON t.owner = translate(closed.name, E'\n\r', '  ') OR closed.name = current_user
CROSS JOIN unnest('{TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FOREIGN TABLE,FUNCTION,PROCEDURE,AGGREGATE,TYPE,DOMAIN,OPERATOR,OPERATOR CLASS,
    OPERATOR FAMILY,COLLATION,CONVERSION,STATISTICS,TEXT SEARCH CONFIGURATION,TEXT SEARCH DICTIONARY}'::text[]) AS made
WHERE t.classid <> 0 AND starts_with(t.entry, made || ' ' || translate(nspname, E'\n\r', '  ') || ' ');

INSERT INTO obstacle
SELECT format('the schema %I stays, as others have something in it, and now belongs to the role %s: ALTER SCHEMA %I OWNER TO %I',
    k.name, n.nspowner::regrole, k.name, t.owner), 'transaction'
FROM kept_schema k JOIN pg_namespace n ON n.oid = k.oid JOIN toc t ON t.entry = 'SCHEMA - ' || translate(k.name, E'\n\r', '  ') || ' ' || t.owner
WHERE k.name <> 'public' AND t.owner <> pg_get_userbyid(n.nspowner);

-- Of a user mapping pg_dump is told the options only where the view shows them; elsewhere they look like none.
INSERT INTO obstacle
SELECT format('the user mapping of %s for the server %I may have options, which are in no archive of ours: only that role can see them', usename, srvname)
FROM pg_user_mappings m
WHERE umuser <> 0 AND umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND (usename <> current_user OR NOT has_server_privilege(srvid, 'USAGE'))
    AND (umuser IN (SELECT oid FROM our_role)
        OR EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_foreign_server'::regclass AND g.objid = srvid));

INSERT INTO obstacle
SELECT format('%s is written in %s, which only a superuser may use', p.oid::regprocedure, l.lanname)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN our_role w ON w.oid = p.proowner
WHERE p.prokind <> 'a' AND NOT l.lanpltrusted AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('%s belongs to the role %s, and only a superuser can make it%s', pg_describe_object(o.classid, o.objid, 0), w.owner::regrole, CASE
        WHEN p.prosupport <> 0 THEN ': it has a support function'
        WHEN a.aggtranstype = 'internal'::regtype OR a.aggmtranstype = 'internal'::regtype THEN ': its state is internal'
        WHEN p.oid IS NOT NULL THEN ': it sets ' || setting END)
FROM owned o JOIN owner w USING (classid, objid)
    LEFT JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid AND typtype = 'b'
    LEFT JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
    LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid,
    LATERAL (SELECT string_agg(name, ', ') AS setting
        FROM unnest(proconfig) AS item, split_part(item, '=', 1) AS name LEFT JOIN pg_settings s USING (name)
        WHERE s.context IS DISTINCT FROM 'user' AND NOT :may_set) forbidden
WHERE NOT :'is_super'
    AND (o.classid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_language'::regclass) OR t.oid IS NOT NULL
        OR p.prosupport <> 0 OR a.aggtranstype = 'internal'::regtype OR a.aggmtranstype = 'internal'::regtype OR setting IS NOT NULL)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype = 'e')
UNION ALL
SELECT format('%s is leakproof, which only a superuser may say', p.oid::regprocedure)
FROM pg_proc p JOIN our_role w ON w.oid = p.proowner
WHERE p.proleakproof AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('the tablespace %I of %s is not open to %s', s.spcname, c.oid::regclass, current_user)
FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace JOIN our_role w ON w.oid = c.relowner
WHERE NOT has_tablespace_privilege(s.oid, 'CREATE')
UNION ALL
SELECT format('the publication %I publishes %s, which only a superuser may say', pubname, CASE WHEN puballtables THEN 'all tables' ELSE 'schemas' END)
FROM pg_publication p JOIN our_role w ON w.oid = p.pubowner
WHERE (puballtables OR EXISTS (SELECT FROM toc WHERE entry LIKE 'PUBLICATION TABLES IN SCHEMA %' AND position(pubname IN entry) > 0))
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

-- A grant that a third role has made comes back only in that role's name.
INSERT INTO obstacle
SELECT DISTINCT format('a grant on %s was made by the role %s: only it, or a superuser, can make it again', what, grantor::regrole)
FROM (
    SELECT c.oid::regclass::text AS what, c.relowner AS owner, (aclexplode(c.relacl)).grantor FROM pg_class c WHERE relacl IS NOT NULL
    UNION ALL SELECT c.oid::regclass::text, c.relowner, (aclexplode(a.attacl)).grantor FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
    UNION ALL SELECT 'schema ' || nspname, nspowner, (aclexplode(nspacl)).grantor FROM pg_namespace WHERE nspacl IS NOT NULL
    UNION ALL SELECT p.oid::regprocedure::text, proowner, (aclexplode(proacl)).grantor FROM pg_proc p WHERE proacl IS NOT NULL
) acl
WHERE owner IN (SELECT oid FROM our_role) AND grantor NOT IN (SELECT oid FROM our_role);

INSERT INTO obstacle
SELECT DISTINCT format('the subscription %I fills tables of this database', s.subname)
FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database();

-- Each object that goes is a lock until the end, and so is each that comes; but triggers, rules, policies and defaults come without one (14 to 18).
-- A table comes with its TOAST table, the index of that, its types and constraints; little may be going, as after a deploy that has dropped much.
-- The lock table has room for a fifth more than it promises, and a good deal beyond.
INSERT INTO obstacle
SELECT format('one transaction would need about %s locks, and the server has room for %s: raise max_locks_per_transaction to %s',
        needed, slots, ceil(max_locks * needed / slots / 64) * 64), 'transaction'
FROM (SELECT greatest(going + coming_again, going + coming) AS needed
        FROM (SELECT count(*) AS going, count(*) FILTER (WHERE classid NOT IN ('pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_attrdef'::regclass)) AS coming_again
            FROM (SELECT DISTINCT classid, objid FROM gone) one) g,
            (SELECT coalesce(sum(CASE WHEN kind IN ('TABLE', 'MATERIALIZED VIEW') THEN 6
                    WHEN classid = 'pg_class'::regclass AND entry LIKE 'VIEW %' THEN 3
                    WHEN classid = 'pg_constraint'::regclass THEN 2
                    ELSE 1 END), 0) AS coming
            FROM replayed
            WHERE classid NOT IN (0, 'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass)
                AND (kind IS NULL OR kind NOT IN ('DEFAULT', 'DEFAULT ACL', 'BLOB', 'BLOB METADATA'))) c) n,
    (SELECT current_setting('max_locks_per_transaction')::bigint AS max_locks) m,
    (SELECT m.setting * sum(s.setting::bigint) + m.setting AS slots
        FROM pg_settings s, (SELECT setting::bigint FROM pg_settings WHERE name = 'max_locks_per_transaction') m
        WHERE s.name IN ('max_connections', coalesce((SELECT name FROM pg_settings WHERE name = 'autovacuum_worker_slots'), 'autovacuum_max_workers'),
            'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions')
        GROUP BY m.setting) c
WHERE needed > 1.2 * slots;

INSERT INTO obstacle
SELECT why, 'swap'
FROM pg_database d, pg_roles r, LATERAL (VALUES
    (NOT r.rolcreatedb AND NOT r.rolsuper, format('%s may not create databases', r.rolname)),
    (NOT pg_has_role(d.datdba, 'USAGE'), format('%s does not own the database', r.rolname)),
    (EXISTS (SELECT FROM pg_replication_slots s WHERE s.database = d.datname), 'the database has replication slots, which would stay with the old one'),
    (:VERSION_NUM >= 170000 AND :SERVER_VERSION_NUM < 170000,
        format('pg_restore %s restores by itself only into servers from 17 on, this one is %s', :VERSION_NUM / 10000, :SERVER_VERSION_NUM / 10000)),
    (EXISTS (SELECT FROM toc WHERE :SERVER_VERSION_NUM < 150000 AND entry ~ '^(SCHEMA - |ACL - SCHEMA |COMMENT - SCHEMA )public '),
        'in a new database, the schema public belongs to a superuser, and cannot be made what it was'),
    (d.datistemplate, 'the database is a template'),
    (EXISTS (SELECT FROM pg_shseclabel l WHERE l.classoid = 'pg_database'::regclass AND l.objoid = d.oid), 'the database has a security label'),
    (d.dattablespace <> (SELECT dattablespace FROM pg_database WHERE datname = 'template0') AND NOT has_tablespace_privilege(d.dattablespace, 'CREATE'),
        format('the tablespace of the database is not open to %s', r.rolname)),
    (EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantor NOT IN (SELECT oid FROM our_role)),
        'another role has passed on a right on the database, and only it can do so again'),
    (EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = d.datname), 'the database has prepared transactions'),
    (EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole <> 0 AND s.setrole <> r.oid),
        'other roles have settings of their own in this database'),
    (EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c(item) LEFT JOIN pg_settings p ON p.name = split_part(item, '=', 1)
            WHERE s.setdatabase = d.oid AND NOT r.rolsuper AND (p.context IS DISTINCT FROM 'user' OR item ~ '^[^=]*\.')),
        'the database has settings that only a superuser may make'),
    (NOT EXISTS (SELECT FROM pg_database m WHERE m.datname IN ('postgres', 'template1') AND m.oid <> d.oid AND m.datallowconn AND has_database_privilege(m.oid, 'CONNECT')),
        'neither postgres nor template1 lets in a session that could rename the database')
    ) AS reason(holds, why)
WHERE d.datname = current_database() AND r.rolname = current_user AND holds;

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
