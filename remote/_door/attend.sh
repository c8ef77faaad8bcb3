#!/bin/sh
# Pass on to a client that has lost its connection what its run tells, from the first word to the last.
: "${run:?}"

# A later run has set aside what the run before it told.
find_report() {
    for attended in "$backup_dir/run.report" "$backup_dir/run.report.before"; do
        ! is_plain "$attended" || ! is_reported "$run" "$attended" || return 0
    done
    attended=
}

# A client that goes away once more leaves the run to whoever comes next; one that says so stops it, and hears how it ends.
listen_for_run() {
    word=
    while [ "$word" != stop ] && IFS= read -r word <&3; do :; done
    if [ "$word" = stop ]; then stop_run "$process" "$by_client"; else kill -TERM $$; fi
}

# With its last word; or without it, where nobody holds its lock any more, or another run does.
has_ended() {
    grep -q -x -F "$run end result" "$attended" || ! is_reported "$run" "$backup_dir/run.report" || is_free
}

is_free() {
    flock -s -n 9 || return
    flock -u 9
}

pass_on() {
    cat <&7
    case $tells in
        warnings) sed -n '/ WARNING: /p' <&8 >&2 ;;
        *) cat <&8 >&2 ;;
    esac
}

nap() {
    sleep 0.2 2>/dev/null || sleep 1
}

meet_client
open_directory
find_report
if [ -n "$attended" ]; then
    process=$(manifest_value "$attended" process)
    attended_log=$backup_dir/$(manifest_value "$attended" log)
    is_plain "$attended_log" || attended_log=/dev/null
    stop_file=$backup_dir/run.partial/stop.$run
    exec 7<"$attended" 8<"$attended_log" 9<"$backup_dir/lock"
    flock -s 7
    exec 3<&0
    { listen_for_run; } >/dev/null 2>&1 7<&- 8<&- 9<&- &
    watcher=$!
    while ! has_ended; do
        pass_on
        nap
    done
    pass_on
    printf 'heard=yes\n' >>"$attended" || :
    fact attended yes
fi
