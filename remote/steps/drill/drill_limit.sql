-- In the server of a test restore: let the role (:owner) act only for those roles that it acts for in the live database (:acts_for,
-- a list of names). An archive of an earlier version does not tell.
\set name '(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_]*)'
SELECT format('REVOKE %I FROM %I', g.rolname, m.rolname)
FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE m.rolname = :'owner' AND :'acts_for' <> '' AND g.rolname !~ '^pg_'
    AND g.rolname NOT IN (SELECT (parse_ident(listed[1]))[1] FROM regexp_matches(:'acts_for', '(' || :'name' || ')', 'g') AS listed)
\gexec
