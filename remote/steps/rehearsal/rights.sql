-- What stands in the way of either way to restore: what the role may not do. Follows obstacles.sql, in its transaction.
-- An extension is created anew where it would be dropped, where it is missing, and in a new database.
INSERT INTO obstacle
SELECT format('the extension %s is not one that %s may create%s', x.name, current_user,
        CASE WHEN v.name IS NULL THEN ': the server does not have it' ELSE ': it is not trusted' END),
    CASE WHEN e.oid IS NULL OR e.extowner IN (SELECT oid FROM our_role) THEN 'either' ELSE 'swap' END
FROM toc CROSS JOIN LATERAL (SELECT substring(entry FROM '^EXTENSION - (.*) $') AS name WHERE kind = 'EXTENSION') x
LEFT JOIN pg_extension e ON translate(e.extname, E'\n\r', '  ') = x.name
LEFT JOIN (SELECT translate(a.name, E'\n\r', '  ') AS name, bool_or(NOT v.superuser OR v.trusted) AS ours
    FROM pg_available_extensions a JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
    GROUP BY a.name) v ON v.name = x.name
WHERE x.name IS NOT NULL AND x.name <> 'plpgsql' AND v.ours IS NOT TRUE
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

INSERT INTO obstacle
SELECT format('%s may not create schemas, extensions or publications in this database: GRANT CREATE ON DATABASE %I TO %I',
    current_user, current_database(), current_user), 'transaction'
WHERE EXISTS (SELECT FROM replayed WHERE kind IN ('EXTENSION', 'PUBLICATION') OR kind = 'SCHEMA' AND entry !~ '^SCHEMA - public ')
    AND NOT has_database_privilege(current_database(), 'CREATE');

-- Who makes something in a schema, and who is to own it, must be let create there; a schema that stays has its present grants.
INSERT INTO obstacle
WITH closed AS MATERIALIZED (
    SELECT n.nspname, r.name
    FROM pg_namespace n CROSS JOIN our_role r
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspowner NOT IN (SELECT oid FROM our_role) AND NOT has_schema_privilege(r.oid, n.oid, 'CREATE'))
SELECT DISTINCT format('the role %s may not create in the schema %I: GRANT CREATE ON SCHEMA %I TO %I', name, nspname, nspname, name), 'transaction'
FROM closed JOIN replayed t ON t.owner = translate(closed.name, E'\n\r', '  ') OR closed.name = current_user
CROSS JOIN unnest('{TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FOREIGN TABLE,FUNCTION,PROCEDURE,AGGREGATE,TYPE,DOMAIN,OPERATOR,OPERATOR CLASS,
    OPERATOR FAMILY,COLLATION,CONVERSION,STATISTICS,TEXT SEARCH CONFIGURATION,TEXT SEARCH DICTIONARY}'::text[]) AS made
WHERE t.classid <> 0 AND starts_with(t.entry, made || ' ' || translate(nspname, E'\n\r', '  ') || ' ');

INSERT INTO obstacle
SELECT format('the schema %I stays, as others have something in it, and now belongs to the role %s: ALTER SCHEMA %I OWNER TO %I',
    k.name, n.nspowner::regrole, k.name, t.owner), 'transaction'
FROM kept_schema k JOIN pg_namespace n ON n.oid = k.oid JOIN toc t ON t.entry = 'SCHEMA - ' || translate(k.name, E'\n\r', '  ') || ' ' || t.owner
WHERE k.name <> 'public' AND t.owner <> pg_get_userbyid(n.nspowner);

-- Of a user mapping pg_dump is told the options only where the view shows them; elsewhere they look like none.
INSERT INTO obstacle
SELECT format('the user mapping of %s for the server %I may have options, which are in no archive of ours: only that role can see them', usename, srvname)
FROM pg_user_mappings m
WHERE umuser <> 0 AND umoptions IS NULL AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND (usename <> current_user OR NOT has_server_privilege(srvid, 'USAGE'))
    AND (umuser IN (SELECT oid FROM our_role)
        OR EXISTS (SELECT FROM gone g WHERE g.classid = 'pg_foreign_server'::regclass AND g.objid = srvid));

