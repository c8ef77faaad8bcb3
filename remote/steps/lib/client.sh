# The client, which may stop the run, be lost, and come back.

by_client='interrupted at the client, by Ctrl-C or another signal'

# The client keeps our stdin open, and says so before it closes it to stop us. An end without that word is a connection that is
# lost, or a client that was killed.
watch_client() {
    meet_client
    [ -z "$watcher" ] || return 0
    exec 3<&0
    # In braces: some shells would otherwise keep a copy of what is closed here, and the client waits for its end.
    { listen_to_client; } >/dev/null 2>&1 4>&- 6>&- 9>&- &
    watcher=$!
}

listen_to_client() {
    word=
    while [ "$word" != stop ] && [ ! -e "$stop_file" ] && IFS= read -r word <&3; do :; done
    if [ "$word" = stop ]; then
        stop_run $$ "$by_client"
    else
        await_client
        stop_run $$ "cut off from the client"
    fi
}

# stop_run PROCESS WHY: leave a stop file, in case the run must not be stopped at the moment (during COMMIT). Send TERM twice:
# bash can miss a signal that arrives right before it begins to wait.
stop_run() {
    [ -s "$stop_file" ] || printf '%s' "$2" >"$stop_file" || :
    kill -TERM "$1"
    kill -TERM "$1"
}

# A run that a client can find again goes on. It stops by itself if no client has come back to it for that many seconds.
await_client() {
    is_reported "$fence" "$backup_dir/run.report" || return 0
    run_dir=$backup_dir/run.partial
    log_file=$backup_dir/$(manifest_value "$backup_dir/run.report" log)
    seconds_left=$reconnect_seconds
    exec 8>>"$backup_dir/run.report"
    while [ "$seconds_left" -gt 0 ] && [ ! -e "$stop_file" ] && kill -0 $$; do
        seconds_left=$((seconds_left - 1))
        if is_attended; then
            [ ! -e "$run_dir/alone" ] || note_attended
            seconds_left=$reconnect_seconds
        else
            [ -e "$run_dir/alone" ] || note_alone
        fi
        sleep 1
    done
}

# is_reported RUN FILE
is_reported() {
    [ -f "$2" ] && IFS= read -r first_line <"$2" && [ "${first_line%begin *}" = "$1 " ]
}

# A client that attends to the run shares the lock of its report. The kernel drops that lock when the client's process ends.
is_attended() {
    flock_status=0
    flock -n 8 || flock_status=$?
    [ "$flock_status" -ne 0 ] || flock -u 8
    [ "$flock_status" -eq 1 ]
}

note_alone() {
    date -u +%Y-%m-%dT%H:%M:%SZ >"$run_dir/alone"
    log "the client is gone: going on, and stopping in $reconnect_seconds s unless it comes back"
}

note_attended() {
    rm -f "$run_dir/alone"
    log "the client is back"
}

# Without `wait`, for the reason for which the guard is no child (see children.sh).
stop_watching() {
    [ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null || :
}

watch_client_again() {
    stop_watching
    watcher=
    watch_client
}
