-- Sessions that keep a dump from its tables, as they hold them for themselves or wait to do so.
SELECT 'blocker=' || translate(concat_ws(', ', 'pid ' || a.pid, 'role ' || a.usename, nullif(a.application_name, ''), a.state,
    'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start),
    string_agg(DISTINCT CASE WHEN l.granted THEN 'holds ' ELSE 'waits for ' END || l.mode || ' on ' || format('%I.%I', n.nspname, c.relname), ', ')),
    E'\n\r', '  ')
FROM pg_stat_activity a
JOIN pg_locks l USING (pid)
JOIN pg_class c ON c.oid = l.relation
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.datname = current_database() AND l.database = a.datid
    AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
GROUP BY a.pid, a.usename, a.application_name, a.state, a.xact_start
ORDER BY a.xact_start NULLS LAST;
SELECT 'blocker=' || translate(concat_ws(', ', 'prepared transaction ' || quote_literal(x.gid), 'role ' || x.owner, 'prepared ' || date_trunc('second', x.prepared),
    string_agg(DISTINCT 'holds ' || l.mode || ' on ' || format('%I.%I', n.nspname, c.relname), ', ')), E'\n\r', '  ')
FROM pg_prepared_xacts x JOIN pg_locks t ON t.transactionid = x.transaction AND t.granted
    JOIN pg_locks l ON l.virtualtransaction = t.virtualtransaction AND l.pid IS NULL
    JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE x.database = current_database() AND l.mode = 'AccessExclusiveLock' AND c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
GROUP BY x.gid, x.owner, x.prepared
ORDER BY x.prepared;
