#!/bin/sh
# Bring the database back to the archive in one transaction: go the way back, compare, commit. Or leave it as it is.
: "${terminate?}"
# needs: _back _commit
# after psql: heard
# after preflight: server_major
# after archive: manifest
# after rehearse: lost
# shows: restoring

: "${run_dir:?}"

end_sessions() {
    # Materialized first: in one query with the ending, a planner may well end a session before it looks whose it is.
    tell_psql "WITH session AS MATERIALIZED (SELECT pid, usename FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()) SELECT format('pid %s of %s', pid, usename) FROM session WHERE pg_terminate_backend(pid);"
    hear_or_stop "while it ended other sessions"
    [ -z "$heard" ] || log "ended the sessions: $(one_line "$heard")"
}

started=$(date +%s)
way=transaction
watch_client
learn_path "$manifest"
use_psql "$bin_dir/psql"
as_when_dumped "$manifest"
[ -z "$terminate" ] || before_wipe=end_sessions
audit "begins to restore"
go_back "$server_major"
refresh
compare_rows "$manifest"
compare_configured
# Outside of all transactions, so as late as can be.
replay sequences
commit restored
log "restored in $restore_seconds s; lost: ${lost:-not told}"
fact restore_seconds "$restore_seconds"
