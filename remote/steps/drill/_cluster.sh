# Of `drill`: a server of its own.

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

as_superuser() {
    aim "$socket_dir" 5432 fabric_predeploy "$1"
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
