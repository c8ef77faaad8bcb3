-- What the database holds now. A table that is locked, or takes too long, is not counted: it stays without a number.
\set ON_ERROR_STOP off
BEGIN READ ONLY;
SELECT set_config(name, 'view, foreign-table', true) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind' \g /dev/null
SET LOCAL lock_timeout = '1s';
SET LOCAL statement_timeout = '20s';
SELECT 'there=' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ')
:dumped;
SAVEPOINT before_count;
SELECT format('SELECT %L || count(*) || %L FROM ONLY %I.%I', 'now=', ' ' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  '), n.nspname, c.relname),
    'ROLLBACK TO SAVEPOINT before_count'
:dumped
ORDER BY n.nspname, c.relname
\gexec
COMMIT;
\set ON_ERROR_STOP on
