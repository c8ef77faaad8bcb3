-- Whose rows go in once the indexes are there? A value of regclass, or of another type that is written as a name, may name an index or
-- something else that comes after the rows. Prints `named=` for these rows, `built=` for what comes before them, by the numbers in the
-- table of contents. In the transaction of a restore, once the definitions are there and before the rows.
SET LOCAL client_encoding = :'archive_encoding';
\set toc `cat "$RUN_DIR/toc"`
WITH RECURSIVE part(relid, typid) AS (
    SELECT a.attrelid, a.atttypid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relkind = 'r' AND c.oid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    UNION
    SELECT t.relid, p.typid
    FROM part t JOIN pg_type y ON y.oid = t.typid CROSS JOIN LATERAL (
        SELECT unnest(ARRAY[y.typbasetype, y.typelem])
        UNION ALL SELECT atttypid FROM pg_attribute WHERE attrelid = y.typrelid AND attnum > 0
        UNION ALL SELECT rngsubtype FROM pg_range WHERE y.oid IN (rngtypid, rngmultitypid)) p(typid)
    WHERE p.typid <> 0),
named AS (
    SELECT DISTINCT translate(format('%s %s ', n.nspname, c.relname), E'\n\r', '  ') AS entry
    FROM part JOIN pg_class c ON c.oid = relid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE typid IN ('regclass'::regtype, 'regproc'::regtype, 'regprocedure'::regtype, 'regtype'::regtype)),
toc AS MATERIALIZED (
    SELECT split_part(line, ';', 1) AS id, line, position FROM string_to_table(:'toc', E'\n') WITH ORDINALITY AS t(line, position)
    WHERE line ~ '^\d+; ' AND EXISTS (SELECT FROM named))
SELECT 'named=' || id FROM toc CROSS JOIN regexp_match(line, '^\d+; 0 \d+ TABLE DATA (.*)$') AS m
WHERE EXISTS (SELECT FROM named WHERE starts_with(m[1], entry))
UNION ALL
-- Rules, triggers, policies and foreign keys come after all rows; pg_dump has put them behind the indexes.
SELECT 'built=' || id FROM toc
WHERE position < (SELECT coalesce(min(position), 2147483647) FROM toc
    WHERE line ~ '^\d+; (2618|2620|3256|3466|6104|6106|6237) \d+ ' OR line ~ '^\d+; 2606 \d+ FK CONSTRAINT ' OR line ~ '^\d+; 0 \d+ ROW SECURITY ');
RESET client_encoding;
