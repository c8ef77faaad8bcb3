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
-- A prepared transaction has no session, and keeps its locks until somebody ends it, also when the server was started anew.
SELECT 'session=' || translate(concat_ws(', ', 'prepared transaction ' || quote_literal(x.gid), 'role ' || x.owner, 'prepared ' || date_trunc('second', x.prepared),
    'holds ' || string_agg(DISTINCT l.mode || ' on ' || l.relation::regclass, ', ')), E'\n\r', '  ')
FROM pg_prepared_xacts x JOIN pg_locks t ON t.transactionid = x.transaction AND t.granted
    JOIN pg_locks l ON l.virtualtransaction = t.virtualtransaction AND l.pid IS NULL AND l.granted
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE x.database = current_database() AND n.nspname !~ '^(pg_|information_schema)' AND c.relkind IN ('r', 'p', 'm', 'S', 'v')
GROUP BY x.gid, x.owner, x.prepared
ORDER BY x.prepared;
