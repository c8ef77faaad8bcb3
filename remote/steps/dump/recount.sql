-- Count the tables again that have no number yet. To plan a query, PostgreSQL runs or unfolds the functions of a table's indexes, and
-- some of them fail under our search path. COPY of a table plans nothing, and is how pg_dump reads. A table that even COPY cannot
-- read gets the word `unknown`. Follows count.sql or content.sql, in their transaction and with their savepoint.
SELECT count(*) AS tables, gen_random_uuid() AS mark :dumped \gset
\set counted `grep -c '^rows=' "$RUN_DIR/rows"`
SELECT :'counted'::bigint < :tables AS is_left \gset
\if :is_left
\set counted `grep '^rows=' "$RUN_DIR/rows"`
-- The table's rows come between two lines that hold a random mark. Without the second line, COPY has failed.
\setenv MARK :mark
\o |exec awk 'index($0, ENVIRON["MARK"] " begins ") == 1 { n = 0; next } index($0, ENVIRON["MARK"] " ends ") == 1 { printf "rows=%.0f %s\n", n, substr($0, length(ENVIRON["MARK"] " ends ") + 1); next } { n++ }' >>"$RUN_DIR/rows"
\set ON_ERROR_STOP off
SELECT format('SELECT %L', :'mark' || ' begins '), format('COPY %I.%I%s TO STDOUT', nspname, relname, narrowest), format('SELECT %L', :'mark' || ' ends ' || shown),
    'ROLLBACK TO SAVEPOINT before_count'
FROM (SELECT n.nspname, c.relname,
    translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown,
    (SELECT format('(%I)', a.attname) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attlen < 0, a.attlen, a.attnum LIMIT 1) AS narrowest
    :dumped) tables
WHERE shown NOT IN (SELECT regexp_replace(line, '^rows=[0-9]+ ', '') FROM string_to_table(:'counted', E'\n') AS line)
ORDER BY nspname, relname
\gexec
\o
\set ON_ERROR_STOP on
\set counted `cat "$RUN_DIR/rows"`
\o |exec cat >>"$RUN_DIR/rows"
WITH told AS MATERIALIZED (SELECT m[1] AS key, m[2] AS shown FROM string_to_table(:'counted', E'\n') AS line, regexp_match(line, '^(rows=|content=rows:)-?[0-9]+ (.*)$') AS m WHERE m IS NOT NULL)
SELECT key || 'unknown ' || shown
FROM (SELECT translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown :dumped) tables
    CROSS JOIN unnest(ARRAY['rows=', :'hashed']) AS wanted(key)
WHERE key <> '' AND (key, shown) NOT IN (SELECT told.key, told.shown FROM told)
ORDER BY shown, key;
\o
\endif
