-- Find the tables that are wanted among the archive's own definitions, and say how each is made in a new schema. Prints
-- refused= lines, or else schema=, without_rows= and data= ones; makes nothing yet. Within the transaction of the salvage.
SET LOCAL client_min_messages = error;
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL xmloption = content;
\set words `cat "$RUN_DIR/words"`
\set expected_rows `cat "$RUN_DIR/expected_rows"`
-- As pg_dump quotes a name, and as people write one.
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
\set qualified :name '[.]' :name
\set literal '(?:''(?:[^'']|'''')*'')'
-- What stands behind the columns of a table that inherits.
\set option '[a-z_.]+=(?:[a-z0-9_]+|' :literal ')'
\set heirs_end '[)](?:\\nWITH [(]' :option '(?:, ' :option ')*[)])?;'
\set typed '(?:"(?:[^"]|"")+"|[^\\x01-\\x40\\x5B-\\x5E\\x60\\x7B-\\x7F][^\\x01-\\x23\\x25-\\x2F\\x3A-\\x40\\x5B-\\x5E\\x60\\x7B-\\x7F]*)'

CREATE TEMP TABLE word ON COMMIT DROP AS
SELECT n, word, CASE WHEN word ~ ('^' || :'typed' || '([.]' || :'typed' || ')?$') THEN parse_ident(word) END AS parts
FROM string_to_table(:'words', E'\n') WITH ORDINALITY AS t(line, n), btrim(line) AS word
WHERE word <> '';
CREATE TEMP TABLE expected_rows ON COMMIT DROP AS
SELECT m[2] AS name, m[1]::bigint AS rows
FROM string_to_table(:'expected_rows', E'\n') AS line, regexp_match(line, '^rows=(\d+) (.*)$') AS m
WHERE m IS NOT NULL;

SET LOCAL client_encoding = :'encoding';
\set definitions `cat "$RUN_DIR/definitions"`
\set data_entries `cat "$RUN_DIR/data_entries"`
CREATE TEMP TABLE definition ON COMMIT DROP AS
SELECT m[1]::int AS id, m[2]::oid AS oid, position, m[3] AS text
FROM string_to_table(:'definitions', E'\n') WITH ORDINALITY AS t(line, position),
    regexp_match(line, '^(\d+)[|]\d+[|](\d+)[|][^|]*[|](.*)$') AS m
WHERE m IS NOT NULL;
UPDATE definition SET text = rtrim(replace(replace(text, E'\\n', E'\n'), E'\\s', E'\\'), E'\n');
CREATE TEMP TABLE data_entry ON COMMIT DROP AS
SELECT m[1]::int AS id, m[2]::oid AS oid
FROM string_to_table(:'data_entries', E'\n') AS line, regexp_match(line, '^(\d+); 0 (\d+) ') AS m
WHERE m IS NOT NULL;
CREATE TEMP TABLE relation ON COMMIT DROP AS
SELECT id, oid, position, text, lower(m[1]) AS kind, m[2] AS quoted, translate(m[2], E'\n\r', '  ') AS shown,
    parse_ident(m[2]) AS parts, parse_ident(translate(m[2], E'\n\r', '  ')) AS shown_parts
FROM definition, regexp_match(text, '^(?:CREATE (?:UNLOGGED )?((?:FOREIGN |MATERIALIZED )?(?:TABLE|VIEW)|SEQUENCE)|ALTER TABLE ' || :'qualified' || ' ALTER COLUMN ' || :'name' || ' ADD GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY [(]\n +(?=SEQUENCE NAME)(SEQUENCE) NAME) (' || :'qualified' || ')') AS n,
    LATERAL (SELECT ARRAY[coalesce(n[1], n[2]), n[3]]) AS o(m)
WHERE n IS NOT NULL;
CREATE TEMP TABLE attached ON COMMIT DROP AS
SELECT m[1] AS parent, m[2] AS child, m[3] AS bounds, position
FROM definition, regexp_match(text, '^ALTER TABLE ONLY (' || :'qualified' || ') ATTACH PARTITION (' || :'qualified' || ') (.*)$') AS m
WHERE m IS NOT NULL;
CREATE TEMP TABLE inherited ON COMMIT DROP AS
SELECT r.id AS child, p.id AS parent, name[1] AS quoted, n
FROM relation r, regexp_match(text, '\n[)]\nINHERITS [(](' || :'qualified' || '(?:, ' || :'qualified' || ')*)' || :'heirs_end' || '$') AS m,
    regexp_matches(m[1], '(' || :'qualified' || ')', 'g') WITH ORDINALITY AS names(name, n)
    LEFT JOIN relation p ON p.quoted = name[1] AND p.kind = 'table'
WHERE r.kind = 'table';

RESET client_encoding;

-- A word is read as SQL would; if that leads to no table, as it stands. What an earlier salvage has left comes last.
CREATE TEMP TABLE found ON COMMIT DROP AS
SELECT * FROM (
    SELECT w.n, w.word, r.id, r.kind, r.shown, rank() OVER (PARTITION BY w.n
        ORDER BY r.kind <> 'table', r.parts[1] ~ '^restored_\d{8}_\d{6}$', r.shown_parts IS DISTINCT FROM w.parts AND r.shown_parts[2:2] IS DISTINCT FROM w.parts) AS rank
    FROM word w JOIN relation r
        ON r.shown_parts = w.parts OR r.shown_parts[2:2] = w.parts OR w.word IN (r.shown_parts[2], array_to_string(r.shown_parts, '.'))) f
WHERE rank = 1;
CREATE TEMP TABLE taken ON COMMIT DROP AS
WITH RECURSIVE taken(n, id) AS (
    SELECT n, id FROM found WHERE kind = 'table'
    UNION
    SELECT t.n, c.id FROM taken t JOIN relation p USING (id) JOIN attached a ON a.parent = p.quoted JOIN relation c ON c.quoted = a.child)
SELECT * FROM taken;
-- An heir's definition leaves out what it has inherited: its forebears are made as well, and dropped at the end.
CREATE TEMP TABLE forebear ON COMMIT DROP AS
WITH RECURSIVE forebear(id) AS (
    SELECT parent FROM inherited WHERE child IN (SELECT id FROM taken)
    UNION
    SELECT i.parent FROM inherited i JOIN forebear f ON f.id = i.child)
SELECT id FROM forebear WHERE id IS NOT NULL AND id NOT IN (SELECT id FROM taken);

SELECT 'refused=' || why FROM (
    SELECT n, word || ' is no table of the archive' || E'\t' || coalesce(
        (SELECT 'it belongs to the extension ' || extname || ', and comes back with it'
            FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
            JOIN pg_extension e ON e.oid = d.refobjid
            WHERE ARRAY[s.nspname::text, c.relname] = w.parts OR ARRAY[c.relname::text] = w.parts LIMIT 1),
        'similar are: ' || (SELECT string_agg(shown, ', ') FROM (SELECT shown FROM relation
            WHERE kind = 'table' AND (strpos(lower(shown_parts[2]), lower(bare)) > 0 OR strpos(lower(bare), lower(shown_parts[2])) > 0) ORDER BY shown LIMIT 10) s),
        'it has: ' || (SELECT string_agg(shown, ', ') FROM (SELECT shown FROM relation WHERE kind = 'table' ORDER BY shown LIMIT 10) s)
            || CASE WHEN (SELECT count(*) FROM relation WHERE kind = 'table') > 10 THEN ' ...' ELSE '' END,
        'it holds no tables') AS why
    FROM word w, coalesce(w.parts[cardinality(w.parts)], w.word) AS bare WHERE n NOT IN (SELECT n FROM found)
    UNION ALL
    SELECT n, word || ' is the name of several tables' || E'\t' || 'say which: ' || string_agg(shown, ', ' ORDER BY shown)
    FROM found WHERE kind = 'table' GROUP BY n, word HAVING count(*) > 1
    UNION ALL
    SELECT n, shown || ' is a ' || kind || ', without rows of its own in the archive' || E'\t'
        || CASE kind WHEN 'sequence' THEN 'its definition: ' WHEN 'foreign table' THEN 'its rows are on another server; its definition: ' ELSE 'name the tables that it is made from; its definition: ' END
        || 'pg_restore --list shows its entry, --use-list takes it'
    FROM found WHERE kind <> 'table'
    UNION ALL
    SELECT NULL, shown || ' inherits from ' || translate(i.quoted, E'\n\r', '  ') || ', which is not in the archive' || E'\t' || 'choose an archive that holds both'
    FROM inherited i JOIN relation r ON r.id = i.child
    WHERE i.parent IS NULL AND i.child IN (SELECT id FROM taken UNION SELECT id FROM forebear)
    UNION ALL
    SELECT NULL, format(E'%s may not create schemas in this database\tGRANT CREATE ON DATABASE %I TO %I', current_user, current_database(), current_user)
    WHERE NOT has_database_privilege(current_database(), 'CREATE')) r
ORDER BY n;

SELECT name AS schema
FROM generate_series(0, 600) AS n, to_char(clock_timestamp() AT TIME ZONE 'UTC' + n * interval '1s', '"restored_"YYYYMMDD_HH24MISS') AS name
WHERE to_regnamespace(name) IS NULL ORDER BY n LIMIT 1 \gset
-- Tables that would have the same name are told apart by their schemas.
CREATE TEMP TABLE made ON COMMIT DROP AS
SELECT *, format('%I.%I', :'schema', new_name) AS new
FROM (SELECT *, CASE WHEN count(*) OVER (PARTITION BY long_name) > 1 OR octet_length(long_name) > 63 THEN 'table_' || id ELSE long_name END AS new_name, NULL::bigint AS rows
    FROM (SELECT *, CASE WHEN count(*) OVER (PARTITION BY parts[2]) > 1 THEN parts[1] || '_' || parts[2] ELSE parts[2] END AS long_name
        FROM relation JOIN (SELECT id, false AS helps FROM taken UNION SELECT id, true FROM forebear) t USING (id)) a) b;
UPDATE made SET text = regexp_replace(text, :'qualified' || '(?:, ' || :'qualified' || ')*(' || :'heirs_end' || ')$', replace(list, '\', '\\') || '\1')
FROM (SELECT child, string_agg(m.new, ', ' ORDER BY n) AS list FROM inherited i JOIN made m ON m.id = i.parent GROUP BY child) l
WHERE child = id;
-- Each statement of a table begins with its name.
CREATE TEMP TABLE statement ON COMMIT DROP AS
SELECT 1 AS turn, d.position, m.shown, regexp_replace(CASE WHEN d.position = m.position THEN m.text ELSE d.text END,
    '^((?:CREATE|ALTER) (?:UNLOGGED )?TABLE (?:ONLY )?)' || :'qualified' || ' ', '\1' || replace(new, '\', '\\') || ' ') AS text
FROM made m JOIN definition d USING (id)
UNION ALL
SELECT 2, n, c.shown, format('ALTER TABLE %s NO INHERIT %s', c.new, p.new) FROM inherited i JOIN made c ON c.id = i.child JOIN made p ON p.id = i.parent
UNION ALL
SELECT 3, a.position, c.shown, format('ALTER TABLE ONLY %s ATTACH PARTITION %s %s', p.new, c.new, a.bounds)
FROM attached a JOIN made c ON c.quoted = a.child JOIN made p ON p.quoted = a.parent;
SELECT 'schema=' || :'schema';
SELECT 'data=' || d.id FROM made m JOIN data_entry d USING (oid) WHERE NOT helps ORDER BY position;
SELECT 'without_rows=' || shown FROM made
WHERE NOT helps AND oid NOT IN (SELECT oid FROM data_entry) AND text !~ '\n\)\n(INHERITS [^\n]*\n)?PARTITION BY ' ORDER BY position;

-- What comes next, each when it is its turn. Definitions are executed where nothing can end the transaction.
\set make 'CREATE SCHEMA :"schema"; SET LOCAL standard_conforming_strings = :strings; DO $$ DECLARE s record; BEGIN FOR s IN SELECT * FROM pg_temp.statement ORDER BY turn, position LOOP BEGIN EXECUTE s.text; EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION ''%: %'', s.shown, SQLERRM; END; END LOOP; END $$; SET LOCAL standard_conforming_strings = on;'
-- The statement in front of the rows of the entry :entry, as it is in the file `copy`. They go to the root of partitions where
-- they were dumped so.
\set copy_into 'SELECT ''COPY '' || coalesce(r.new, m.new) || '' '' || coalesce(c[2], '''') || ''FROM stdin;'' FROM data_entry d JOIN made m USING (oid), regexp_match(:''copy'', ''^COPY ('' || :''qualified'' || '') ?([(]'' || :''name'' || ''(?:, '' || :''name'' || '')*[)] | )FROM stdin;$'') AS c LEFT JOIN made r ON r.quoted = c[1] AND NOT r.helps WHERE d.id = :entry AND c IS NOT NULL;'
-- Each alone, not with its partitions.
\set count 'SELECT format(''UPDATE pg_temp.made SET rows = (SELECT count(*) FROM ONLY %s) WHERE id = %s'', new, id) FROM made WHERE NOT helps \\gexec'
\set drop_forebears 'SELECT format(''DROP TABLE %s'', new) FROM made WHERE helps ORDER BY position DESC \\gexec'
CREATE TEMP VIEW result AS
SELECT f.n, m.new_name, m.shown, sum(p.rows) AS rows, CASE WHEN count(e.rows) = count(d.id) THEN sum(e.rows) END AS expected
FROM found f JOIN made m USING (id) JOIN taken t USING (n) JOIN made p ON p.id = t.id
LEFT JOIN data_entry d ON d.oid = p.oid LEFT JOIN expected_rows e ON d.id IS NOT NULL AND parse_ident(e.name) = p.shown_parts
GROUP BY f.n, m.new_name, m.shown;
-- Locks of this transaction on what it has not made itself, stronger than reading needs.
CREATE TEMP VIEW foreign_lock AS
WITH own AS (
    SELECT oid, reltoastrelid FROM pg_class WHERE relnamespace IN (to_regnamespace(:'schema'), pg_my_temp_schema())),
held AS (
    SELECT mode, relation, coalesce(classid, 'pg_class'::regclass) AS classid, coalesce(objid, relation) AS objid FROM pg_locks
    WHERE pid = pg_backend_pid() AND mode NOT IN ('AccessShareLock', 'RowShareLock')
        AND (relation >= 16384 OR relation = 'pg_largeobject'::regclass OR locktype = 'object' AND database <> 0))
SELECT mode || ' on ' || translate(coalesce(pg_describe_object(classid, objid, 0), 'what it has dropped'), E'\n\r', '  ') AS about
FROM held
WHERE objid NOT IN (SELECT oid FROM own UNION ALL SELECT reltoastrelid FROM own UNION ALL SELECT indexrelid FROM pg_index JOIN own ON indrelid = reltoastrelid)
    AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid AND t.typnamespace IN (to_regnamespace(:'schema'), pg_my_temp_schema()))
    AND NOT (classid = 'pg_namespace'::regclass AND objid IN (to_regnamespace(:'schema'), pg_my_temp_schema()));
