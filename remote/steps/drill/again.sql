-- Of a test restore: which tables' rows are left out when the way back goes over it (`large=`, by their numbers in the table of
-- contents), as they are more than :again_rows, not counted, or refer to such; and how many rows each table has afterwards.
\set toc `cat "$RUN_DIR/toc"`
SET client_encoding = :'archive_encoding';
CREATE TEMP TABLE listed AS SELECT line FROM string_to_table(:'toc', E'\n') AS line;
RESET client_encoding;
\set rows `cat "$RUN_DIR/found"`
CREATE TEMP TABLE stored AS
SELECT c.oid, coalesce(pg_partition_root(c.oid), c.oid) AS root, c.relkind, m.rows,
    translate(format('%s %s ', n.nspname, c.relname), E'\n\r', '  ') AS entry, translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (SELECT m[1]::bigint AS rows, m[2] AS shown
    FROM string_to_table(:'rows', E'\n') AS line, regexp_match(line, '^rows=([0-9]{1,18}) (.*)$') AS m WHERE m IS NOT NULL) m
    ON m.shown = translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ')
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
CREATE TEMP TABLE large AS
WITH RECURSIVE large(root) AS (
    SELECT root FROM stored WHERE relkind = 'r' AND (rows IS NULL OR rows > :again_rows)
    UNION
    SELECT referring.root
    FROM large l JOIN stored referred ON referred.root = l.root JOIN pg_constraint k ON k.contype = 'f' AND k.confrelid = referred.oid
        JOIN stored referring ON referring.oid = k.conrelid)
SELECT root FROM large;
SELECT 'large=' || m[1]
FROM listed, regexp_match(line, '^(\d+); 0 \d+ TABLE DATA (.*)$') AS m
    JOIN stored s ON starts_with(m[2], s.entry)
WHERE s.root IN (SELECT root FROM large);
SELECT 'large=blobs' WHERE (SELECT count(*) FROM pg_largeobject_metadata) > :again_rows OR pg_relation_size('pg_largeobject') > 67108864;
\o :run_dir/again
SELECT 'rows=' || CASE WHEN root IN (SELECT root FROM large) THEN 0 ELSE rows END || ' ' || shown FROM stored WHERE rows IS NOT NULL;
\o
DROP TABLE stored, large;
-- Casts and transforms that others have made stay where they are. The archive tells no owner of them, and numbers of the live database.
SELECT 'stays=' || m[1]
FROM listed, regexp_match(line, '^(\d+); (?:2605 \d+|3576 \d+|0 0 COMMENT -) ((?:CAST|TRANSFORM) .*?) *$') AS m
WHERE regexp_replace(m[2], '^(?:CAST|TRANSFORM) - ', '') IN (
    SELECT format('CAST (%s AS %s)', format_type(castsource, NULL), format_type(casttarget, NULL))
    FROM pg_cast c JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget LEFT JOIN pg_proc f ON f.oid = castfunc
    WHERE NOT (pg_has_role(s.typowner, 'USAGE') OR pg_has_role(t.typowner, 'USAGE') OR coalesce(pg_has_role(f.proowner, 'USAGE'), false))
    UNION ALL
    SELECT format('TRANSFORM FOR %s LANGUAGE %s', format_type(trftype, NULL), lanname)
    FROM pg_transform f JOIN pg_type t ON t.oid = trftype JOIN pg_language l ON l.oid = trflang
    WHERE NOT (pg_has_role(t.typowner, 'USAGE') OR pg_has_role(l.lanowner, 'USAGE')));
