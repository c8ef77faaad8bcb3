-- Whether a database is as empty as a test restore needs it, or holds what one that was killed has left there: the schema
-- that marks it goes with the rest.
SELECT 'marked=' || count(*) FROM pg_namespace WHERE nspname = 'fabric_predeploy_drill' AND pg_has_role(nspowner, 'USAGE');
SELECT 'holds=' || (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
    + (SELECT count(*) FROM pg_largeobject_metadata)
    + (SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
        WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o' AND r.rolname = current_user
            AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()));
