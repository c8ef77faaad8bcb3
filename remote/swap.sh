#!/bin/sh
# Restore the archive into a new database beside the live one, then let them change names. Or leave the live one as it is.
: "${lock_timeout_seconds:?}" "${terminate?}" "${create_sql:?}" "${carry_sql:?}" "${end_sql:?}"
: "${file:?}" "${manifest:?}" "${bin_dir:?}" "${ours_sql:?}" "${count_sql:?}" "${server_major:?}" # from archive, rehearse, restoring and preflight

# enter_database NAME: a session there, which knows the databases of this restore as :live, :new and :old.
enter_database() {
    [ -z "$psql_child" ] || close_psql
    PGDATABASE=$1
    use_psql "$bin_dir/psql"
    for known in live new old; do
        tell_psql "\\set $known \`cat \"\$RUN_DIR/$known\"\`"
    done
    tell_psql 'SET statement_timeout = 0; SET lock_timeout = 0;'
    tell_psql "SELECT pg_catalog.current_setting('search_path') AS search_path \\gset"
}

# A database that is in use can neither be renamed nor renames itself.
enter_maintenance() {
    for maintenance in postgres template1; do
        [ "$maintenance" != "$db_name" ] || continue
        enter_database "$maintenance"
        hear_psql || continue
        return 0
    done
    not_restored "neither postgres nor template1 lets in a session that could rename the database: $(psql_words)"
}

# It is on record from before it is there until after it has gone: if this run is killed, the next one drops it.
on_record() {
    printf '%s %s %s' "$db_host" "$db_port" "$new_database"
}

forget_new() {
    forget_record "$(on_record)"
    at_end=
}

drop_new() {
    export PGCONNECT_TIMEOUT=3
    enter_database "$maintenance"
    tell_psql "SET statement_timeout = '5s'; DROP DATABASE IF EXISTS :\"new\" WITH (FORCE);"
    if hear_psql; then
        forget_new
    else
        log "WARNING: the new database $new_database could not be dropped; the next run will: $(psql_words)"
    fi
}

create_new() {
    tell_psql "$create_sql"
    hear_or_stop "while it chose a name"
    printf '%s' "$heard" | sed -n 's/^new=//p' >"$run_dir/new"
    printf '%s' "$heard" | sed -n 's/^old=//p' >"$run_dir/old"
    new_database=$(cat "$run_dir/new")
    log "restoring into the new database $new_database"
    on_record >>"$backup_dir/restore.database"
    printf '\n' >>"$backup_dir/restore.database"
    to_disk "$backup_dir/restore.database"
    at_end=drop_new
    tell_psql 'SELECT :'"'create_database'"' \gexec'
    tell_psql "$carry_sql"
    hear_or_stop "while it made the new database"
}

# From the whole table of contents, as a new database has nothing yet; those that rehearse has made are for the old one.
choose_entries() {
    entry='^[0-9]*; [0-9]* [0-9]*'
    sed -n -e "/$entry SCHEMA - /p" -e "/$entry ACL - SCHEMA /p" "$run_dir/toc" >"$run_dir/schemas.list"
    sed -n -e "/$entry MATERIALIZED VIEW DATA /p" "$run_dir/toc" >"$run_dir/matviews.list"
    sed -n -e "/$entry ACL - SCHEMA /d" -e "/$entry ACL /p" -e "/$entry DEFAULT ACL /p" "$run_dir/toc" >"$run_dir/grants.list"
    # plpgsql is there already, and is not ours to comment on.
    sed -e '/^;/d' -e "/$entry SCHEMA - /d" -e "/$entry ACL /d" -e "/$entry DEFAULT ACL /d" -e "/$entry MATERIALIZED VIEW DATA /d" \
        -e "/$entry EXTENSION - plpgsql /d" -e "/$entry COMMENT - EXTENSION plpgsql /d" "$run_dir/toc" >"$run_dir/main.list"
}

jobs() {
    processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || processors=
    case $processors in
        '' | *[!0-9]*) printf 2 ;;
        [123]) printf '%s' "$processors" ;;
        *) printf 4 ;;
    esac
}

