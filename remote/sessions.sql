-- Other sessions in this database, and the locks of theirs that a restore has to wait for: session= lines.
SELECT 'session=' || translate(concat_ws(', ',
    'pid ' || a.pid, 'role ' || a.usename, nullif(a.application_name, ''), a.state,
    'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start),
    'its query began ' || date_trunc('second', clock_timestamp() - a.query_start) || ' ago',
    'holds ' || (SELECT string_agg(DISTINCT l.mode || ' on ' || l.relation::regclass, ', ')
        FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE l.pid = a.pid AND l.granted AND n.nspname !~ '^(pg_|information_schema)' AND c.relkind IN ('r', 'p', 'm', 'S', 'v'))),
    E'\n\r', '  ')
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.usename IS NOT NULL
    AND coalesce(a.backend_type, 'client backend') = 'client backend' -- of another role, no more is shown than who it is
ORDER BY a.xact_start NULLS LAST;
