# The way out of a run: nothing unfinished stays, and the outcome is recorded and told.

# Keep a record of restores outside the database: a table in the database would be replaced by the restore itself.
audit() {
    printf '%s %s %s into %s on %s by %s way=%s bytes=%s seconds=%s safety=%s lost=%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" \
        "${archive##*/}" "${db_name-}" "${db_host-}" "$client" "${way:-}" "$([ ! -f "${file-}" ] || size_of "$file")" "${restore_seconds:-}" "$published" "${lost:-}" \
        >>"$backup_dir/restores" || log "WARNING: $backup_path/restores could not be written: only the log says what this restore has done"
    audited=yes
}

outcome() {
    pairs time "$(date -u +%Y-%m-%dT%H:%M:%SZ)" code "$1" step "$step" reason "$(one_line "$reason")" remedy "$(one_line "$remedy")"
    [ -z "$alone_since" ] || pairs client_gone_since "$alone_since"
    [ -z "$is_cut_off" ] || pairs cut_off yes
    [ -z "$problems" ] || printf '%s' "$problems" | tr "$orders" "$blanks" | sed 's/^/problem=/'
}

status_lines() {
    result=failure
    case $task in
        restore) achieved=$restored ;;
        *) achieved=$published ;;
    esac
    [ -z "$achieved" ] || [ -n "$deferred" ] || [ "$task,$shrunk" = predeploy,yes ] || result=success
    [ -z "$deferred" ] || set -- 13 # until the client tells otherwise
    pairs result "$result" task "$task"
    pairs archive "$achieved" proof "$proved" rotation "$rotation"
    [ "$task" != restore ] || pairs way "${way:-}" seconds "${restore_seconds:-}" safety "$published" lost "${lost:-}"
    outcome "$1"
    pairs log "${log_file##*/}"
}

# If the status of this run cannot be written, remove the file: it must not go on telling of the run before.
write_status() {
    status=$(status_lines "$1")
    if ! write_new "$backup_dir/status.partial" "$status$newline" ||
        ! mv -f "$backup_dir/status.partial" "$backup_dir/status"; then
        rm -f "$backup_dir/status.partial" "$backup_dir/status"
    fi
}

# Write the status that shall stand there if this run is killed.
write_interim_status() {
    [ -n "$keeps_status" ] || return 0
    reason=$1
    [ "$task" != restore ] || tell_state
    write_status 1
    reason=
}

tell_outcome() {
    tell_client "$newline$fence begin result"
    tell_client "$(outcome "$1")"
    tell_client "$fence end result"
}

# A command of ours that fails ends the run at once. What can be the matter with all of them is the directory that they write in.
find_reason() {
    code=1
    reason="the step $step ended unexpectedly"
    [ -n "$log_file" ] || return 0
    if ! is_in_place || { [ -n "$run_dir" ] && [ ! -d "$run_dir" ]; }; then
        reason="$backup_path was removed, or is another now: the step $step ended" remedy="see who has done that"
    elif ! write_new "$backup_dir/status.partial" "$fence$newline"; then
        reason="nothing can be written in $backup_path: the step $step ended" remedy="look at its free space, its free inodes and its permissions"
    else
        rm -f "$backup_dir/status.partial"
        return 0
    fi
    code=$fails
}

# After a restore that did not end well, everybody asks first what the database is like now: whoever tells the reason tells it.
tell_state() {
    case $reason,$tells_no_state in *'; the database is as it was'* | *'nothing was touched'* | *,yes) return 0 ;; esac
    if [ -n "$committing" ]; then
        reason="$reason; whether the database was restored is not known"
    elif [ -n "$restored" ] && [ "${way-}" = salvage ]; then
        reason="$reason; the tables were brought back"
    elif [ -n "$restored" ]; then
        reason="$reason; the database is restored to ${restored##*/}"
    elif [ -z "$log_file" ]; then
        reason="$reason; nothing was touched"
    else
        reason="$reason; the database is as it was"
    fi
}

# Every way out leads through here: nothing unfinished stays, the outcome is recorded and told.
finish() {
    code=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    stop_watching
    stop_children
    if [ "$code" -eq 0 ] && [ -n "$verdict" ]; then
        code=$verdict reason=$verdict_reason remedy=$verdict_remedy
    fi
    [ "$code" -eq 0 ] || [ -n "$reason" ] || find_reason
    [ "$code" -eq 0 ] || [ "$task" != restore ] || tell_state
    if [ -n "$at_end" ]; then
        "$at_end"
        stop_children
    fi
    [ -z "$partial" ] || rm -f "$partial"
    [ ! -f "$run_dir/alone" ] || alone_since=$(cat "$run_dir/alone")
    [ -z "$run_dir" ] || rm -rf "${run_dir:?}"
    if [ -n "$log_file" ]; then
        if [ "$code" -eq 0 ]; then log "$task: done"; else log "$task: exit code $code: $reason"; fi
        [ -z "$recorded$audited" ] || [ -n "$restored" ] || audit "did not restore"
        [ -z "$keeps_status" ] || write_status "$code"
    fi
    tell_outcome "$code"
    exit "$code"
}

# In the words of whoever has listened to the client.
interruption() {
    words=
    [ ! -f "$stop_file" ] || words=$(cat "$stop_file")
    printf '%s' "${words:-interrupted}"
}

interrupted() {
    if [ -n "$starting" ]; then
        interrupt=yes
        return 0
    fi
    trap '' INT TERM HUP # a second one would end the way out in its middle
    [ -z "$overtime" ] || [ ! -e "$run_dir/overtime" ] || "$overtime"
    [ -z "$restored" ] || die 130 "$(interruption), after the end of the restore" "what was asked for of $restored is done"
    die 130 "$(interruption)" "run it again: nothing unfinished is left on the host"
}