INSERT INTO obstacle
SELECT format('%s is written in %s, which only a superuser may use', p.oid::regprocedure, l.lanname)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang JOIN our_role w ON w.oid = p.proowner
WHERE p.prokind <> 'a' AND NOT l.lanpltrusted AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('%s belongs to the role %s, and only a superuser can make it%s', pg_describe_object(o.classid, o.objid, 0), w.owner::regrole, CASE
        WHEN p.prosupport <> 0 THEN ': it has a support function'
        WHEN a.aggtranstype = 'internal'::regtype OR a.aggmtranstype = 'internal'::regtype THEN ': its state is internal'
        WHEN p.oid IS NOT NULL THEN ': it sets ' || setting END)
FROM owned o JOIN owner w USING (classid, objid)
    LEFT JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid AND typtype = 'b'
    LEFT JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
    LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid,
    LATERAL (SELECT string_agg(name, ', ') AS setting
        FROM unnest(proconfig) AS item, split_part(item, '=', 1) AS name LEFT JOIN pg_settings s USING (name)
        WHERE s.context IS DISTINCT FROM 'user' AND NOT :may_set) forbidden
WHERE NOT :'is_super'
    AND (o.classid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_language'::regclass) OR t.oid IS NOT NULL
        OR p.prosupport <> 0 OR a.aggtranstype = 'internal'::regtype OR a.aggmtranstype = 'internal'::regtype OR setting IS NOT NULL)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.objsubid = 0 AND d.deptype = 'e')
UNION ALL
SELECT format('%s is leakproof, which only a superuser may say', p.oid::regprocedure)
FROM pg_proc p JOIN our_role w ON w.oid = p.proowner
WHERE p.proleakproof AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
UNION ALL
SELECT format('the tablespace %I of %s is not open to %s', s.spcname, c.oid::regclass, current_user)
FROM pg_class c JOIN pg_tablespace s ON s.oid = c.reltablespace JOIN our_role w ON w.oid = c.relowner
WHERE NOT has_tablespace_privilege(s.oid, 'CREATE')
UNION ALL
SELECT format('the publication %I publishes %s, which only a superuser may say', pubname, CASE WHEN puballtables THEN 'all tables' ELSE 'schemas' END)
FROM pg_publication p JOIN our_role w ON w.oid = p.pubowner
WHERE (puballtables OR EXISTS (SELECT FROM toc WHERE entry LIKE 'PUBLICATION TABLES IN SCHEMA %' AND position(pubname IN entry) > 0))
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

-- A grant that a third role has made comes back only in that role's name.
INSERT INTO obstacle
SELECT DISTINCT format('a grant on %s was made by the role %s: only it, or a superuser, can make it again', what, grantor::regrole)
FROM (
    SELECT c.oid::regclass::text AS what, c.relowner AS owner, (aclexplode(c.relacl)).grantor FROM pg_class c WHERE relacl IS NOT NULL
    UNION ALL SELECT c.oid::regclass::text, c.relowner, (aclexplode(a.attacl)).grantor FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
    UNION ALL SELECT 'schema ' || nspname, nspowner, (aclexplode(nspacl)).grantor FROM pg_namespace WHERE nspacl IS NOT NULL
    UNION ALL SELECT p.oid::regprocedure::text, proowner, (aclexplode(proacl)).grantor FROM pg_proc p WHERE proacl IS NOT NULL
) acl
WHERE owner IN (SELECT oid FROM our_role) AND grantor NOT IN (SELECT oid FROM our_role);

INSERT INTO obstacle
SELECT DISTINCT format('the subscription %I fills tables of this database', s.subname)
FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database();

-- Each object that goes is a lock until the end, and so is each that comes; but triggers, rules, policies and defaults come without one (14 to 18).
-- A table comes with its TOAST table, the index of that, its types and constraints; little may be going, as after a deploy that has dropped much.
-- The lock table has room for a fifth more than it promises, and a good deal beyond.
INSERT INTO obstacle
SELECT format('one transaction would need about %s locks, and the server has room for %s: raise max_locks_per_transaction to %s',
        needed, slots, ceil(max_locks * needed / slots / 64) * 64), 'transaction'
