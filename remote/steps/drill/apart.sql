-- In the server of a test restore: make what only a superuser may make, by name. Of the archive's statements only those are
-- run here whose whole text has a known form, in which nothing but names and literals is the archive's own. :turn is `first`,
-- before anything else of the archive is there, or `last`, after all else of it.
SET standard_conforming_strings = on;
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
\set qualified :name '(?:[.]' :name ')?'
\set literal '(?:''(?:[^'']|'''')*''|E''(?:[^''\\\\]|''''|\\\\\\\\)*'')'
\set statements `cat "$RUN_DIR/apart"`

\set configured 'FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig) AS k(oid) JOIN pg_class c ON c.oid = k.oid JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL (SELECT CASE c.relkind WHEN ''S'' THEN ''SELECT, UPDATE ON SEQUENCE'' ELSE ''SELECT, INSERT ON TABLE'' END) AS g(given) WHERE c.relkind IN (''r'', ''S'')'

CREATE TEMP TABLE form (turn int, form text);
INSERT INTO form VALUES
    (1, 'CREATE SCHEMA ' || :'name'),
    (1, 'ALTER SCHEMA ' || :'name' || ' OWNER TO ' || :'name'),
    (2, 'CREATE EXTENSION IF NOT EXISTS ' || :'name' || ' WITH SCHEMA ' || :'name'),
    (3, 'CREATE ACCESS METHOD ' || :'name' || ' TYPE (?:INDEX|TABLE) HANDLER ' || :'qualified'),
    (3, 'CREATE FOREIGN DATA WRAPPER ' || :'name' || '(?: HANDLER ' || :'qualified' || ')?(?: VALIDATOR ' || :'qualified' || ')?(?: OPTIONS \(\n    '
        || :'name' || ' ' || :'literal' || '(?:,\n    ' || :'name' || ' ' || :'literal' || ')*\n\))?'),
    (3, 'ALTER (?:FOREIGN DATA WRAPPER|EVENT TRIGGER) ' || :'name' || ' OWNER TO ' || :'name'),
    (4, 'COMMENT ON (?:EXTENSION|ACCESS METHOD|FOREIGN DATA WRAPPER) ' || :'name' || ' IS ' || :'literal'),
    (5, 'CREATE PUBLICATION ' || :'name' || ' FOR ALL TABLES WITH \((?:[a-z_]+ = (?:[a-z]+|' || :'literal' || ')(?:, )?)+\)'),
    (5, 'ALTER PUBLICATION ' || :'name' || ' OWNER TO ' || :'name'),
    (5, 'ALTER PUBLICATION ' || :'name' || ' ADD TABLES IN SCHEMA ' || :'name'),
    (6, 'COMMENT ON PUBLICATION ' || :'name' || ' IS ' || :'literal'),
    (6, 'SET ROLE ' || :'name'),
    (6, '(?:GRANT|REVOKE)(?: GRANT OPTION FOR)? (?:ALL|USAGE) ON FOREIGN DATA WRAPPER ' || :'name' || ' (?:TO|FROM) (?:PUBLIC|' || :'name' || ')(?: WITH GRANT OPTION)?'),
    (6, 'RESET ROLE'),
    -- Last of all: nothing that comes later here may set one off.
    (7, 'CREATE EVENT TRIGGER ' || :'name' || ' ON [a-z_]+(?:\n +WHEN TAG IN \(' || :'literal' || '(?:, ' || :'literal' || ')*\))?\n +EXECUTE FUNCTION '
        || :'qualified' || '\(\)'),
    (7, 'ALTER EVENT TRIGGER ' || :'name' || ' (?:DISABLE|ENABLE|ENABLE REPLICA|ENABLE ALWAYS)'),
    (7, 'COMMENT ON EVENT TRIGGER ' || :'name' || ' IS ' || :'literal');

