-- What the role may read and what a dump of this database will meet. One fact a line, read-only.
-- Whether all names can be told in UTF-8. If not, they are told as the bytes that they are.
SELECT current_setting('server_encoding') = 'SQL_ASCII' AS in_bytes, current_setting('server_encoding') NOT IN ('SQL_ASCII', 'UTF8') AS to_convert \gset
\if :to_convert
\set ON_ERROR_STOP off
SELECT count(convert_to(name, 'UTF8'))
FROM (SELECT nspname::text AS name FROM pg_namespace UNION ALL SELECT relname FROM pg_class UNION ALL SELECT attname FROM pg_attribute
    UNION ALL SELECT proname FROM pg_proc UNION ALL SELECT typname FROM pg_type UNION ALL SELECT conname FROM pg_constraint
    UNION ALL SELECT tgname FROM pg_trigger UNION ALL SELECT polname FROM pg_policy UNION ALL SELECT rulename FROM pg_rewrite
    UNION ALL SELECT collname FROM pg_collation UNION ALL SELECT opcname FROM pg_opclass UNION ALL SELECT stxname FROM pg_statistic_ext
    UNION ALL SELECT cfgname FROM pg_ts_config UNION ALL SELECT dictname FROM pg_ts_dict UNION ALL SELECT srvname FROM pg_foreign_server
    UNION ALL SELECT fdwname FROM pg_foreign_data_wrapper UNION ALL SELECT pubname FROM pg_publication
    UNION ALL SELECT evtname FROM pg_event_trigger UNION ALL SELECT extname FROM pg_extension UNION ALL SELECT lanname FROM pg_language) names \g /dev/null
\set in_bytes :ERROR
\set ON_ERROR_STOP on
\endif
\if :in_bytes
SET client_encoding = SQL_ASCII;
\endif
SELECT 'encoding=' || current_setting('server_encoding');
SELECT 'names_in_bytes=yes' WHERE :'in_bytes';
BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';

SELECT 'server_version=' || split_part(current_setting('server_version'), ' ', 1);
SELECT 'server_major=' || current_setting('server_version_num')::int / 10000;
SELECT 'database_bytes=' || pg_database_size(current_database());
SELECT 'relations=' || count(*)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema';
SELECT 'role=' || concat_ws(', ',
    CASE WHEN rolsuper THEN 'superuser' END,
    CASE WHEN pg_has_role(datdba, 'USAGE') THEN 'owner of the database' ELSE 'not owner of the database' END,
    CASE WHEN rolcreatedb THEN 'may create databases' ELSE 'may not create databases' END)
FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database();

-- What BACKUP_EXCLUDE_TABLES leaves out; but nothing that a restore would drop.
WITH excluded AS (
    SELECT '"' || replace(n.nspname, '"', '""') || '"."' || replace(c.relname, '"', '""') || '"' AS name,
        translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown, pg_has_role(c.relowner, 'USAGE') AND NOT EXISTS (
            SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' AND NOT pg_has_role(e.extowner, 'USAGE')) AS is_ours
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE :'excluding' <> '' AND n.nspname || '.' || c.relname ~ :'excluding' AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
        AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname || c.relname !~ E'[\n\r]')
SELECT CASE WHEN is_ours THEN 'wanted=' || shown ELSE 'excluded=' || name END FROM excluded
UNION ALL SELECT 'missing=' || shown || ' (BACKUP_EXCLUDE_TABLES)' FROM excluded WHERE NOT is_ours
ORDER BY 1;

-- pg_dump reads every table and sequence, of views and foreign tables only the definition; the members of extensions come back with their
-- extension, but for the rows that it marks as its configuration.
WITH dumped AS (
    SELECT c.oid, n.oid AS schema, translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS name,
        c.relkind, c.relrowsecurity AND (c.relforcerowsecurity OR NOT pg_has_role(c.relowner, 'USAGE')) AS row_security
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT (:'excluding' <> '' AND n.nspname || '.' || c.relname ~ :'excluding')
        AND (NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
            OR EXISTS (SELECT FROM pg_extension e WHERE c.oid = ANY (e.extconfig)))
)
SELECT 'unreadable=' || name FROM (
    SELECT name FROM dumped
    WHERE relkind IN ('r', 'p', 'S') AND NOT (has_schema_privilege(schema, 'USAGE') AND has_table_privilege(oid, 'SELECT'))
    ORDER BY name LIMIT 5) unreadable
UNION ALL
SELECT 'row_security=' || name FROM (
    SELECT name FROM dumped
    WHERE row_security AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolbypassrls OR rolsuper))
    ORDER BY name LIMIT 5) hidden;

-- pg_dump leaves these out with no more than a warning where the role is no superuser.
SELECT 'missing=subscription ' || translate(subname, E'\n\r', '  ')
FROM pg_subscription
WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper);

-- Of PostgreSQL 14 no version is on record.
SELECT current_setting('server_version_num')::int >= 150000 AS has_versions \gset
\if :has_versions
SELECT 'collations=' || datcollversion || ' is now ' || pg_database_collation_actual_version(oid)
FROM pg_database WHERE datname = current_database() AND datcollversion <> pg_database_collation_actual_version(oid);
\endif

COMMIT;
