-- Find names for a new database (:new) and for the live one afterwards (:old) that nobody has, and what makes the new
-- one like the live one (:live). Made by :create_database once its name is on record. Follows locale.sql.
SELECT base || '_restore_' || stamp AS new, base || '_before_' || stamp AS old
FROM (SELECT left(:'live', n) AS base FROM generate_series(1, 63) n
        WHERE octet_length(left(:'live', n)) <= 40 ORDER BY n DESC LIMIT 1) b,
    (SELECT to_char(now() AT TIME ZONE 'UTC' + n * interval '1 second', 'YYYYMMDDHH24MISS') AS stamp FROM generate_series(0, 600) n) s
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname IN (base || '_restore_' || stamp, base || '_before_' || stamp))
ORDER BY stamp LIMIT 1 \gset
SELECT concat_ws(' ', format('CREATE DATABASE %I TEMPLATE template0 OWNER %I', :'new', pg_get_userbyid(d.datdba)), :'locale',
    -- Naming the one that it would have anyhow demands a right of its own.
    CASE WHEN d.dattablespace <> t.dattablespace THEN format('TABLESPACE %I', s.spcname) END) AS create_database
FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace, pg_database t
WHERE d.datname = :'live' AND t.datname = 'template0' \gset
SELECT 'new=' || :'new' UNION ALL SELECT 'old=' || :'old' UNION ALL SELECT 'creator=' || pg_backend_pid();
