-- What a restore wipes before it replays an archive: all that belongs to the role, and to roles that it may act for. Within
-- the caller's transaction; the temporary tables go with it. DROP OWNED is not used: it also strikes our roles from other
-- roles' policies and default privileges, and takes back grants on other databases, none of which is in an archive (14 to 18).
SET LOCAL client_min_messages = error;

-- 14 and 15 do not tell a member that may become a role from one that only inherits from it.
SELECT CASE WHEN :SERVER_VERSION_NUM >= 160000 THEN 'SET' ELSE 'MEMBER' END AS may_become \gset
CREATE TEMP TABLE our_role ON COMMIT DROP AS
SELECT oid, rolname AS name FROM pg_roles WHERE pg_has_role(oid, 'USAGE') AND pg_has_role(oid, :'may_become');

-- Who owns what, from each catalog itself: pg_shdepend knows nothing of what predefined roles own (14 to 18). What has no
-- owner of its own has that of its whole, as a trigger, or belongs to the superuser (10), as only a superuser can make it.
CREATE TEMP TABLE owner ON COMMIT DROP AS
SELECT * FROM (
    SELECT 'pg_class'::regclass::oid AS classid, oid AS objid, relowner AS owner, relnamespace AS schema, 0::oid AS whole_class, 0::oid AS whole
        FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL SELECT 'pg_class'::regclass, indexrelid, relowner, relnamespace, 'pg_class'::regclass, indrelid FROM pg_index JOIN pg_class ON oid = indexrelid
    UNION ALL SELECT 'pg_proc'::regclass, oid, proowner, pronamespace, 0, 0 FROM pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid, typowner, typnamespace, 0, 0 FROM pg_type
        WHERE typrelid = 0 OR EXISTS (SELECT FROM pg_class c WHERE c.oid = typrelid AND relkind = 'c')
    UNION ALL SELECT 'pg_namespace'::regclass, oid, nspowner, 0, 0, 0 FROM pg_namespace
    UNION ALL SELECT 'pg_operator'::regclass, oid, oprowner, oprnamespace, 0, 0 FROM pg_operator
    UNION ALL SELECT 'pg_opclass'::regclass, oid, opcowner, opcnamespace, 0, 0 FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, opfowner, opfnamespace, 0, 0 FROM pg_opfamily
    UNION ALL SELECT 'pg_amop'::regclass, a.oid, opfowner, 0, 'pg_opfamily'::regclass, f.oid FROM pg_amop a JOIN pg_opfamily f ON f.oid = amopfamily
    UNION ALL SELECT 'pg_amproc'::regclass, a.oid, opfowner, 0, 'pg_opfamily'::regclass, f.oid FROM pg_amproc a JOIN pg_opfamily f ON f.oid = amprocfamily
    UNION ALL SELECT 'pg_collation'::regclass, oid, collowner, collnamespace, 0, 0 FROM pg_collation
    UNION ALL SELECT 'pg_conversion'::regclass, oid, conowner, connamespace, 0, 0 FROM pg_conversion
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, stxowner, stxnamespace, 0, 0 FROM pg_statistic_ext
    UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgowner, cfgnamespace, 0, 0 FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictowner, dictnamespace, 0, 0 FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, 10, prsnamespace, 0, 0 FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, 10, tmplnamespace, 0, 0 FROM pg_ts_template
    UNION ALL SELECT 'pg_extension'::regclass, oid, extowner, extnamespace, 0, 0 FROM pg_extension
    UNION ALL SELECT 'pg_language'::regclass, oid, lanowner, 0, 0, 0 FROM pg_language
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, 0, 0, 0 FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner, 0, 0, 0 FROM pg_foreign_server
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner, 0, 0, 0 FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner, 0, 0, 0 FROM pg_publication
    UNION ALL SELECT 'pg_publication_rel'::regclass, r.oid, pubowner, 0, 'pg_publication'::regclass, p.oid FROM pg_publication_rel r JOIN pg_publication p ON p.oid = prpubid
    UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner, 0, 0, 0 FROM pg_largeobject_metadata
    UNION ALL SELECT 'pg_am'::regclass, oid, 10, 0, 0, 0 FROM pg_am
    UNION ALL SELECT 'pg_transform'::regclass, oid, 10, 0, 0, 0 FROM pg_transform
    -- Who owns one of its types may make a cast; but only a superuser may let bytes pass for another type.
    UNION ALL SELECT 'pg_cast'::regclass, c.oid, CASE WHEN castmethod = 'b' THEN 10 WHEN s.typowner IN (SELECT oid FROM our_role) THEN s.typowner ELSE t.typowner END, 0, 0, 0
        FROM pg_cast c JOIN pg_type s ON s.oid = castsource JOIN pg_type t ON t.oid = casttarget
    UNION ALL SELECT 'pg_constraint'::regclass, n.oid, coalesce(relowner, typowner), 0,
        CASE WHEN conrelid <> 0 THEN 'pg_class'::regclass ELSE 'pg_type'::regclass END, greatest(conrelid, contypid)
        FROM pg_constraint n LEFT JOIN pg_class c ON c.oid = conrelid LEFT JOIN pg_type t ON t.oid = contypid
    UNION ALL SELECT 'pg_attrdef'::regclass, a.oid, relowner, 0, 'pg_class'::regclass, c.oid FROM pg_attrdef a JOIN pg_class c ON c.oid = adrelid
    UNION ALL SELECT 'pg_trigger'::regclass, t.oid, relowner, 0, 'pg_class'::regclass, c.oid FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, relowner, 0, 'pg_class'::regclass, c.oid FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class WHERE rulename <> '_RETURN'
    UNION ALL SELECT 'pg_policy'::regclass, p.oid, relowner, 0, 'pg_class'::regclass, c.oid FROM pg_policy p JOIN pg_class c ON c.oid = polrelid
    UNION ALL SELECT 'pg_default_acl'::regclass, oid, defaclrole, defaclnamespace, 0, 0 FROM pg_default_acl) o
