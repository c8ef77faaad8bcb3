-- What holds for the whole session: its error words without rows, no limit but those that a step sets, and no CHECK of a table
-- looked at to plan a query, as planning runs the functions in it.
\set VERBOSITY terse
SET constraint_exclusion = off;
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout') \g /dev/null
-- Whose rows pg_dump writes: plain tables, not partitioned ones, as their rows are in their partitions.
\set dumped 'FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ''r'' AND c.relpersistence <> ''t'' AND (c.relpersistence = ''p'' OR NOT pg_is_in_recovery()) AND n.nspname !~ ''^pg_'' AND n.nspname <> ''information_schema'' AND pg_has_role(c.relowner, ''USAGE'') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = ''pg_class''::regclass AND d.objid = c.oid AND d.deptype = ''e'')'
