-- Count and hash the rows that pg_dump writes of the tables of extensions: those that an extension marks as its configuration,
-- by the condition that it gives. In the caller's transaction; a table that cannot be read is left out.
\set ON_ERROR_STOP off
\o :run_dir/configured
SAVEPOINT before_configured;
SELECT format('SELECT %L || count(*) || %L || coalesce(sum(hashtextextended(textin(record_out(ROW(%I.*))) COLLATE "C", 0)), 0) || %L FROM ONLY %I.%I %s',
        'content=config_rows:', ' ' || shown || E'\ncontent=config:', relname, ' ' || shown, nspname, relname, condition),
    'ROLLBACK TO SAVEPOINT before_configured'
FROM (SELECT n.nspname, c.relname, translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ') AS shown, k.condition
    FROM pg_extension e CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS k(oid, condition)
        JOIN pg_class c ON c.oid = k.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND NOT (:'excluding' <> '' AND n.nspname || '.' || c.relname ~ :'excluding')
        AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2) tables
\gexec
\o
\set ON_ERROR_STOP on
