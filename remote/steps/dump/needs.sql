-- What others own, and a restore needs to bring back what is ours: `needs=KIND name` lines, for the manifest. The others may change it,
-- or take the right to use it away, before the restore. An extension of ours is made anew, so it is not told. In the caller's transaction.
\o :run_dir/needs
WITH RECURSIVE ours AS MATERIALIZED (SELECT oid FROM pg_roles WHERE pg_has_role(oid, 'USAGE')),
relation AS MATERIALIZED (SELECT oid, relkind, reltablespace FROM pg_class WHERE oid >= 16384 AND relowner IN (SELECT oid FROM ours)),
routine AS MATERIALIZED (SELECT oid, prokind, prolang FROM pg_proc WHERE oid >= 16384 AND proowner IN (SELECT oid FROM ours)),
type AS MATERIALIZED (SELECT oid FROM pg_type WHERE oid >= 16384 AND typowner IN (SELECT oid FROM ours)),
-- `columns`: whoever makes it must be let use the types that it is made of; `runs`: and run the functions that it is made with.
own(classid, objid, columns, runs) AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid, oid, relkind NOT IN ('i', 'I'), relkind IN ('i', 'I', 'p') FROM relation
    UNION ALL SELECT 'pg_proc'::regclass, oid, true, prokind = 'a' FROM routine
    UNION ALL SELECT 'pg_type'::regclass, oid, true, true FROM type
    UNION ALL SELECT 'pg_operator'::regclass, oid, true, true FROM pg_operator WHERE oprowner IN (SELECT oid FROM ours)
    UNION ALL SELECT 'pg_conversion'::regclass, oid, true, true FROM pg_conversion WHERE conowner IN (SELECT oid FROM ours)
    UNION ALL SELECT 'pg_cast'::regclass, oid, true, true FROM pg_cast WHERE castsource IN (SELECT oid FROM type) OR casttarget IN (SELECT oid FROM type)
    UNION ALL SELECT 'pg_constraint'::regclass, oid, false, contype = 'c' FROM pg_constraint
        WHERE conrelid IN (SELECT oid FROM relation) OR contypid IN (SELECT oid FROM type)
    UNION ALL SELECT 'pg_attrdef'::regclass, f.oid, false, attgenerated <> '' FROM pg_attrdef f JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
        WHERE adrelid IN (SELECT oid FROM relation)
    UNION ALL SELECT 'pg_trigger'::regclass, oid, false, false FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM relation)
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, false, false FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relation)
    UNION ALL SELECT 'pg_policy'::regclass, oid, false, false FROM pg_policy WHERE polrelid IN (SELECT oid FROM relation)
    UNION ALL SELECT 'pg_namespace'::regclass, oid, false, false FROM pg_namespace WHERE nspowner IN (SELECT oid FROM ours)
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, false, false FROM pg_default_acl WHERE defaclrole IN (SELECT oid FROM ours)
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, false, false FROM pg_largeobject_metadata WHERE lomowner IN (SELECT oid FROM ours)
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, false, false FROM pg_foreign_server WHERE srvowner IN (SELECT oid FROM ours)),
made_anew AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extowner IN (SELECT oid FROM ours)),
-- Up to 14, a generated column depends itself on its function; from 15 on, its expression does.
edge AS MATERIALIZED (
    SELECT DISTINCT d.refclassid AS classid, d.refobjid AS objid, columns, runs OR d.classid = 'pg_class'::regclass AND d.objsubid > 0 AS runs
    FROM own JOIN pg_depend d USING (classid, objid)
    WHERE d.deptype IN ('n', 'a') AND d.refobjid >= 16384 AND NOT EXISTS (SELECT FROM own o WHERE o.classid = d.refclassid AND o.objid = d.refobjid)),
used(oid) AS ( -- types, with the element of an array and the base of a domain
    SELECT objid FROM edge WHERE classid = 'pg_type'::regclass AND columns
    UNION
    SELECT part FROM used JOIN pg_type t USING (oid) CROSS JOIN unnest(ARRAY[t.typelem, t.typbasetype]) AS p(part) WHERE part >= 16384),
