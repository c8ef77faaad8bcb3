-- The databases that swaps have left beside the live one, which we are in; :names are those to drop, one a line.
CREATE TEMP TABLE old AS
SELECT d.datname AS name
FROM pg_database d, (SELECT left(current_database(), n) AS base FROM generate_series(1, 63) n
    WHERE octet_length(left(current_database(), n)) <= 40 ORDER BY n DESC LIMIT 1) b
WHERE starts_with(d.datname, base || '_before_') AND substr(d.datname, length(base || '_before_') + 1) ~ '^[0-9]{14}$'
    AND pg_has_role(d.datdba, 'USAGE');
SELECT 'old_database=' || name FROM old ORDER BY name;
SELECT 'unknown=' || name FROM string_to_table(:'names', E'\n') AS name WHERE name <> '' AND name NOT IN (SELECT name FROM old);
\if :drops
SELECT format('DROP DATABASE %I', name), format('SELECT %L', 'dropped=' || name)
FROM old WHERE name IN (SELECT string_to_table(:'names', E'\n')) ORDER BY name
\gexec
\endif
