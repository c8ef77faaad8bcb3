-- Let our roles make things in our schemas where they may not: an owner can have given that right away, or have it nowhere in a schema
-- of ours. What is lent is on record in a file, by numbers, and is taken back at the end. To nobody else is anything lent.
SELECT CASE WHEN :SERVER_VERSION_NUM >= 160000 THEN 'SET' ELSE 'MEMBER' END AS may_become \gset
\o :run_dir/lent
SELECT n.oid || ' ' || r.oid || ' ' || privilege
FROM pg_namespace n CROSS JOIN pg_roles r CROSS JOIN (VALUES ('CREATE'), ('USAGE')) AS p(privilege)
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND pg_has_role(n.nspowner, 'USAGE')
    AND pg_has_role(r.oid, 'USAGE') AND pg_has_role(r.oid, :'may_become') AND NOT has_schema_privilege(r.oid, n.oid, privilege)
    AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper);
\o
\set lent `cat "$RUN_DIR/lent"`
SELECT format('GRANT %s ON SCHEMA %I TO %I', split_part(line, ' ', 3), nspname, rolname)
FROM string_to_table(:'lent', E'\n') AS line JOIN pg_namespace n ON n.oid::text = split_part(line, ' ', 1) JOIN pg_roles r ON r.oid::text = split_part(line, ' ', 2)
\gexec
