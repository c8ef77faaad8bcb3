-- End the sessions of our role in the live database (:live), and say which.
SELECT format('pid %s of %s', pid, usename) FROM pg_stat_activity
WHERE datname = :'live' AND usename = current_user AND backend_type = 'client backend' AND pg_terminate_backend(pid)
