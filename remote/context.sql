-- What an archive does not hold and its restore elsewhere needs: how the database sorts and stores text, and the roles
-- that its objects name. Follows locale.sql.
\o :run_dir/context
SET LOCAL client_encoding = SQL_ASCII; -- roles are known to all databases, by the bytes of their names
SELECT 'locale=' || translate(:'locale', E'\n\r', '  ');
SELECT 'as_superuser=' || CASE WHEN rolsuper THEN 'yes' ELSE 'no' END FROM pg_roles WHERE rolname = current_user;
-- Of the one whom the server began with there is no record of dependence.
SELECT CASE WHEN rolname ~ E'[\n\r]' THEN 'role_encoded=' || replace(replace(replace(rolname, E'\\', E'\\s'), E'\n', E'\\n'), E'\r', E'\\r') ELSE 'role=' || rolname END
FROM pg_roles
WHERE rolname !~ '^pg_' AND (oid = 10 OR oid IN (
    SELECT refobjid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())))
ORDER BY rolname;
RESET client_encoding;
SELECT 'encoding=' || current_setting('server_encoding');
SELECT 'names_in_bytes=yes' WHERE current_setting('client_encoding') = 'SQL_ASCII';
-- What the code of the database itself depends on, and what money is written in. Each a key of its own, as in a manifest each is there once.
SELECT 'setting_' || name || '=' || translate(setting, E'\n\r', '  ')
FROM pg_settings
WHERE name IN ('DateStyle', 'IntervalStyle', 'TimeZone', 'bytea_output', 'extra_float_digits', 'lc_monetary', 'lc_numeric', 'lc_time',
    'transform_null_equals', 'xmlbinary')
ORDER BY name;
\o
