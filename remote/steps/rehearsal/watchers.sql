-- Event triggers of other roles that run when a temporary table is made, and what they run.
SELECT translate(format('the event trigger %I of the role %s, which runs %s', evtname, evtowner::regrole, evtfoid::regprocedure), E'\n\r', '  ')
FROM pg_event_trigger
WHERE evtenabled IN ('O', 'A') AND evtevent IN ('ddl_command_start', 'ddl_command_end', 'sql_drop') AND NOT pg_has_role(evtowner, 'USAGE')
    AND (evttags IS NULL OR evttags && '{CREATE TABLE AS,CREATE TABLE,DROP TABLE}')
ORDER BY evtname;
