-- Take the snapshot that pg_dump will use, and keep it: what is counted in it is what the archive holds.
-- Locks as pg_dump takes them: a table that is rewritten or truncated meanwhile would look empty in an older snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL statement_timeout = 0;
-- As pg_dump does: a table that somebody puts a view in place of is not read, as a view may call any function.
SELECT set_config(name, 'view, foreign-table', true) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind' \g /dev/null
SET LOCAL lock_timeout = :'lock_timeout';

\set ECHO errors
SELECT format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', n.nspname, c.relname)
:dumped
ORDER BY c.oid -- as pg_dump takes them
\gexec
\set ECHO none
SELECT 'snapshot=' || pg_export_snapshot();
