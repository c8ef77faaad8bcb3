-- Count the rows of each table in the snapshot at hand. Going back to the savepoint gives back the locks of their indexes,
-- of which many tables would have too many. It also leaves the transaction usable where a table could not be counted.
\set ON_ERROR_STOP off
\set hashed ''
\o :run_dir/rows
SAVEPOINT before_count;
SELECT format('SELECT %L || count(*) || %L FROM ONLY %I.%I', 'rows=', ' ' || translate(format('%I.%I', n.nspname, c.relname), E'\n\r', '  '), n.nspname, c.relname),
    'ROLLBACK TO SAVEPOINT before_count'
:dumped
ORDER BY n.nspname, c.relname
\gexec
\o
\set ON_ERROR_STOP on
