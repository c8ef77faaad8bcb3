-- Take away the rows that an archive brings back into tables of extensions that stay (:configured_oids), with the tables locked
-- against other writers. What refers to another table goes first. Within the transaction of the restore.
\set ECHO errors
CREATE TEMP TABLE configured ON COMMIT DROP AS
SELECT position, format('%I.%I', n.nspname, c.relname) AS name, k.condition
FROM string_to_table(:'configured_oids', E'\n') WITH ORDINALITY AS line(oid, position)
    JOIN pg_class c ON c.oid = line.oid::oid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_extension e ON c.oid = ANY (e.extconfig) CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition) AS k(oid, condition)
WHERE line.oid <> '' AND k.oid = c.oid;
SELECT format('LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE', name) FROM configured ORDER BY position
\gexec
SELECT format('DELETE FROM ONLY %s %s', name, condition) FROM configured ORDER BY position DESC
\gexec
DROP TABLE configured;
\set ECHO none
