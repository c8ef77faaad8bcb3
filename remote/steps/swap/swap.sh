#!/bin/sh
# Restore the archive into a new database beside the live one, then let them change names. Or leave the live one as it is.
: "${terminate?}" "${swap_carry_sql:?}" "${swap_end_sql:?}"
# needs: _beside _commit
# after psql: db_name db_port heard pooled_at
# after preflight: server_major
# after programs: bin_dir client_major client_version
# after archive: file manifest
# after rehearse: lost
# shows: restoring beside the live database

: "${run_dir:?}"

# Rows of extensions, where there are any, in the order of the archive: one after the other with all the rest.
fill_new() {
    if [ -s "$run_dir/configured.list" ]; then
        sed -n -e 's/^main //p' -e 's/^configured //p' "$run_dir/sorted" >"$run_dir/main.list"
        fill main
    else
        fill main --jobs="$(jobs)"
    fi
}

# Here it costs readers nothing.
analyze_new() {
    log "analyzing"
    analyze_started=$(date +%s)
    tell_psql "SET client_min_messages = error;"
    tell_psql '\set ON_ERROR_STOP off'
    unpin_path
    tell_psql 'ANALYZE;'
    tell_psql '\set ON_ERROR_STOP on'
    pin_path
    tell_psql "SELECT 'empty_view=' || translate(oid::regclass::text, E'\\n\\r', '  ') FROM pg_class WHERE relkind = 'm' AND NOT relispopulated;"
    hear_or_stop "while it analyzed"
    empty_views=$heard
    analyze_seconds=$(seconds_since "$analyze_started")
}

# Sessions that a rename would wait for in vain: not those that come and go, nor those that we may end. Of other roles one
# is not shown since when they are there, so those count that were there at the last look.
count_others() {
    tell_psql "SELECT count(*) FILTER (WHERE :'seen' = '' OR pid = ANY (('{' || :'seen' || '}')::int[])) AS others, concat_ws(',', 0, string_agg(pid::text, ',')) AS seen FROM pg_stat_activity WHERE datname = :'live' AND usename IS NOT NULL AND ('$terminate' = '' OR usename <> current_user) \\gset"
    tell_psql '\echo :others'
    hear_or_stop "while it looked for other sessions"
    others_there=${heard%"$newline"}
    is_number "$others_there" || not_restored "$(odd_answer "number of sessions" "$others_there")"
}

await_others() {
    tell_psql '\set seen'
    count_others
    while [ "$others_there" != 0 ]; do
        [ "$(date +%s)" -lt "$deadline" ] || in_the_way "after $lock_timeout_seconds s there are still sessions in it"
        tell_psql 'SELECT FROM pg_sleep(0.2);'
        count_others
    done
}

in_the_way() {
    close_psql
    target_database=$db_name
    name_blockers
    tell_blockers
    not_restored "the database could not be renamed: $1"
}

# Sessions come back at once; once the rename has begun, they wait at the door, and those that were faster are ended.
start_ending() {
    # shellcheck disable=SC2016 # psql asks a shell of its own
    printf '%s\n' '\set live `cat "$RUN_DIR/live"`' "$swap_end_sql" '\watch 0.05' >"$run_dir/end_sql"
    start_function session "$bin_dir/psql" --file="$run_dir/end_sql" </dev/null >>"$run_dir/ended" 2>/dev/null
    ender=$!
}

stop_ending() {
    kill -KILL "$ender" 2>/dev/null || : # it may not be psql yet, but a shell, which would lose another signal
    finished "$ender" 2>/dev/null        # dash would say that it was killed
    ended=$(sed -n '/^pid /p' "$run_dir/ended")
    [ -z "$ended" ] || log "ended the sessions: $(one_line "$ended")"
    rm -f "$run_dir/ended"
}

# While a rename waits, nobody can connect: so it does for a second at the most, and then all begins anew.
try_rename() {
    tell_psql '\set VERBOSITY verbose' # with the code of an error, whatever the language of its words
    tell_psql "BEGIN; SET LOCAL statement_timeout = '1s';"
    tell_psql 'ALTER DATABASE :"live" RENAME TO :"old"; ALTER DATABASE :"new" RENAME TO :"live";'
    tell_psql 'SET LOCAL statement_timeout = 0;'
    [ -z "$terminate" ] || start_ending
    renamed=
    if hear_psql; then renamed=yes; fi
    [ -z "$terminate" ] || stop_ending
}

switch() {
    deadline=$(($(date +%s) + lock_timeout_seconds))
    while :; do
        await_others
        try_rename
        [ -z "$renamed" ] || break
        words=$(psql_words)
        case $(cat "$run_dir/psql_stderr") in
            *55006:* | *57014:*) ;; # in use, or waited for too long
            *) not_restored "the database could not be renamed: $words" ;;
        esac
        [ "$(date +%s)" -lt "$deadline" ] || in_the_way "$words"
        enter_database "$maintenance"
    done
    commit restored
}

started=$(date +%s)
way=swap
watch_client
learn_path "$manifest"
[ "$client_major" -lt 17 ] || [ "$server_major" -ge 17 ] ||
    not_restored "pg_restore $client_version cannot restore into PostgreSQL $server_major by itself" "restore with --mode=transaction"
[ -z "$pooled_at" ] ||
    not_restored "DB_PORT $db_port is a pooler: its sessions keep the database from being renamed" "name the server's own port, or restore with --mode=transaction"
audit "begins to restore"
begin_elsewhere
enter_maintenance
as_when_dumped "$manifest"
create_new
tell_psql "$swap_carry_sql"
hear_or_stop "while it made the new database"
choose_entries
enter_database "$new_database"
replay schemas
lend
hear_or_stop "while it opened its schemas"
close_psql
fill_new
enter_database "$new_database"
if [ -n "$stumbled" ]; then
    fill_once_more "$server_major"
else
    replay grants
    take_back
fi
refresh
tell_psql 'BEGIN;'
compare_rows "$manifest"
tell_psql 'COMMIT;'
analyze_new
enter_database "$maintenance"
tell_psql "SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'new', datconnlimit) FROM pg_database WHERE datname = :'live' AND datconnlimit <> -1 \\gexec"
hear_or_stop "while it carried over the connection limit"
log "renaming: $db_name becomes $(cat "$run_dir/old")"
switch
if ! forget_new; then log "WARNING: $backup_path/restore.database could not be written: the next run looks once more for what this restore has left"; fi
target_database=$db_name
close_psql
log "restored in $restore_seconds s; lost: ${lost:-not told}"
facts restore_seconds "$restore_seconds" analyze_seconds "$analyze_seconds" old_database "$(cat "$run_dir/old")"
tell_client "$empty_views"
