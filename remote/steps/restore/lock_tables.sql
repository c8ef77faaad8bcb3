-- Take the locks: one statement a table, so that a lock that does not come is told with the table's name.
SELECT format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', g.objid::regclass)
FROM gone g JOIN pg_class c ON c.oid = g.objid AND c.relkind IN ('r', 'p')
WHERE g.classid = 'pg_class'::regclass AND g.objsubid = 0 AND NOT g.with_extension
ORDER BY g.objid
\gexec
DROP TABLE our_role, owned, owner, kept_schema, gone, victim;
