-- Sessions that wait for one of ours, and for what: while they do, whoever comes after them waits, too.
SELECT translate(concat_ws(', ', 'pid ' || a.pid, 'role ' || a.usename, nullif(a.application_name, ''),
    (SELECT string_agg(DISTINCT 'waits for ' || l.mode || ' on ' || l.relation::regclass, ', ') FROM pg_locks l WHERE l.pid = a.pid AND NOT l.granted)),
    E'\n\r', '  ')
FROM pg_stat_activity a
WHERE a.pid IN (SELECT l.pid FROM pg_locks l WHERE NOT l.granted)
    AND a.application_name <> 'fabric-predeploy'
    AND pg_blocking_pids(a.pid) && ARRAY(SELECT o.pid FROM pg_stat_activity o
        WHERE o.application_name = 'fabric-predeploy' AND o.usename = current_user AND o.datname = current_database())
ORDER BY a.xact_start NULLS LAST
LIMIT 5
