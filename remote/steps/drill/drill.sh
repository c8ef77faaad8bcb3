#!/bin/sh
# Restore the archive into a place of its own, compare what has come with what was dumped, go the way back over it, and take the
# place away again. It is filled by pg_restore, which is faster than one session where the database is large; the way back is that of
# a restore, with the rows of small tables alone.
: "${drill_db_sql?}" "${again_sql:?}" "${again_rows:?}" "${drill_timeout_seconds:?}"
: "${place:?}" "${proof:?}" "${file:?}" "${bin_dir:?}" "${create_sql:?}" "${wipe_sql:?}" # from place, compare, verify, beside and back

# The words of `restoring` and `beside` are for the live database, which none of this has touched.
not_restored() {
    # What pg_restore said about a full disk is lost on that disk.
    [ "$(free_bytes)" -gt 65536 ] || die 13 "no space is left in $backup_path for the test restore of ${archive:-the dump}" "free some"
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

# A login trigger of the archive would run as whoever comes in; older servers have none, nor this setting.
run_server() {
    set --
    [ "$client_major" -lt 17 ] || set -- -c event_triggers=off
    starting=yes
    "$bin_dir/postgres" -D "$cluster/data" -c listen_addresses= -c port=5432 -c unix_socket_directories="$socket_dir" \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=96MB \
        -c checkpoint_timeout=1h -c autovacuum=off -c maintenance_work_mem=128MB -c dynamic_shared_memory_type=mmap \
        -c logging_collector=off -c restart_after_crash=off -c jit=off -c bgwriter_lru_maxpages=0 -c max_locks_per_transaction=1024 "$@" </dev/null >"$cluster/log" 2>&1 3<&- 4>&- 5<&- 6>&- 7>&- 9>&- &
    server_child=$!
    tell_guard
    heed_signals
}

# Nothing but its socket leads to it, in a directory of ours alone. It does not hold the lock: whoever finds it left, ends it.
start_cluster() {
    finished "$initdb_child"
    [ "$child_status" -eq 0 ] ||
        die 10 "initdb could not make a server for the test restore: $(tail -n 1 "$cluster/initdb")" "see what it says, or set BACKUP_DRILL=database"
    start_guard
    run_server
    tries=0
    until grep -q '^ready' "$cluster/data/postmaster.pid" 2>/dev/null; do
        kill -0 "$server_child" 2>/dev/null && [ "$tries" -lt 600 ] ||
            die 10 "the server for the test restore did not start: $(tail -n 1 "$cluster/log")" "see what it says, or set BACKUP_DRILL=database"
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
}

leave_cluster() {
    [ -z "$psql_child" ] || close_psql
    kill -QUIT "$server_child"
    wait "$server_child" || : # it says that it was told to
    server_child=
    tell_guard
    end_cluster
}

# aim HOST PORT USER DATABASE: where psql and the programs go from here on.
aim() {
    [ -z "$psql_child" ] || close_psql
    target_host=$1 target_port=$2 target_user=$3
    enter_database "$4"
}

as_superuser() {
    aim "$socket_dir" 5432 fabric_predeploy "$1"
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

fill_cluster() {
    place_major=$client_major place_options=--no-tablespaces before_replay=leave_out_apart after_schemas=open_schemas
    make_roles
    as_when_dumped "$dumped_facts"
    divide_entries
    watch_growth
    # The role reads, too: whoever plans a query runs functions of the archive, of which its indexes and checks are made.
    aim "$socket_dir" 5432 "$db_user" drill
    replay schemas
    open_schemas
    fill_and_read rest --no-tablespaces
    aim "$socket_dir" 5432 "$db_user" drill
    grant_on_schemas REVOKE FROM
    after_schemas=
    [ -n "$replay_path" ] || replay grants
    refresh
    make_apart last
    as_superuser postgres
    limit_roles
    aim "$socket_dir" 5432 "$db_user" drill
}

wipe_drill_db() {
    enter_database "$drill_db"
    tell_psql "BEGIN; SET LOCAL lock_timeout = '10s';"
    tell_psql "$ours_sql"
    tell_psql "$wipe_sql"
    tell_psql 'COMMIT;'
    if hear_psql; then
        at_end=
    else
        log "WARNING: BACKUP_DRILL_DB $drill_db could not be emptied; the next test restore will: $(psql_words)"
    fi
}

look_into_drill_db() {
    enter_database "$drill_db"
    tell_psql "$drill_db_sql"
    hear_psql || die 10 "BACKUP_DRILL_DB $drill_db did not answer: $(psql_words)" "create it, for the role $db_user to restore into"
}

# What stands in it would be in the way of the archive, and would be dropped with it.
enter_drill_db() {
    look_into_drill_db
    case $heard in
        marked=1*)
            log "emptying $drill_db, which an earlier test restore has left as it was"
            wipe_drill_db
            look_into_drill_db
            ;;
    esac
    case $heard in *"holds=0$newline") ;; *) die 14 "BACKUP_DRILL_DB $drill_db is not empty" "name an empty database: what is in it would be dropped" ;; esac
    at_end=wipe_drill_db after_wipe=mark_drill_db
    mark_drill_db
    hear_or_stop "before it began"
}

