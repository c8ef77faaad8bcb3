-- Take back what lend.sql has lent.
\set lent `cat "$RUN_DIR/lent"`
SELECT format('REVOKE %s ON SCHEMA %I FROM %I', split_part(line, ' ', 3), nspname, rolname)
FROM string_to_table(:'lent', E'\n') AS line JOIN pg_namespace n ON n.oid::text = split_part(line, ' ', 1) JOIN pg_roles r ON r.oid::text = split_part(line, ' ', 2)
\gexec
