# Of `preflight`: a pooler between us and the server.

# find_pooling PROGRAM: what stands between us and the server that our options have not come to. `pooling` is `session` where each
# client has a server session to itself, and `transaction` where it has none: then two clients that are there at once meet in one,
# or one of them goes from one to another. A pool that others use as well may not show it at once. `single` is a pool whose last server
# session is the one that we have, so that whoever comes next waits. Empty where it cannot be seen.
find_pooling() {
    pooled_at="$target_host $target_port" opening=$only_ask
    pooling=session first='' rounds=0
    use_psql "$1"
    while [ "$rounds" -lt 5 ] && [ "$pooling" = session ]; do
        rounds=$((rounds + 1))
        look_who_serves "$1"
    done
    [ -z "$psql_child" ] || close_psql
}

look_who_serves() {
    tell_psql 'SELECT pg_catalog.pg_backend_pid(); SELECT pg_catalog.pg_backend_pid();'
    hear_psql || {
        pooling=
        return 0
    }
    [ -n "$first" ] || first=${heard%%"$newline"*}
    rm -f "$run_dir/waited"
    start_function session "$1" --command='SELECT pg_catalog.pg_backend_pid()' </dev/null >"$run_dir/other" 2>"$run_dir/other_stderr"
    second=$! seconds_waited=0
    finished_growing "$second" '' end_long_wait
    other=$(cat "$run_dir/other")
    if [ -e "$run_dir/waited" ]; then
        pooling=single
    elif ! is_number "$first" || ! is_number "$other"; then
        pooling=
    elif [ "$heard" != "$first$newline$first$newline" ] || [ "$other" = "$first" ]; then
        pooling=transaction
    fi
}

# Beside the second session, whose first query a pooler may keep waiting for ever: so a child of ours ends that psql.
end_long_wait() {
    seconds_waited=$((seconds_waited + nap_seconds))
    [ "$seconds_waited" -ge 10 ] || return 0
    printf '' >"$run_dir/waited"
    kill -KILL "$second"
}

# A pooler, or the server, has not taken our options; or a pooler has, and kept them to itself.
speaks_of_options() {
    case $words in *option* | *'startup parameter'* | *fabric_predeploy.session*) return 0 ;; esac
    return 1
}

# ask_behind_pooler PSQL: in a session that is ours alone we go on, and leave it as it was. Any other is the application's, too.
ask_behind_pooler() {
    find_pooling "$1"
    if [ "$pooling" = session ]; then
        log "DB_PORT $db_port is a pooler that keeps a session for each client ($words)"
        parting='DISCARD ALL;' opening="$pin $restate $more"
        ask_database "$1"
    else
        opening=$strict_opening pooled_at=''
        [ "$pooling" != single ] || problem "DB_PORT $db_port is a pooler that has one server session for us, and a backup needs two at once" \
            "name the server's own port in DB_PORT, often 5432; or let the pooler open more (default_pool_size of pgbouncer)" database
        [ "$pooling" = single ] || problem "DB_PORT $db_port is a pooler, whose sessions the application shares: what a backup sets would stay in them ($words)" \
            "name the server's own port in DB_PORT, often 5432; or one of the pooler's where it keeps a session for each client" database
    fi
}
