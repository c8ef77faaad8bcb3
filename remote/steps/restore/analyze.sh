#!/bin/sh
# Give the planner back its statistics, which no archive holds, and name the materialized views that stayed empty.
# after psql: heard
# shows: analyzing

tell_psql "SET client_min_messages = error; SET lock_timeout = '5s';"
tell_psql '\set ON_ERROR_STOP off'
unpin_path
tell_psql 'ANALYZE;'
tell_psql '\set ON_ERROR_STOP on'
pin_path
tell_psql "SELECT 'empty_view=' || translate(oid::regclass::text, E'\\n\\r', '  ') FROM pg_class WHERE relkind = 'm' AND NOT relispopulated;"
log "analyzing"
analyze_started=$(date +%s)
if hear_psql; then
    tell_client "$heard"
else
    log "WARNING: PostgreSQL could not gather statistics, so queries may be slow until ANALYZE is run: $(psql_words)"
fi
analyze_seconds=$(seconds_since "$analyze_started")
fact analyze_seconds "$analyze_seconds"
