-- Find names for a new database (:new) and for the live one afterwards (:old) that nobody has, and what makes the new
-- one like the live one (:live), whose columns differ from 14 to 18. Made by :create_database once its name is on record.
SELECT base || '_restore_' || stamp AS new, base || '_before_' || stamp AS old
FROM (SELECT left(:'live', n) AS base FROM generate_series(1, 63) n
        WHERE octet_length(left(:'live', n)) <= 40 ORDER BY n DESC LIMIT 1) b,
    (SELECT to_char(now() AT TIME ZONE 'UTC' + n * interval '1 second', 'YYYYMMDDHH24MISS') AS stamp FROM generate_series(0, 600) n) s
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname IN (base || '_restore_' || stamp, base || '_before_' || stamp))
ORDER BY stamp LIMIT 1 \gset
SELECT concat_ws(' ', format('CREATE DATABASE %I TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L',
        :'new', pg_get_userbyid(d.datdba), pg_encoding_to_char(d.encoding), d.datcollate, d.datctype),
    CASE props ->> 'datlocprovider'
        WHEN 'c' THEN 'LOCALE_PROVIDER libc'
        WHEN 'b' THEN format('LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', props ->> 'datlocale')
        WHEN 'i' THEN format('LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(props ->> 'datlocale', props ->> 'daticulocale'))
    END,
    'ICU_RULES ' || quote_literal(props ->> 'daticurules'),
    -- Naming the one that it would have anyhow demands a right of its own.
    CASE WHEN d.dattablespace <> t.dattablespace THEN format('TABLESPACE %I', s.spcname) END) AS create_database
FROM pg_database d JOIN pg_tablespace s ON s.oid = d.dattablespace, to_jsonb(d) AS props, pg_database t
WHERE d.datname = :'live' AND t.datname = 'template0' \gset
SELECT 'new=' || :'new' UNION ALL SELECT 'old=' || :'old';
