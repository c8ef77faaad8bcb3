#!/bin/sh
# Restore the archive into a place of its own, compare what has come with what was dumped, go the way back over it, and take the
# place away again. It is filled by pg_restore, which is faster than one session where the database is large; the way back is that of
# a restore, with the rows of small tables alone.
: "${proof:?}" "${drill_db_sql?}" "${again_sql:?}" "${drill_again_rows:?}" "${drill_timeout_seconds:?}"
# needs: _listing _beside _compare _apart _cluster _database _way_back
# after place: cluster initdb_child place socket_dir wanted_bytes drill_db
# after programs: client_major client_version
# after verify: file
# after psql: db_host db_port db_user heard
# perhaps after archive: manifest
# perhaps after preflight: server_major server_version
# tells: replayed_under
# fails: 13
# shows: restoring to compare

: "${run_dir:?}"

# Nothing here has touched the live database.
trial_failed() {
    # What pg_restore said about a full disk is lost on that disk.
    [ "$(free_bytes)" -gt 65536 ] || die 13 "no space is left in $backup_path for the test restore of ${archive:-the dump}" "make room there, or choose another place with BACKUP_DRILL"
    advice=${2-see what it says above}
    case $place,$(manifest_value "${dumped_facts:-/dev/null}" as_superuser) in
        cluster,yes) advice="$advice. $db_user is a superuser in its database, and in a server of its own is none: if that is the cause, set BACKUP_DRILL=database" ;;
    esac
    die 13 "$trial of ${archive:-the dump} failed: $1" "$advice"
}

# A function of the archive may run for ever, and need not listen to a limit that the server sets. So a clock of ours ends the run.
count_down() {
    seconds_left=$((seconds_left - nap_seconds))
    [ "$seconds_left" -le 0 ] || return 0
    printf '' >"$run_dir/overtime"
    # Again and again, as bash may sleep through one.
    kill -TERM $$ || :
}

start_clock() {
    overtime=took_too_long
    seconds_left=$drill_timeout_seconds nap_seconds=1 meanwhile=count_down
    start_function attend_growth '' $$
    clock=$!
    heed_signals
}

took_too_long() {
    die 13 "the test restore of ${archive:-the dump} was stopped after $drill_timeout_seconds s (BACKUP_DRILL_TIMEOUT)" \
        "if it only needs longer, allow it more; if it never ends, see in its log what it was at, and change that view, index or function"
}

stop_clock() {
    kill -TERM "$clock" 2>/dev/null || :
    # One that has not set its trap yet would be told of.
    finished "$clock" 2>/dev/null
    overtime=
}

# aim HOST PORT USER DATABASE: where psql and the programs go from here on.
aim() {
    [ -z "$psql_child" ] || close_psql
    target_host=$1 target_port=$2 target_user=$3
    enter_database "$4"
}

# fill_and_read LIST [OPTION]…: all rows are there once the first foreign key is due, and hardly anything can be made beside
# the check of a large one, in which a server uses one processor alone. The order of an archive is one in which it can be restored.
fill_and_read() {
    contents=$1 key="^[0-9]*; 2606 [0-9]* FK CONSTRAINT "
    shift
    sed -n "/$key/,\$p" "$run_dir/$contents.list" >"$run_dir/keys.list"
    sed "/$key/,\$d" "$run_dir/$contents.list" >"$run_dir/tables.list"
    fill tables "$@" --jobs="$(jobs)"
    [ -n "$stumbled" ] || fill configured "$@"
    enter_database "$target_database"
    if [ -n "$stumbled" ]; then
        fill_once_more "$place_major"
        # Where the role has made the extension, its rows have come with all others.
        [ -s "$run_dir/configured_names" ] || fill configured "$@"
        enter_database "$target_database"
        begin_reading
    else
        begin_reading
        fill keys "$@" --jobs="$(jobs)"
    fi
    end_reading
}

# What a database takes more than when it was made; asked for by a process that only tells.
grown_bytes() {
    if [ "$place" = cluster ]; then
        grown=$(du -sk "$cluster/data/base" 2>/dev/null) || :
        grown=${grown%%[!0-9]*}
        printf '%s' "$((${grown:-0} * 1024))"
    else
        ask 'SELECT pg_database_size(current_database())'
    fi
}

tell_growth() {
    grown_bytes >"$run_dir/grown" 7>&- &
    wait $! || :
    bytes_now=$(cat "$run_dir/grown")
    is_number "$bytes_now" || return 0
    [ "$bytes_now" -le "$bytes_before" ] || tell_progress "bytes $((bytes_now - bytes_before))"
}

watch_growth() {
    [ "$tells" = progress ] || return 0
    bytes_before=$(grown_bytes) || bytes_before=0
    is_number "$bytes_before" || bytes_before=0
    growth=tell_growth
    tell_progress "expected ${wanted_bytes:-} "
}

leave() {
    "leave_$place"
    [ -z "$psql_child" ] || close_psql
    target_host=$db_host target_port=$db_port target_user=$db_user target_database=$db_name as_dumped=
}

give_up=trial_failed compared='' went_back='' trial="the test restore"
watch_client
drill_started=$(date +%s)
start_clock
read_expected
learn_path "$dumped_facts"
[ "$listed" = "$file" ] || list_entries
log "restoring ${archive:-the dump} for the proof $proof, in a $place of its own, by PostgreSQL $client_version"
[ "$place" != cluster ] || start_cluster
"fill_$place"
fill_seconds=$(seconds_since "$drill_started")
compare_contents
[ "$proof" != equal ] || dump_schema after
go_back_over_the_copy
[ "$proof" != equal ] || compare_schemas
leave
stop_clock
[ -z "$archive" ] || record "$(better_grade "$proof" "$(manifest_value "$manifest" proof)")"
proved=$proof
drill_seconds=$(seconds_since "$drill_started")
facts proof "$proved" drill_seconds "$drill_seconds" fill_seconds "$fill_seconds" went_back "$went_back"
log "proven ($proved) by a test restore in $drill_seconds s"
