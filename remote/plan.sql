-- What the database holds now. A table that is locked, or takes too long, is not counted: it stays without a number.
\set ON_ERROR_STOP off
SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind' \g /dev/null
SET lock_timeout = '1s';
SET statement_timeout = '20s';
SELECT 'there=' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  ')
:dumped;
SELECT format('SELECT %L || count(*) || %L FROM ONLY %I.%I', 'now=', ' ' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  '), n.nspname, c.relname)
:dumped
ORDER BY n.nspname, c.relname
\gexec
RESET lock_timeout;
\set ON_ERROR_STOP on