FROM (SELECT greatest(going + coming_again, going + coming) AS needed
        FROM (SELECT count(*) AS going, count(*) FILTER (WHERE classid NOT IN ('pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass, 'pg_attrdef'::regclass)) AS coming_again
            FROM (SELECT DISTINCT classid, objid FROM gone) one) g,
            (SELECT coalesce(sum(CASE WHEN kind IN ('TABLE', 'MATERIALIZED VIEW') THEN 6
                    WHEN classid = 'pg_class'::regclass AND entry LIKE 'VIEW %' THEN 3
                    WHEN classid = 'pg_constraint'::regclass THEN 2
                    ELSE 1 END), 0) AS coming
            FROM replayed
            WHERE classid NOT IN (0, 'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_policy'::regclass)
                AND (kind IS NULL OR kind NOT IN ('DEFAULT', 'DEFAULT ACL', 'BLOB', 'BLOB METADATA'))) c) n,
    (SELECT current_setting('max_locks_per_transaction')::bigint AS max_locks) m,
    (SELECT m.setting * sum(s.setting::bigint) + m.setting AS slots
        FROM pg_settings s, (SELECT setting::bigint FROM pg_settings WHERE name = 'max_locks_per_transaction') m
        WHERE s.name IN ('max_connections', coalesce((SELECT name FROM pg_settings WHERE name = 'autovacuum_worker_slots'), 'autovacuum_max_workers'),
            'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions')
        GROUP BY m.setting) c
WHERE needed > 1.2 * slots;

INSERT INTO obstacle
SELECT why, 'swap'
FROM pg_database d, pg_roles r, LATERAL (VALUES
    (NOT r.rolcreatedb AND NOT r.rolsuper, format('%s may not create databases', r.rolname)),
    (NOT pg_has_role(d.datdba, 'USAGE'), format('%s does not own the database', r.rolname)),
    (EXISTS (SELECT FROM pg_replication_slots s WHERE s.database = d.datname), 'the database has replication slots, which would stay with the old one'),
    (:VERSION_NUM >= 170000 AND :SERVER_VERSION_NUM < 170000,
        format('pg_restore %s restores by itself only into servers from 17 on, this one is %s', :VERSION_NUM / 10000, :SERVER_VERSION_NUM / 10000)),
    (EXISTS (SELECT FROM toc WHERE :SERVER_VERSION_NUM < 150000 AND entry ~ '^(SCHEMA - |ACL - SCHEMA |COMMENT - SCHEMA )public '),
        'in a new database, the schema public belongs to a superuser, and cannot be made what it was'),
    (d.datistemplate, 'the database is a template'),
    (EXISTS (SELECT FROM pg_shseclabel l WHERE l.classoid = 'pg_database'::regclass AND l.objoid = d.oid), 'the database has a security label'),
    (d.dattablespace <> (SELECT dattablespace FROM pg_database WHERE datname = 'template0') AND NOT has_tablespace_privilege(d.dattablespace, 'CREATE'),
        format('the tablespace of the database is not open to %s', r.rolname)),
    (EXISTS (SELECT FROM aclexplode(d.datacl) a WHERE a.grantor NOT IN (SELECT oid FROM our_role)),
        'another role has passed on a right on the database, and only it can do so again'),
    (EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = d.datname), 'the database has prepared transactions'),
    (EXISTS (SELECT FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole <> 0 AND s.setrole <> r.oid),
        'other roles have settings of their own in this database'),
    (EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) AS c(item) LEFT JOIN pg_settings p ON p.name = split_part(item, '=', 1)
            WHERE s.setdatabase = d.oid AND NOT r.rolsuper AND (p.context IS DISTINCT FROM 'user' OR item ~ '^[^=]*\.')),
        'the database has settings that only a superuser may make'),
    (NOT EXISTS (SELECT FROM pg_database m WHERE m.datname IN ('postgres', 'template1') AND m.oid <> d.oid AND m.datallowconn AND has_database_privilege(m.oid, 'CONNECT')),
        'neither postgres nor template1 lets in a session that could rename the database')
    ) AS reason(holds, why)
WHERE d.datname = current_database() AND r.rolname = current_user AND holds;