mark_drill_db() {
    tell_psql 'CREATE SCHEMA fabric_predeploy_drill;'
}

# As a restore by swap would.
fill_database() {
    place_major=$server_major
    begin_elsewhere
    scratch_database=$drill_db
    if [ -n "$drill_db" ]; then
        enter_drill_db
        as_when_dumped "$dumped_facts"
    else
        enter_maintenance
        as_when_dumped "$dumped_facts"
        create_new
        scratch_database=$new_database
    fi
    choose_entries
    enter_database "$scratch_database"
    replay schemas
    lend
    hear_or_stop "while it opened its schemas"
    watch_growth
    fill_and_read main
    enter_database "$scratch_database"
    if [ -z "$replay_path" ]; then
        replay grants
        take_back
    fi
    refresh
}

# The wipe and the replay of a restore, where there is something to wipe now. Rows of large tables are left out, and once more all
# of them, where a function of the archive may have missed them.
go_back_over_the_copy() {
    trial="the way back over the test restore" in_copy=" in the copy"
    rehearse_here
    # What is there is found by its number in the live database; here all of it is there.
    rehearsal=$(printf '%s' "$rehearsal" | sed '/^transaction_obstacle=.* is in the archive, and not in the database: /d')
    if ! is_open transaction; then
        log "the way back was not tried over the test restore: $(one_line "$(obstacles_to transaction | head -n 3)")"
        return 0
    fi
    log "trying the way back over the test restore, with the rows of tables that have up to $again_rows"
    [ -z "$before_replay" ] || "$before_replay"
    leave_out_large
    ! may_create_anywhere || after_schemas=open_schemas
    try_to_go_back "$place_major"
    if [ -n "$stumbled" ] && [ -n "$lacks_rows" ]; then
        log "trying it without any rows, as not all of them were there: $(one_line "$stumbled")"
        leave_out_all
        go_back "$place_major"
    elif [ -n "$stumbled" ]; then
        take_path_of_role
        try_to_go_back "$place_major"
    fi
    [ -z "$after_schemas" ] || grant_on_schemas REVOKE FROM
    compare_rows "$run_dir/again"
    tell_psql 'COMMIT;'
    hear_or_stop "at its end"
    went_back=yes
}

# Where this role has no way back in the live database, the copy can still be made a second time, to be compared.
go_back_for_all_roles() {
    as_superuser postgres
    act_for_all_roles
    aim "$socket_dir" 5432 "$db_user" drill
    rehearse_here
    leave_out_apart
    : >"$run_dir/again"
    leave_out_all
    after_schemas=open_schemas
    try_to_go_back "$place_major"
    grant_on_schemas REVOKE FROM
    tell_psql 'COMMIT;'
    hear_or_stop "at its end"
}

# A superuser is none here, and lets another own what that one may not create.
may_create_anywhere() {
    case $place,$(manifest_value "$dumped_facts" as_superuser),$(manifest_value "$dumped_facts" opens_schemas) in
        cluster,yes,* | cluster,*,yes) ;;
        *) return 1 ;;
    esac
}

leave_out_large() {
    use_psql "$bin_dir/psql"
    tell_psql "\\set again_rows $again_rows"
    tell_psql "\\set archive_encoding $archive_encoding"
    tell_psql "$again_sql"
    hear_or_stop "while it looked for large tables"
    case $heard in *'large=blobs'*) : >"$run_dir/blobs.list" ;; esac
    ! tells large "$heard" || lacks_rows=yes
    leave_out large data
    leave_out stays before
    leave_out stays after
}

leave_out_all() {
    stumbled='' lacks_rows=''
    : >"$run_dir/blobs.list"
    heard=$(sed -n 's/^\([0-9]*\); 0 [0-9]* TABLE DATA .*/large=\1/p' "$run_dir/toc")
    leave_out large data
    sed 's/^rows=[0-9]* /rows=0 /' "$run_dir/again" >"$run_dir/none"
    mv "$run_dir/none" "$run_dir/again"
}

leave_database() {
    if [ -n "$drill_db" ]; then
        wipe_drill_db
    else
        enter_maintenance
        drop_new
    fi
}

leave() {
    "leave_$place"
    [ -z "$psql_child" ] || close_psql
    target_host=$db_host target_port=$db_port target_user=$db_user target_database=$db_name as_dumped=
}

compared='' went_back='' trial="the test restore"
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
