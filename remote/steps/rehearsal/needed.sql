-- What others own and the archive needs (:needs_then, from its manifest): is it there, and may the role use it? Follows rights.sql,
-- in its transaction. A new database has languages of its own, and what others own keeps a restore from making one anyway.
\set needs_then `cat "$RUN_DIR/needs_then"`
INSERT INTO obstacle
WITH need AS (
    SELECT DISTINCT m[1] AS kind, m[2] AS name
    FROM string_to_table(:'needs_then', E'\n') AS line,
        regexp_match(line, '^needs=(TYPE|FUNCTION|SCHEMA|LANGUAGE|TABLESPACE|TABLE|COLUMN|LABEL|FOREIGN DATA WRAPPER|FOREIGN SERVER|ROLE) (.+)$') AS m
    WHERE m IS NOT NULL),
known(kind, name, owner, right_to, is_open) AS (
    SELECT 'TYPE', format_type(oid, NULL), typowner, 'USAGE', has_type_privilege(oid, 'USAGE') FROM pg_type WHERE oid >= 16384 AND typcategory <> 'A'
    UNION ALL SELECT 'FUNCTION', oid::regprocedure::text, proowner, 'EXECUTE', has_function_privilege(oid, 'EXECUTE') FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT 'SCHEMA', quote_ident(nspname), nspowner, 'USAGE', has_schema_privilege(oid, 'USAGE') FROM pg_namespace
    UNION ALL SELECT 'LANGUAGE', quote_ident(lanname), lanowner, 'USAGE', has_language_privilege(oid, 'USAGE') FROM pg_language
    UNION ALL SELECT 'TABLE', oid::regclass::text, relowner, 'REFERENCES', has_any_column_privilege(oid, 'REFERENCES') FROM pg_class
        WHERE relkind IN ('r', 'p') AND oid >= 16384
    UNION ALL SELECT 'COLUMN', c.oid::regclass || '.' || quote_ident(attname), relowner, NULL, true FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
        WHERE c.oid >= 16384 AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL SELECT 'LABEL', format('%s %L', format_type(enumtypid, NULL), enumlabel), NULL, NULL, true FROM pg_enum
    UNION ALL SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname), fdwowner, 'USAGE', has_foreign_data_wrapper_privilege(oid, 'USAGE') FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'FOREIGN SERVER', quote_ident(srvname), srvowner, 'USAGE', has_server_privilege(oid, 'USAGE') FROM pg_foreign_server
    UNION ALL SELECT 'TABLESPACE', quote_ident(spcname), spcowner, 'CREATE', has_tablespace_privilege(oid, 'CREATE') FROM pg_tablespace
    UNION ALL SELECT 'ROLE', quote_ident(rolname), oid, NULL, true FROM pg_roles)
SELECT CASE
        WHEN k.name IS NULL THEN format('the archive needs the %s %s, which is not there%s', lower(kind), name, CASE kind WHEN 'ROLE' THEN ': CREATE ROLE ' || name END)
        ELSE format('the archive needs the %s %s of the role %s, and %s may not use it: GRANT %s ON %s %s TO %I',
            lower(kind), name, k.owner::regrole, current_user, right_to, kind, name, current_user) END,
    CASE WHEN kind IN ('ROLE', 'TABLESPACE') THEN 'either' ELSE 'transaction' END
FROM need LEFT JOIN known k USING (kind, name)
WHERE k.is_open IS NOT TRUE;

-- A schema that stays closes all that is in it.
INSERT INTO obstacle
SELECT DISTINCT format('%s may not use the schema %I, in which something of ours is: GRANT USAGE ON SCHEMA %I TO %I', current_user, nspname, nspname, current_user), 'transaction'
FROM owned JOIN owner o USING (classid, objid) JOIN pg_namespace n ON n.oid = o.schema
WHERE NOT has_schema_privilege(n.oid, 'USAGE') AND NOT pg_has_role(n.nspowner, 'USAGE');
