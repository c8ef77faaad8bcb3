# The programs that a run has started: none outlives it, and a signal ends them at once.

# Programs that take long run in the background: a signal then ends them at once instead of after them.
# Their output goes where that of `start` goes; so as not to send our own after it, a signal waits for `heed_signals`.
start() {
    starting=yes
    "$@" 4>&- 6>&- & # or psql, and the guard, would not see our end of their pipes closing
    note_child
}

# While a shell function waits for the opening of a named pipe, descriptors that its call closes are only set aside, and
# stay open. So they are closed inside of it, with exec.
start_function() {
    starting=yes
    {
        exec 4>&- 6>&-
        "$@"
    } &
    note_child
}

note_child() {
    children="$children $!"
    tell_guard
}

heed_signals() {
    starting=
    [ -z "$interrupt" ] || interrupted
}

finished() {
    heed_signals
    child_status=0
    wait "$1" || child_status=$?
    others=
    for child in $children; do
        [ "$child" = "$1" ] || others="$others $child"
    done
    children=$others
    tell_guard
}

# attend_growth FILE PID: while that program runs, tell the size of its file, and do what is to be done meanwhile.
attend_growth() {
    # Close what this helper inherits: neither it nor its nap may hold the lock (9), or the client's stdout and stderr.
    exec 7>&2 2>/dev/null 3<&- 5<&- 9>&-
    before=$!
    # KILL: a nap that was forked a moment ago would lose any other signal.
    trap '[ "$!" = "$before" ] || kill -KILL "$!"; exit 0' TERM
    # A signal that comes too early is lost, so this loop looks for itself whether the program still runs.
    while kill -0 "$2" && kill -0 $$; do
        sleep "$nap_seconds" >/dev/null 7>&- &
        wait $! || :
        [ ! -f "$1" ] || tell_progress "bytes $(size_of "$1")"
        [ -z "$meanwhile" ] || "$meanwhile"
    done
}

tell_progress() {
    [ "$tells" != progress ] || tell_client "$newline$fence progress $1"
}

# finished_growing PID FILE [MEANWHILE]: like `finished`; until then, tell the size of the file, and call that function now and then.
finished_growing() {
    teller=
    meanwhile=${3-} nap_seconds=10
    [ "$tells" != progress ] || nap_seconds=1
    if [ "$tells" = progress ] || [ -n "$meanwhile" ]; then
        start_function attend_growth "$2" "$1"
        teller=$!
    fi
    finished "$1"
    [ -n "$teller" ] || return 0
    grown_status=$child_status
    kill -TERM "$teller" 2>/dev/null || :
    finished "$teller" 2>/dev/null # one that has not set its trap yet would be told of
    child_status=$grown_status
}

# A shell that is killed cannot end what it has started, and that would go on with all its locks. Our end of this pipe
# closes with us, whatever our end is; each line in it is what runs at present. No child of ours: in a trap, bash would
# wait for it instead of a child that has just ended (measured, 5.2).
start_guard() {
    [ -z "$guard" ] || return 0
    mkfifo "$run_dir/guard"
    # Opened for both, which waits for nobody: so one of us that ends early leaves no other waiting at the door.
    exec 6<>"$run_dir/guard"
    exec 4<"$run_dir/guard"
    exec 6>"$run_dir/guard"
    rm -f "$run_dir/guard"
    (
        { # with exec, as dash keeps for later what the call of a function closes: the lock, and the channel
            exec <&4 >/dev/null 2>&1 3<&- 4<&- 6>&- 7>&- 9>&-
            stand_guard
        } &
    )
    exec 4<&-
    guard=yes
}

stand_guard() {
    while IFS=, read -r line line_psql line_server; do
        children=$line psql_child=$line_psql server_child=$line_server
    done
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$psql_child" ] || kill -INT $psql_child || :
    # shellcheck disable=SC2086
    [ -z "$children" ] || kill -TERM $children || :
    # shellcheck disable=SC2086
    [ -z "$server_child" ] || kill -QUIT $server_child || :
    await_end "$children $psql_child"
    # shellcheck disable=SC2086
    [ -z "$children$psql_child" ] || kill -KILL $children $psql_child || :
}

tell_guard() {
    [ -z "$guard" ] || printf '%s,%s,%s\n' "$children" "$psql_child" "$server_child" >&6 2>/dev/null || :
}

# await_end PIDS: wait until all of them have ended, for a second at the most.
await_end() {
    looks=0
    # shellcheck disable=SC2086 # a list of numbers
    while [ "$looks" -lt 10 ] && is_any_running $1; do
        looks=$((looks + 1))
        sleep 0.1 2>/dev/null || {
            sleep 1
            return 0
        }
    done
}

is_any_running() {
    for child; do
        ! kill -0 "$child" 2>/dev/null || return 0
    done
    return 1
}

# At TERM pg_dump cancels its query in the server, at INT psql does, at QUIT a server of our own is gone within seconds. A
# child that was forked a moment ago may not have laid aside our traps yet and lose the signal, so KILL makes sure: we
# would wait for ever.
stop_children() {
    [ -z "$parting" ] || [ -z "$psql_idle" ] || printf '%s\n' "$parting" 2>/dev/null >&4 || :
    # At this an idle psql ends by itself; unless a child still holds a copy, so that one must not be waited for first.
    exec 4>&-
    [ -n "$children$psql_child$server_child" ] || return 0
    # shellcheck disable=SC2086 # a list of numbers
    {
        # A process that somebody has halted gets the signal only after CONT.
        [ -z "$server_child" ] || kill -QUIT $server_child
        [ -z "$server_child" ] || kill -CONT $server_child
        [ -z "$psql_child" ] || [ -n "$psql_idle" ] || kill -INT "$psql_child"
        [ -z "$children" ] || kill -TERM $children
        [ -z "$children$parting" ] && [ -n "$psql_idle" ] || await_end "$children $psql_child"
        kill -KILL $children $psql_child
        wait $children $psql_child $server_child
    } 2>/dev/null || :
    children='' psql_child='' server_child=''
    tell_guard
}
