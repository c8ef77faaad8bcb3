-- What an archive does not hold and its restore elsewhere needs: how the database sorts and stores text, and the roles
-- that its objects name. Follows locale.sql.
\o :run_dir/context
SET LOCAL client_encoding = SQL_ASCII; -- roles are known to all databases, by the bytes of their names
SELECT 'locale=' || translate(:'locale', E'\n\r', '  ');
SELECT 'as_superuser=' || CASE WHEN rolsuper THEN 'yes' ELSE 'no' END FROM pg_roles WHERE rolname = current_user;
-- A restore may have to replay rows under it: for functions in checks and the like that name things without their schemas.
SELECT 'search_path=' || translate(coalesce(
    (SELECT substr(setting, 13) FROM pg_db_role_setting s JOIN pg_roles r ON r.rolname = session_user, unnest(setconfig) AS setting
    WHERE setting LIKE 'search\_path=%' AND setrole IN (0, r.oid) AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    ORDER BY setrole = 0, setdatabase = 0 LIMIT 1),
    (SELECT reset_val FROM pg_settings WHERE name = 'search_path')), E'\n\r', '  ');
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
-- What belongs to the role there is to belong to it elsewhere, too: for whom it acts, as in ours.sql, and which extensions it has made.
SELECT CASE WHEN :SERVER_VERSION_NUM >= 160000 THEN 'SET' ELSE 'MEMBER' END AS may_become \gset
SELECT 'acts_for=' || string_agg(quote_ident(rolname), ', ' ORDER BY rolname)
FROM pg_roles WHERE rolname !~ '(^pg_|[\n\r])' AND pg_has_role(oid, 'USAGE') AND pg_has_role(oid, :'may_become');
SELECT 'extensions=' || string_agg(quote_ident(extname), ', ' ORDER BY extname) FROM pg_extension
WHERE extname !~ '[\n\r]' AND pg_has_role(extowner, 'USAGE') AND pg_has_role(extowner, :'may_become')
HAVING count(*) > 0;
\o