-- Below that is what initdb makes, which stays; but public is what people make of it, and large objects have numbers of their own.
WHERE objid >= 16384 OR classid = 'pg_largeobject'::regclass OR classid = 'pg_namespace'::regclass AND objid = 2200;
SELECT :SERVER_VERSION_NUM >= 150000 AS publishes_schemas \gset
\if :publishes_schemas
INSERT INTO owner
SELECT 'pg_publication_namespace'::regclass, n.oid, pubowner, pnnspid, 'pg_publication'::regclass, p.oid FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = pnpubid;
\endif
-- Inner parts go, and come, with the whole: the array of a type, the constructors of a range, which are a superuser's.
DELETE FROM owner o USING pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype = 'i' AND whole = 0;

CREATE TEMP TABLE owned ON COMMIT DROP AS
SELECT o.classid, o.objid
FROM owner o JOIN our_role r ON r.oid = o.owner
WHERE whole = 0 AND o.classid <> 'pg_default_acl'::regclass
    AND NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname ~ '^pg_(toast_)?temp_'
        AND n.oid = CASE o.classid WHEN 'pg_namespace'::regclass THEN o.objid ELSE o.schema END)
    -- What was given to us of somebody else's extension stays with it.
    AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
        WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e' AND e.extowner NOT IN (SELECT oid FROM our_role));

-- Schemas that are emptied, not dropped: public, which no archive creates, and those that hold something of others.
-- Not what comes and goes with an extension of ours, whoever owns it: its members, and parts of them that are no members
-- themselves, such as indexes and, up to 16, the types of arrays.
CREATE TEMP TABLE kept_schema ON COMMIT DROP AS
WITH RECURSIVE member(classid, objid) AS (
    SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extowner IN (SELECT oid FROM our_role)
    UNION
    SELECT d.classid, d.objid FROM member m JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid
    WHERE d.deptype IN ('i', 'a'))
SELECT n.oid, n.nspname AS name FROM pg_namespace n
WHERE pg_has_role(n.nspowner, 'USAGE') AND n.oid >= 2200 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND (n.nspname = 'public' OR EXISTS (
        SELECT FROM owner o
        WHERE o.schema = n.oid
            AND (o.owner NOT IN (SELECT oid FROM our_role) OR o.whole = 0 AND o.classid <> 'pg_default_acl'::regclass
                AND (o.classid, o.objid) NOT IN (SELECT w.classid, w.objid FROM owned w))
            AND (o.classid, o.objid) NOT IN (SELECT m.classid, m.objid FROM member m)));
DELETE FROM owned WHERE classid = 'pg_namespace'::regclass AND objid IN (SELECT oid FROM kept_schema);

-- What CASCADE takes along: dependents, and the whole of which something that goes is an inner part. Members of an
-- extension come back with it.
CREATE TEMP TABLE gone ON COMMIT DROP AS
WITH RECURSIVE gone(classid, objid, objsubid, with_extension) AS (
    SELECT classid, objid, 0, false FROM owned
    UNION
    SELECT next.* FROM gone g CROSS JOIN LATERAL (
        SELECT d.classid, d.objid, d.objsubid, d.deptype = 'e' OR g.with_extension AND d.deptype IN ('i', 'a')
        FROM pg_depend d
        WHERE d.refclassid = g.classid AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
        UNION ALL
        SELECT d.refclassid, d.refobjid, d.refobjsubid, g.with_extension
        FROM pg_depend d
        WHERE d.classid = g.classid AND d.objid = g.objid AND g.objsubid = 0 AND d.objsubid = 0 AND d.deptype IN ('i', 'e') AND NOT g.with_extension) next
)
SELECT classid, objid, objsubid, bool_or(with_extension) AS with_extension FROM gone GROUP BY 1, 2, 3;
ANALYZE gone, owner, owned;

-- What goes along and belongs to others, who alone could bring it back; of a whole that goes no part is told.
CREATE TEMP TABLE victim ON COMMIT DROP AS
SELECT g.classid, g.objid, g.objsubid, o.owner
FROM gone g JOIN owner o USING (classid, objid)
WHERE NOT g.with_extension AND o.owner NOT IN (SELECT oid FROM our_role)
    AND NOT EXISTS (SELECT FROM gone w WHERE w.objsubid = 0
        AND (w.classid = o.whole_class AND w.objid = o.whole OR w.classid = g.classid AND w.objid = g.objid AND g.objsubid <> 0));
