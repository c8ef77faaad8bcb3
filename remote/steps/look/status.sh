#!/bin/sh
# Print the status that the last run has left; of one that has begun and not ended, who is still at work.
# tells: problem

# Asked only where no end is on record: a run that begins at this very moment would find the lock taken.
is_locked() {
    exec 9<"$backup_dir/lock"
    flock_status=0
    flock -n -s 9 || flock_status=$?
    exec 9<&-
    [ "$flock_status" -eq 1 ]
}

# A run that keeps no status may have come after one that was killed.
find_who_is_at_work() {
    [ "$(manifest_value "$backup_dir/status" step)" = lock ] && is_plain "$backup_dir/lock" || return 0
    if is_locked; then
        holder=$(cat "$backup_dir/lock")
        case $holder in "$(manifest_value "$backup_dir/status" task) for "*) at_work=$(one_line "$holder") ;; esac
        [ ! -f "$backup_dir/run.partial/alone" ] || at_work="$at_work; its client is gone since $(cat "$backup_dir/run.partial/alone")"
    fi
}

open_directory
if is_plain "$backup_dir/status"; then
    at_work=
    find_who_is_at_work
    # Only after that, as it may have ended meanwhile.
    cat "$backup_dir/status"
    printf '\n'
    [ -z "$at_work" ] || fact at_work "$at_work"
fi
