-- Take the snapshot that pg_dump will use, and keep it: what is counted in it is what the archive holds.
-- Locks as pg_dump takes them: a table that is rewritten or truncated meanwhile would look empty in an older snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL search_path = pg_catalog;
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = :'lock_timeout';

-- Whose rows pg_dump writes: plain tables, not partitioned ones, as their rows are in their partitions.
\set dumped 'FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ''r'' AND n.nspname !~ ''^pg_'' AND n.nspname <> ''information_schema'' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = ''pg_class''::regclass AND d.objid = c.oid AND d.deptype = ''e'')'

SELECT format('LOCK TABLE ONLY %I.%I IN ACCESS SHARE MODE', n.nspname, c.relname)
:dumped
\gexec
SELECT 'snapshot=' || pg_export_snapshot();
