-- What is not the role's own and a restore leaves as it is: each extension, with its schema and version, and each grant that the role
-- has made on what others own. In the caller's transaction.
\o :run_dir/around
SELECT 'installed=' || translate(format('%I in %I %s', extname, nspname, extversion), E'\n\r', '  ')
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace
ORDER BY extname;
WITH ours AS MATERIALIZED (SELECT oid FROM pg_roles WHERE pg_has_role(oid, 'USAGE')),
granted(what, owner, part, acl) AS (
    SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || format('%I.%I', nspname, relname), relowner, NULL::name, relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relacl IS NOT NULL
    UNION ALL SELECT format('TABLE %I.%I', nspname, relname), relowner, attname, attacl
        FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE attacl IS NOT NULL
    UNION ALL SELECT format('SCHEMA %I', nspname), nspowner, NULL, nspacl FROM pg_namespace
    UNION ALL SELECT 'ROUTINE ' || oid::regprocedure, proowner, NULL, proacl FROM pg_proc WHERE proacl IS NOT NULL
    UNION ALL SELECT 'TYPE ' || oid::regtype, typowner, NULL, typacl FROM pg_type WHERE typacl IS NOT NULL
    UNION ALL SELECT format('FOREIGN SERVER %I', srvname), srvowner, NULL, srvacl FROM pg_foreign_server
    UNION ALL SELECT format('FOREIGN DATA WRAPPER %I', fdwname), fdwowner, NULL, fdwacl FROM pg_foreign_data_wrapper
    UNION ALL SELECT format('LANGUAGE %I', lanname), lanowner, NULL, lanacl FROM pg_language
    UNION ALL SELECT 'LARGE OBJECT ' || oid, lomowner, NULL, lomacl FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL)
SELECT DISTINCT 'given=' || translate(format('GRANT %s%s ON %s TO %s%s', privilege_type, ' (' || quote_ident(part) || ')', what,
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END), E'\n\r', '  ')
FROM granted, aclexplode(acl)
WHERE grantor IN (SELECT oid FROM ours) AND owner NOT IN (SELECT oid FROM ours)
ORDER BY 1;
\o
