#!/bin/sh
# Bring the database back to the archive in one transaction: wipe what is ours, replay, compare, commit. Or leave it as it is.
: "${lock_timeout_seconds:?}" "${terminate?}" "${lock_tables_sql:?}" "${wipe_sql:?}" "${unconfigure_sql:?}"
: "${file:?}" "${manifest:?}" "${bin_dir:?}" "${ours_sql:?}" "${count_sql:?}" # from archive, rehearse and restoring

end_sessions() {
    # Materialized first: in one query with the ending, a planner may well end a session before it looks whose it is.
    tell_psql "WITH session AS MATERIALIZED (SELECT pid, usename FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()) SELECT format('pid %s of %s', pid, usename) FROM session WHERE pg_terminate_backend(pid);"
    hear_or_stop "while it ended other sessions"
    [ -z "$heard" ] || log "ended the sessions: $(one_line "$heard")"
}

wipe() {
    log "taking locks, up to $lock_timeout_seconds s for each, then dropping what is ours"
    tell_psql '\set VERBOSITY verbose' # with the code of an error, whatever the language of its words
    tell_psql '\set ECHO errors'       # which are statements of ours alone: what an archive holds stays out of the log
    tell_psql "$ours_sql"
    tell_psql "$lock_tables_sql"
    hear_or_name_blockers
    # Whoever made us wait may have made or changed something meanwhile: only now does it stand still.
    tell_psql "$ours_sql"
    tell_psql "SELECT pg_describe_object(classid, objid, objsubid) || ' of the role ' || owner::regrole FROM victim LIMIT 5;"
    hear_or_name_blockers
    [ -z "$heard" ] || not_restored "since the plan was made, others have built on what is ours: $(one_line "$heard")" "make the plan again: fab restore --plan"
    tell_psql "$wipe_sql"
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set configured_oids `cat "$RUN_DIR/configured_oids"`'
    tell_psql "$unconfigure_sql"
    tell_psql '\set VERBOSITY terse'
    tell_psql '\set ECHO none'
    hear_or_name_blockers
}

hear_or_name_blockers() {
    if ! hear_psql; then
        failure=$(cat "$run_dir/psql_stderr")
        words=$(psql_words)
        relay "$run_dir/psql_stderr"
        case $failure in
            *55P03:* | *40P01:*)
                name_blockers
                blockers=$(printf '%s' "$blockers" | sed -n '/, holds /p')
                ;;
            *) blockers= ;;
        esac
        tell_blockers
        not_restored "the wipe could not be made: $words"
    fi
}

# The header of a script takes back our lock timeout, and servers before 17 do not know its last timeout.
without_timeouts() {
    while IFS= read -r line; do
        case $line in
            'SET lock_timeout = 0;' | 'SET transaction_timeout = 0;') continue ;;
        esac
        printf '%s\n' "$line"
        case $line in 'SET row_security = off;') break ;; esac
    done
    exec cat
}

# Around large objects pg_restore writes a transaction of its own, which would end ours. Their script holds numbers and
# bytes alone, so no line of it can be a part of a name or text.
without_transaction() {
    exec sed -e '/^BEGIN;$/d' -e '/^COMMIT;$/d' -e '/^SET lock_timeout = 0;$/d' -e '/^SET transaction_timeout = 0;$/d'
}

# psql reads rows itself. Where pg_restore does not keep psql from obeying what stands there, awk does.
guarded() {
    without_timeouts | exec awk -v how=guard "$entries_awk"
}

bound_waiting() {
    tell_psql "SET LOCAL lock_timeout = '${lock_timeout_seconds}s';"
}

# Rows come as they are, as passing them on costs time, unless the programs are old or the server is older than they are.
choose_data_filter() {
    start "$bin_dir/pg_restore" --schema-only --use-list=/dev/null --file="$run_dir/header" "$file" 2>"$run_dir/stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "pg_restore ended with exit code $child_status: $(tail -n 1 "$run_dir/stderr")"
    data_filter=
    [ "$client_major" -lt 17 ] || [ "$server_major" -ge 17 ] || data_filter=without_timeouts
    grep -q '^\\restrict ' "$run_dir/header" || data_filter=guarded
}

started=$(date +%s)
way=transaction
watch_client
choose_data_filter
use_psql "$bin_dir/psql"
as_when_dumped "$manifest"
notice_lost_clients
[ -z "$terminate" ] || end_sessions
tell_psql 'BEGIN; SET LOCAL statement_timeout = 0;'
bound_waiting
tell_psql 'SET LOCAL idle_in_transaction_session_timeout = 0;'
audit "begins to restore"
wipe
log "replaying the archive"
replay schemas
replay before
# In tables that nobody else knows of yet there is nothing to wait for.
replay data "$data_filter" "the programs in $bin_dir are too old to read such names without danger: update them, or restore by hand"
replay blobs without_transaction
bound_waiting
replay after
replay grants
refresh
compare_rows
compare_configured
# Outside of all transactions, so as late as can be.
replay sequences
commit restored
log "restored in $restore_seconds s; lost: ${lost:-not told}"
fact restore_seconds "$restore_seconds"
