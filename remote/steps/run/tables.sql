-- What psql knows in the whole conversation: error words come without rows.
\set VERBOSITY terse
-- Whose rows pg_dump writes: plain tables, not partitioned ones, as their rows are in their partitions.
\set dumped 'FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = ''r'' AND c.relpersistence <> ''t'' AND (c.relpersistence = ''p'' OR NOT pg_is_in_recovery()) AND n.nspname !~ ''^pg_'' AND n.nspname <> ''information_schema'' AND pg_has_role(c.relowner, ''USAGE'') AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = ''pg_class''::regclass AND d.objid = c.oid AND d.deptype = ''e'')'
