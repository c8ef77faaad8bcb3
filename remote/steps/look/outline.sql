-- What is installed beside the tables, and how many locks one transaction may count on.
BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SELECT 'max_locks=' || current_setting('max_locks_per_transaction');
SELECT 'extension=' || translate(format('%s %s of %s', extname, extversion, pg_get_userbyid(extowner)), E'\n\r', '  ')
FROM pg_extension
ORDER BY extname;
-- Roles that somebody can log in as, or become, and that we may act for: planning a query on their tables runs functions of theirs.
SELECT 'acts_for=' || translate(o.rolname, E'\n\r', '  ')
FROM pg_roles o
WHERE NOT o.rolsuper AND o.rolname <> current_user AND pg_has_role(o.oid, 'USAGE')
    AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relowner = o.oid AND c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
    AND EXISTS (SELECT FROM pg_roles l WHERE l.rolcanlogin AND NOT l.rolsuper AND l.rolname <> current_user AND pg_has_role(l.oid, o.oid, 'MEMBER'))
ORDER BY o.rolname
LIMIT 5;
COMMIT;
