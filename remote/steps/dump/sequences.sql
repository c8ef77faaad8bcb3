-- Where each sequence stands at this moment: it is in no snapshot. One that has been dropped meanwhile is left out.
\o :run_dir/sequences
\set ON_ERROR_STOP off
\set ON_ERROR_ROLLBACK on
SAVEPOINT before_sequences;
SELECT format('SELECT %L || last_value || '','' || is_called || %L FROM %I.%I',
        'content=sequence:', ' ' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  '), n.nspname, c.relname),
    'ROLLBACK TO SAVEPOINT before_sequences'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND pg_has_role(c.relowner, 'USAGE')
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
\gexec
\set ON_ERROR_ROLLBACK off
\set ON_ERROR_STOP on
\o
