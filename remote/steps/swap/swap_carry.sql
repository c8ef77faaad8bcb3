-- Give the new database (:new) what no archive holds of the live one (:live): grants, settings, comment. Grants in the order
-- in which they were made, each in the name of who made it; its connection limit comes last, as the restore needs some.
SELECT format('REVOKE ALL ON DATABASE %I FROM %s', :'new', grantee)
FROM pg_database d, (VALUES ('PUBLIC'), (quote_ident(pg_get_userbyid((SELECT datdba FROM pg_database WHERE datname = :'live'))))) AS had(grantee)
WHERE d.datname = :'live' AND d.datacl IS NOT NULL
\gexec
SELECT CASE WHEN a.grantor <> d.datdba THEN format('SET ROLE %I', pg_get_userbyid(a.grantor)) END,
    format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, :'new',
        CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
        CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END),
    CASE WHEN a.grantor <> d.datdba THEN 'RESET ROLE' END
FROM pg_database d, aclexplode(d.datacl) WITH ORDINALITY AS a
WHERE d.datname = :'live'
ORDER BY a.ordinality
\gexec

-- What is a list of names stands there as it is typed, and would be quoted once more as a literal.
-- It is set in a transaction of its own, after which this session has its own search path again.
SELECT CASE WHEN s.list THEN 'BEGIN' END,
    CASE WHEN s.list THEN format('SELECT pg_catalog.set_config(%L, %L, true)', s.name, s.value) END,
    format('ALTER %s SET %I %s', s.whose, s.name, CASE WHEN s.list THEN 'FROM CURRENT' ELSE format('TO %L', s.value) END),
    CASE WHEN s.list THEN 'COMMIT' END
FROM (
    SELECT split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value,
        CASE r.setrole WHEN 0 THEN format('DATABASE %I', :'new')
            ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(r.setrole), :'new') END AS whose,
        split_part(setting, '=', 1) IN ('search_path', 'temp_tablespaces', 'session_preload_libraries', 'local_preload_libraries') AS list,
        r.setrole, n
    FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase, unnest(r.setconfig) WITH ORDINALITY AS u(setting, n)
    WHERE d.datname = :'live') s
ORDER BY s.setrole, s.n
\gexec

SELECT format('COMMENT ON DATABASE %I IS %L', :'new', shobj_description(oid, 'pg_database'))
FROM pg_database WHERE datname = :'live' AND shobj_description(oid, 'pg_database') IS NOT NULL
\gexec
