-- Up to 14, an archive grants what the owner of the schema public may do there, and does not first take away what any owner may. Of the
-- role that the server began with, it tells only what differs. Within the transaction of the restore, after wipe.sql.
SELECT format('REVOKE ALL ON SCHEMA public FROM %s', nspowner::regrole)
FROM pg_namespace WHERE nspname = 'public' AND :SERVER_VERSION_NUM < 150000 AND nspowner <> 10 AND pg_has_role(nspowner, 'USAGE')
\gexec
