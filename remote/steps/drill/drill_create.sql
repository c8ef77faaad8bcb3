-- Make the role (:owner), the roles that objects of the archive name (:roles, a line each) and the database of a test restore.
-- Of :locale, a line of a manifest, only its parts are taken, each as a literal.
-- Roles are known to all databases, whatever the encoding: by the bytes of their names.
SET standard_conforming_strings = on;
SET client_encoding = SQL_ASCII;
ALTER ROLE CURRENT_USER SET client_min_messages = error;
CREATE ROLE :"owner" LOGIN BYPASSRLS;
SELECT format('CREATE ROLE %I', name), format('GRANT %I TO %I', name, :'owner')
FROM string_to_table(:'roles', E'\n') AS line,
    LATERAL (SELECT CASE WHEN line LIKE 'role=%' THEN substr(line, 6)
        ELSE replace(replace(replace(substr(line, 14), '\n', E'\n'), '\r', E'\r'), '\s', '\') END AS name) n
WHERE line ~ '^role(_encoded)?=.' AND name NOT IN (:'owner', current_user) AND name !~ '^pg_'
\gexec
\set literal '(E?''(?:[^'']|'''')*'')'
SELECT format('CREATE DATABASE drill OWNER %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', :'owner', value[1], value[2], value[3])
    || coalesce(' LOCALE_PROVIDER ' || m[4], '') || coalesce(' BUILTIN_LOCALE ' || quote_literal(value[5]), '')
    || coalesce(' ICU_LOCALE ' || quote_literal(value[6]), '') || coalesce(' ICU_RULES ' || quote_literal(value[7]), '')
FROM regexp_match(:'locale', '^ENCODING ' || :'literal' || ' LC_COLLATE ' || :'literal' || ' LC_CTYPE ' || :'literal'
        || '(?: LOCALE_PROVIDER (libc|builtin|icu))?(?: BUILTIN_LOCALE ' || :'literal' || ')?(?: ICU_LOCALE ' || :'literal' || ')?(?: ICU_RULES ' || :'literal' || ')?$') AS m,
    LATERAL (SELECT array_agg(CASE WHEN part ~ '^E' THEN replace(replace(substr(part, 3, length(part) - 3), '''''', ''''), '\\', '\')
        ELSE replace(substr(part, 2, length(part) - 2), '''''', '''') END ORDER BY n) AS value FROM unnest(m) WITH ORDINALITY AS u(part, n)) v
WHERE m IS NOT NULL
\gexec
SELECT 'locale=unknown' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'drill');
