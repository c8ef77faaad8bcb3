-- What the definitions of scripts differ in: of the archive (`before`), of the test restore (`after`), and of what a second restore of
-- the archive has made of it (`again`, or empty). Each entry counts as a whole. The roles of a policy stand in the order in which they
-- were made; what a superuser of the server owns is a superuser's there. Prints `differences=`, what is not there or is another, or
-- `reworded=`: what PostgreSQL writes in other words from the first restore on. Of these both restores have made the same.
SET standard_conforming_strings = on;
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
\set before `cat "$RUN_DIR/before"`
\set after `cat "$RUN_DIR/after"`
\set again `cat "$RUN_DIR/again_schema"`
WITH line AS (
    SELECT 'before' AS side, line FROM string_to_table(:'before', E'\n') AS line
    UNION ALL SELECT 'after', line FROM string_to_table(:'after', E'\n') AS line
    UNION ALL SELECT 'again', line FROM string_to_table(:'again', E'\n') AS line),
entry AS (
    SELECT side, m[1] AS access_method, replace(replace(m[2], '\n', E'\n'), '\s', '\') AS title, rtrim(replace(replace(m[3], '\n', E'\n'), '\s', '\'), E'\n') AS text
    FROM line, regexp_match(line, '^[0-9]*[|][0-9]*[|][0-9]*[|]([^|]*)[|](.*?)\\n(.*)$') AS m
    WHERE m IS NOT NULL AND m[3] !~ '^REFRESH MATERIALIZED VIEW '),
-- "Name: ...; Type: ...; Schema: ...; Owner: ...": the name comes first, and may hold anything.
titled AS (
    SELECT side, coalesce(m[2] || ' ' || CASE m[3] WHEN '-' THEN '' ELSE m[3] || '.' END || m[1], title) AS title, coalesce(m[2], '') AS type, access_method, text
    FROM entry LEFT JOIN LATERAL regexp_match(title, '^Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: ') AS m ON true),
plain AS (
    SELECT side, title, type, access_method || E'\n' || CASE
        WHEN text ~ '^CREATE POLICY ' THEN coalesce(
            (SELECT p[1] || (SELECT string_agg(r[1], ', ' ORDER BY r[1] COLLATE "C") FROM regexp_matches(p[2], '(' || :'name' || ')', 'g') AS r) || p[3]
                FROM regexp_match(text, '^(CREATE POLICY ' || :'name' || ' ON ' || :'name' || '[.]' || :'name' || '(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO )('
                    || :'name' || '(?:, ' || :'name' || ')*)((?: USING \(| WITH CHECK \(|;).*)$') AS p WHERE p IS NOT NULL), text)
        WHEN text ~ '^CREATE (?:FOREIGN DATA WRAPPER|EVENT TRIGGER|PUBLICATION) '
            THEN regexp_replace(text, '\n+ALTER (?:FOREIGN DATA WRAPPER|EVENT TRIGGER|PUBLICATION) ' || :'name' || ' OWNER TO ' || :'name' || ';$', '')
        ELSE text END AS text
    FROM titled),
side AS (SELECT title, type, side, count(*) AS entries, string_agg(text, E'\n' ORDER BY text COLLATE "C") AS text FROM plain GROUP BY title, type, side),
compared AS (
    SELECT title, type, b.text AS before, a.text AS after, g.text AS again, b.entries = a.entries AND a.text = g.text AS is_reworded
    FROM (SELECT * FROM side WHERE side = 'before') b FULL JOIN (SELECT * FROM side WHERE side = 'after') a USING (title, type)
        FULL JOIN (SELECT * FROM side WHERE side = 'again') g USING (title, type)
    WHERE b.text IS DISTINCT FROM a.text OR :'again' <> '' AND a.text IS DISTINCT FROM g.text),
-- Options and connection strings may hold passwords, and a body may hold anything: of such no more than the name is shown.
told AS (
    SELECT coalesce(is_reworded, false) AS is_reworded, row_number() OVER (PARTITION BY coalesce(is_reworded, false) ORDER BY title COLLATE "C") AS n,
        regexp_replace(title, '[[:cntrl:]]', ' ', 'g') AS title, CASE
            WHEN before IS NULL AND after IS NULL THEN ' has come by the way back alone'
            WHEN before IS NULL THEN ' is in the test restore alone'
            WHEN after IS NULL THEN ' is not in the test restore'
            WHEN before = after AND again IS NULL THEN ' is gone after the way back'
            WHEN type ~ '^(TABLE|VIEW|MATERIALIZED VIEW|INDEX|CONSTRAINT|CHECK CONSTRAINT|FK CONSTRAINT|DEFAULT|DOMAIN|TYPE|POLICY|TRIGGER|RULE|SEQUENCE|STATISTICS|AGGREGATE|OPERATOR|CAST|ACL|COMMENT)$'
                THEN format(' has become: %s ... instead of: %s ...', regexp_replace(substr(new_text, greatest(at - 30, 1), 100), '[[:space:][:cntrl:]]+', ' ', 'g'), regexp_replace(substr(old_text, greatest(at - 30, 1), 100), '[[:space:][:cntrl:]]+', ' ', 'g'))
            ELSE ' is another' END AS difference
    FROM compared, LATERAL (SELECT CASE WHEN before = after THEN after ELSE before END AS old_text, CASE WHEN before = after THEN again ELSE after END AS new_text) t,
        LATERAL (SELECT coalesce(min(n), 1) AS at FROM generate_series(1, 5000) AS n WHERE substr(old_text, n, 1) IS DISTINCT FROM substr(new_text, n, 1)) d)
SELECT 'differences=' || count(*) || ' definitions of its schema are others, such as: ' || string_agg(title || difference, '; ' ORDER BY n) FILTER (WHERE n <= 3)
FROM told WHERE NOT is_reworded HAVING count(*) > 0
UNION ALL
SELECT 'reworded=' || count(*) || ': ' || string_agg(title, ', ' ORDER BY n) FILTER (WHERE n <= 5) || CASE WHEN count(*) > 5 THEN ' ...' ELSE '' END
FROM told WHERE is_reworded HAVING count(*) > 0;
