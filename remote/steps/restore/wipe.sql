-- Drop all that is ours, with the locks held: within the transaction of the restore, after ours.sql.
-- Extensions and publications before what they hold on to, schemas before their contents.
SELECT format('DROP %s IF EXISTS %s CASCADE',
    CASE i.type WHEN 'statistics object' THEN 'statistics' WHEN 'foreign-data wrapper' THEN 'foreign data wrapper' ELSE i.type END,
    CASE i.type WHEN 'aggregate' THEN regexp_replace(i.identity, '\(\)$', '(*)')
        WHEN 'transform' THEN (SELECT format('FOR %s LANGUAGE %I', trftype::regtype, lanname) FROM pg_transform t JOIN pg_language l ON l.oid = trflang WHERE t.oid = o.objid)
        ELSE i.identity END)
FROM owned o CROSS JOIN pg_identify_object(o.classid, o.objid, 0) AS i
WHERE i.type NOT IN ('large object', 'default acl', 'user mapping')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype IN ('e', 'i', 'P'))
ORDER BY CASE i.type WHEN 'publication' THEN 0 WHEN 'extension' THEN 1 WHEN 'schema' THEN 2 WHEN 'table' THEN 3 ELSE 4 END
\gexec
SELECT format('DROP USER MAPPING IF EXISTS FOR %I SERVER %I', usename, srvname)
FROM pg_user_mappings WHERE umuser IN (SELECT oid FROM our_role)
\gexec
SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE lomowner IN (SELECT oid FROM our_role) \g /dev/null

-- Default privileges: those of a schema come to nothing, the others back to what is built in.
CREATE TEMP TABLE default_acl ON COMMIT DROP AS
SELECT d.defaclrole::regrole AS of, d.defaclobjtype AS kind, d.defaclnamespace AS schema,
    CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END AS kinds, d.defaclacl AS acl
FROM pg_default_acl d WHERE d.defaclrole IN (SELECT oid FROM our_role);
SELECT DISTINCT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s %s REVOKE ALL ON %s FROM %s', of,
    CASE WHEN schema <> 0 THEN 'IN SCHEMA ' || schema::regnamespace END, kinds,
    CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM default_acl, aclexplode(acl)
\gexec
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s GRANT ALL ON %s TO %s', of, kinds, grantee)
FROM default_acl, LATERAL (SELECT of::text UNION ALL SELECT 'PUBLIC' WHERE kind IN ('f', 'T')) AS built_in(grantee)
WHERE schema = 0
\gexec

-- Schemas that stay become what they were when they were made; what they had been given since stands in the archive.
SELECT NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'public') AS public_is_gone,
    :SERVER_VERSION_NUM >= 150000 AS public_is_of_the_database_owner \gset
\if :public_is_gone
CREATE SCHEMA public;
INSERT INTO kept_schema SELECT oid, nspname FROM pg_namespace WHERE nspname = 'public';
\endif
SELECT 'ALTER SCHEMA public OWNER TO pg_database_owner'
FROM kept_schema
WHERE name = 'public' AND :'public_is_of_the_database_owner' AND pg_has_role('pg_database_owner', 'USAGE')
\gexec
SELECT DISTINCT format('REVOKE ALL ON SCHEMA %I FROM %s CASCADE', n.nspname, CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_namespace n JOIN kept_schema k ON k.oid = n.oid, aclexplode(n.nspacl)
WHERE grantee <> n.nspowner
\gexec
SELECT format('GRANT ALL ON SCHEMA %I TO %s', n.nspname, n.nspowner::regrole) FROM pg_namespace n JOIN kept_schema k ON k.oid = n.oid
UNION ALL
SELECT format('GRANT %s ON SCHEMA public TO PUBLIC', CASE WHEN :'public_is_of_the_database_owner' THEN 'USAGE' ELSE 'ALL' END)
FROM kept_schema WHERE name = 'public'
UNION ALL
SELECT format('COMMENT ON SCHEMA %I IS %L', name, CASE name WHEN 'public' THEN 'standard public schema' END) FROM kept_schema
\gexec
DROP TABLE our_role, owned, owner, kept_schema, gone, victim, default_acl;
