-- What the definitions of two scripts differ in: of the archive (`before`), and of the test restore (`after`). Each entry counts as
-- a whole. The roles of a policy stand in the order in which they were made; what a superuser of the server owns is a
-- superuser's there.
SET standard_conforming_strings = on;
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
\set before `cat "$RUN_DIR/before"`
\set after `cat "$RUN_DIR/after"`
WITH line AS (
    SELECT 'before' AS side, line FROM string_to_table(:'before', E'\n') AS line
    UNION ALL SELECT 'after', line FROM string_to_table(:'after', E'\n') AS line),
entry AS (
    SELECT side, m[1] AS access_method, rtrim(replace(replace(m[2], '\n', E'\n'), '\s', '\'), E'\n') AS text
    FROM line, regexp_match(line, '^[0-9]*[|][0-9]*[|][0-9]*[|]([^|]*)[|](.*)$') AS m
    WHERE m IS NOT NULL AND m[2] !~ '^REFRESH MATERIALIZED VIEW '),
plain AS (
    SELECT side, access_method, CASE
        WHEN text ~ '^CREATE POLICY ' THEN coalesce(
            (SELECT p[1] || (SELECT string_agg(r[1], ', ' ORDER BY r[1] COLLATE "C") FROM regexp_matches(p[2], '(' || :'name' || ')', 'g') AS r) || p[3]
                FROM regexp_match(text, '^(CREATE POLICY ' || :'name' || ' ON ' || :'name' || '[.]' || :'name' || '(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)? TO )('
                    || :'name' || '(?:, ' || :'name' || ')*)((?: USING \(| WITH CHECK \(|;).*)$') AS p WHERE p IS NOT NULL), text)
        WHEN text ~ '^CREATE (?:FOREIGN DATA WRAPPER|EVENT TRIGGER|PUBLICATION) '
            THEN regexp_replace(text, '\n+ALTER (?:FOREIGN DATA WRAPPER|EVENT TRIGGER|PUBLICATION) ' || :'name' || ' OWNER TO ' || :'name' || ';$', '')
        ELSE text END AS text
    FROM entry),
difference AS (
    SELECT access_method, text FROM plain GROUP BY access_method, text
    HAVING count(*) FILTER (WHERE side = 'before') <> count(*) FILTER (WHERE side = 'after'))
SELECT 'differences=' || count(*) || ' definitions of its schema are others, such as: ' || string_agg(told, '; ') FILTER (WHERE n <= 3)
-- Options and connection strings may hold passwords: no more of a statement than its first words.
FROM (SELECT regexp_replace(substring(text FROM '^[A-Z][A-Z ]+[^ (]+'), '[[:cntrl:]]', ' ', 'g') AS told, row_number() OVER (ORDER BY text) AS n FROM difference) d
HAVING count(*) > 0;