called(oid) AS (
    SELECT objid FROM edge WHERE classid = 'pg_proc'::regclass AND runs
    UNION SELECT oprcode FROM edge JOIN pg_operator o ON o.oid = objid WHERE classid = 'pg_operator'::regclass AND runs
    UNION SELECT tgfoid FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM relation)
    UNION SELECT d.refobjid FROM pg_constraint c JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = c.oid
        WHERE c.contypid IN (SELECT oid FROM used) AND d.refclassid = 'pg_proc'::regclass),
place(classid, objid, schema) AS (
    SELECT 'pg_class'::regclass::oid, oid, relnamespace FROM pg_class
    UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
    UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
    UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, tmplnamespace FROM pg_ts_template
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, prsnamespace FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config),
needed(kind, name) AS (
    SELECT 'TYPE', format_type(oid, NULL) FROM used JOIN pg_type USING (oid)
    WHERE oid >= 16384 AND typowner NOT IN (SELECT oid FROM ours) AND typcategory <> 'A'
        AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_type'::regclass AND a.objid = oid)
    UNION SELECT 'FUNCTION', oid::regprocedure::text FROM called JOIN pg_proc USING (oid)
    WHERE oid >= 16384 AND proowner NOT IN (SELECT oid FROM ours) AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_proc'::regclass AND a.objid = oid)
    UNION SELECT 'SCHEMA', quote_ident(nspname) FROM edge JOIN place USING (classid, objid) JOIN pg_namespace n ON n.oid = schema
    WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspowner NOT IN (SELECT oid FROM ours)
    UNION SELECT 'LANGUAGE', quote_ident(lanname) FROM pg_language l
    WHERE lanpltrusted AND lanowner NOT IN (SELECT oid FROM ours) AND oid IN (SELECT prolang FROM routine)
        AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_language'::regclass AND a.objid = oid)
    UNION SELECT 'TABLE', confrelid::regclass::text FROM pg_constraint JOIN pg_class c ON c.oid = confrelid
    WHERE contype = 'f' AND conrelid IN (SELECT oid FROM relation) AND relowner NOT IN (SELECT oid FROM ours)
        AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_class'::regclass AND a.objid = confrelid)
    UNION SELECT 'COLUMN', c.oid::regclass || '.' || quote_ident(attname)
    FROM own JOIN pg_depend d USING (classid, objid) JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid JOIN pg_class c ON c.oid = attrelid
    WHERE refclassid = 'pg_class'::regclass AND attnum > 0 AND c.oid >= 16384 AND relowner NOT IN (SELECT oid FROM ours)
        AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_class'::regclass AND a.objid = c.oid)
    UNION SELECT 'LABEL', format('%s %L', format_type(oid, NULL), enumlabel)
    FROM used JOIN pg_type USING (oid) JOIN (SELECT enumtypid AS oid, enumlabel FROM pg_enum) e USING (oid)
    WHERE typowner NOT IN (SELECT oid FROM ours) AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_type'::regclass AND a.objid = oid)
    UNION SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname) FROM pg_foreign_server JOIN pg_foreign_data_wrapper w ON w.oid = srvfdw
    WHERE srvowner IN (SELECT oid FROM ours) AND fdwowner NOT IN (SELECT oid FROM ours)
        AND NOT EXISTS (SELECT FROM made_anew a WHERE a.classid = 'pg_foreign_data_wrapper'::regclass AND a.objid = w.oid)
    UNION SELECT 'FOREIGN SERVER', quote_ident(srvname) FROM pg_foreign_server s
    WHERE srvowner NOT IN (SELECT oid FROM ours) AND (EXISTS (SELECT FROM pg_foreign_table WHERE ftserver = s.oid AND ftrelid IN (SELECT oid FROM relation))
        OR EXISTS (SELECT FROM pg_user_mappings WHERE srvid = s.oid AND umuser IN (SELECT oid FROM ours)))
    UNION SELECT 'TABLESPACE', quote_ident(spcname) FROM relation JOIN pg_tablespace s ON s.oid = reltablespace
    UNION SELECT 'ROLE', quote_ident(rolname) FROM own JOIN pg_shdepend d USING (classid, objid) JOIN pg_roles r ON r.oid = refobjid
    WHERE refclassid = 'pg_authid'::regclass AND deptype IN ('a', 'r') AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
SELECT 'needs=' || kind || ' ' || name FROM needed WHERE name !~ '[\n\r]' ORDER BY 1;
\o
