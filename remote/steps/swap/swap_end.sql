-- End the sessions of our role in the live database (:live), and say which. Materialized first: in one query with the
-- ending, a planner may well end a session before it looks whose it is (measured, 17 and 18).
WITH session AS MATERIALIZED (
    SELECT pid, usename FROM pg_stat_activity
    WHERE datname = :'live' AND usename = current_user AND backend_type = 'client backend' AND pid <> pg_backend_pid())
SELECT format('pid %s of %s', pid, usename) FROM session WHERE pg_terminate_backend(pid)