# A name could look like a connection string, so it goes into one.
fill_new() {
    [ -s "$run_dir/main.list" ] || return 0
    close_psql
    quoted_name=$(printf '%s' "$new_database" | sed "s/['\\\\]/\\\\&/g")
    start "$bin_dir/pg_restore" --dbname="dbname='$quoted_name'" --no-password --exit-on-error --jobs="$(jobs)" \
        --use-list="$run_dir/main.list" "$file" 2>"$run_dir/stderr"
    finished $!
    # Not the statement that failed, which may hold what is nobody's business.
    sed -e '/^Command was:/,/^pg_restore: /{/^pg_restore: /!d;}' -e '/^DETAIL: /d' -e '/^CONTEXT: /d' "$run_dir/stderr" >"$run_dir/told"
    relay "$run_dir/told"
    [ "$child_status" -eq 0 ] ||
        not_restored "pg_restore ended with exit code $child_status: $(sed -n '/error: /{p;q;}' "$run_dir/stderr")"
    enter_database "$new_database"
}

# Here it costs readers nothing.
analyze_new() {
    log "analyzing"
    analyze_started=$(date +%s)
    tell_psql "SET client_min_messages = error;"
    tell_psql '\set ON_ERROR_STOP off'
    tell_psql 'ANALYZE;'
    tell_psql '\set ON_ERROR_STOP on'
    tell_psql "SELECT 'empty_view=' || translate(oid::regclass::text, E'\\n\\r', '  ') FROM pg_class WHERE relkind = 'm' AND NOT relispopulated;"
    hear_or_stop "while it analyzed"
    empty_views=$heard
    analyze_seconds=$(($(date +%s) - analyze_started))
}

# Sessions that a rename would wait for in vain: not those that come and go, nor those that we may end. Of other roles one
# is not shown since when they are there, so those count that were there at the last look.
count_others() {
    tell_psql "SELECT count(*) FILTER (WHERE '$seen' = '' OR pid = ANY ('{$seen}')), concat_ws(',', 0, string_agg(pid::text, ',')) FROM pg_stat_activity WHERE datname = :'live' AND usename IS NOT NULL AND ('$terminate' = '' OR usename <> current_user);"
    hear_or_stop "while it looked for other sessions"
    others_there=${heard%%"|"*}
    seen=${heard#*"|"}
    seen=${seen%"$newline"}
}

await_others() {
    seen=
    count_others
    while [ "$others_there" != 0 ]; do
        [ "$(date +%s)" -lt "$deadline" ] || in_the_way "after $lock_timeout_seconds s there are still sessions in it"
        tell_psql 'SELECT FROM pg_sleep(0.2);'
        count_others
    done
}

in_the_way() {
    close_psql
    PGDATABASE=$db_name
    name_blockers
    tell_blockers
    not_restored "the database could not be renamed: $1"
}

run_ender() {
    export RUN_DIR="$run_dir"
    exec "$bin_dir/psql" --no-psqlrc --no-password --quiet --tuples-only --no-align --file="$run_dir/end_sql"
}

# Sessions come back at once; once the rename has begun, they wait at the door, and those that were faster are ended.
start_ending() {
    # shellcheck disable=SC2016 # psql asks a shell of its own
    printf '%s\n' '\set live `cat "$RUN_DIR/live"`' "$end_sql" '\watch 0.05' >"$run_dir/end_sql"
    start_function run_ender >>"$run_dir/ended" 2>/dev/null
    ender=$!
}

stop_ending() {
    kill -TERM "$ender" 2>/dev/null || :
    finished "$ender"
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
[ "$client_major" -lt 17 ] || [ "$server_major" -ge 17 ] ||
    not_restored "pg_restore $client_version cannot restore into PostgreSQL $server_major by itself" "restore with --mode=transaction"
audit "begins to restore"
printf '%s' "$db_name" >"$run_dir/live"
printf '' >"$run_dir/new"
printf '' >"$run_dir/old"
enter_maintenance
create_new
choose_entries
enter_database "$new_database"
replay schemas in_their_name
fill_new
replay grants in_their_name
refresh
tell_psql 'BEGIN;'
compare_rows
tell_psql 'COMMIT;'
analyze_new
enter_database "$maintenance"
tell_psql "SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'new', datconnlimit) FROM pg_database WHERE datname = :'live' AND datconnlimit <> -1 \\gexec"
hear_or_stop "while it carried over the connection limit"
log "renaming: $db_name becomes $(cat "$run_dir/old")"
switch
if ! forget_new; then log "WARNING: $backup_dir/restore.database could not be written"; fi
PGDATABASE=$db_name
close_psql
log "restored in $restore_seconds s; lost: ${lost:-not told}"
facts restore_seconds "$restore_seconds" analyze_seconds "$analyze_seconds" old_database "$(cat "$run_dir/old")"
tell_client "$empty_views"