-- An entry of which one statement has no such form is for the role of the archive, as a whole.
CREATE TEMP TABLE statement AS
SELECT *, bool_and(turn IS NOT NULL) OVER (PARTITION BY id) AS known
FROM (SELECT n, m[1]::int AS id, t.text, CASE WHEN t.text !~ '^(?:GRANT|REVOKE) ' OR t.text ~ ' ON FOREIGN DATA WRAPPER '
            THEN (SELECT min(turn) FROM form WHERE t.text ~ ('^' || form || ';$')) END AS turn
    FROM string_to_table(:'statements', E'\n') WITH ORDINALITY AS l(line, n),
        regexp_match(line, '^([0-9]+)[|][0-9]+[|][0-9]+[|][^|]*[|](.*)$') AS m,
        rtrim(replace(replace(m[2], '\n', E'\n'), '\s', '\'), E'\n') AS t(text)
    WHERE m IS NOT NULL) s;
-- A trusted extension that the role has made there is made by the role here as well, so that the way back finds it in its hands.
UPDATE statement SET known = false WHERE id IN (
    SELECT id FROM statement, regexp_match(text, '^(?:CREATE EXTENSION IF NOT EXISTS|COMMENT ON EXTENSION) (' || :'name' || ') ') AS m,
        LATERAL (SELECT (parse_ident(m[1]))[1] AS name) x
    WHERE m IS NOT NULL AND x.name IN (SELECT (parse_ident(own[1]))[1] FROM regexp_matches(:'own_extensions', '(' || :'name' || ')', 'g') AS own)
        AND EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = x.name AND (v.trusted OR NOT v.superuser)));
-- So is what is said of a publication that the role makes.
UPDATE statement SET known = false WHERE text ~ '^COMMENT ON PUBLICATION ' AND substring(text FROM '^COMMENT ON PUBLICATION (' || :'name' || ') ') NOT IN (
    SELECT substring(text FROM '^CREATE PUBLICATION (' || :'name' || ') ') FROM statement WHERE known AND text ~ '^CREATE PUBLICATION ');
-- The owner of these is a superuser here, and is not compared.
DELETE FROM statement WHERE known AND text ~ ('^ALTER (?:FOREIGN DATA WRAPPER|EVENT TRIGGER|PUBLICATION) ' || :'name' || ' OWNER TO ' || :'name' || ';$');

SELECT :'turn' = 'first' AS is_first, :SERVER_VERSION_NUM < 150000 AS public_is_not_the_owners \gset
\if :is_first
SELECT text FROM statement WHERE known AND turn <= 4 ORDER BY turn, n \gexec
-- The owner of a foreign server needs this while the archive's own grants have not come yet; what is given here is on record.
CREATE TEMP TABLE wrapper AS
SELECT fdwname AS name FROM pg_foreign_data_wrapper
WHERE NOT EXISTS (SELECT FROM aclexplode(fdwacl) WHERE grantee = 0);
SELECT format('GRANT USAGE ON FOREIGN DATA WRAPPER %I TO PUBLIC', name) FROM wrapper \gexec
\o :run_dir/wrappers
SELECT replace(replace(name, '\', '\s'), E'\n', '\n') FROM wrapper;
\o
GRANT CREATE ON DATABASE drill TO PUBLIC;
-- The rows that extensions mark as their configuration are the archive's, and the role's to bring back: it may write there for as long.
-- pg_dump reads their sequences even for a schema alone. A right that comes by membership shows in no grant, and takes none away.
GRANT pg_read_all_data TO :"owner";
SELECT format('GRANT %s %I.%I TO %I', given, nspname, relname, :'owner')
:configured
\gexec
\if :public_is_not_the_owners
ALTER SCHEMA public OWNER TO :"owner";
\endif
SELECT DISTINCT 'made=' || id FROM statement WHERE known;
-- Grants on what extensions and PostgreSQL itself have brought: a superuser's here, and no part of what a restore replays.
WITH theirs AS (
    SELECT CASE WHEN c.relkind = 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || format('%I.%I', n.nspname, c.relname) AS object
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    UNION ALL
    SELECT 'SCHEMA ' || format('%I', n.nspname)
    FROM pg_namespace n JOIN pg_depend d ON d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
    UNION ALL
    SELECT 'TYPE ' || format('%I.%I', n.nspname, t.typname)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
SELECT DISTINCT 'untried=' || id
FROM statement, regexp_match(text, '^(?:GRANT|REVOKE) .*? ON ((?:TABLE|SEQUENCE|FUNCTION|PROCEDURE|SCHEMA|TYPE|LANGUAGE) .*) (?:TO|FROM) (?:PUBLIC|' || :'name' || ')(?: WITH GRANT OPTION)?;$') AS m
WHERE NOT known AND (m[1] IN (SELECT object FROM theirs) OR m[1] ~ '^(?:LANGUAGE |[A-Z]+ (?:pg_catalog|information_schema)[.])');
\else
-- What extensions have set up for such statements reads tables that the role could write.
SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger
\gexec
SELECT format('REVOKE %s %I.%I FROM %I', given, nspname, relname, :'owner')
:configured
\gexec
\set wrappers `cat "$RUN_DIR/wrappers"`
SELECT format('REVOKE USAGE ON FOREIGN DATA WRAPPER %I FROM PUBLIC', replace(replace(line, '\n', E'\n'), '\s', '\'))
FROM string_to_table(:'wrappers', E'\n') AS line WHERE line <> '' \gexec
\if :public_is_not_the_owners
-- What its owner was given for himself went with the owner.
ALTER SCHEMA public OWNER TO CURRENT_USER;
SELECT text FROM statement WHERE text ~ ('^ALTER SCHEMA public OWNER TO ' || :'name' || ';$')
    OR text ~ ('^(?:GRANT|REVOKE)(?: GRANT OPTION FOR)? (?:ALL|USAGE|CREATE)(?:,(?:USAGE|CREATE))? ON SCHEMA public (?:TO|FROM) (?:PUBLIC|' || :'name' || ')(?: WITH GRANT OPTION)?;$')
ORDER BY text !~ '^ALTER', n \gexec
\endif
SELECT text FROM statement WHERE known AND turn > 4 ORDER BY turn, n \gexec
\endif
