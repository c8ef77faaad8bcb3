#!/bin/sh
# Decide which archives go, and why: for `prune`, and for people who only ask.
: "${now?}" "${max_backups?}" "${keep_days?}" "${keep_daily?}" "${keep_weekly?}" "${keep_monthly?}" "${proof:?}" "${upcoming?}" "${manifests_awk:?}" "${retention_awk:?}"
# tells: expired foundation
die_of_problems # which lock and awk may have left

undecided() {
    rotation="not decided: $1"
    die 16 "what retention keeps could not be decided: $1" "$2"
}

# By the client's clock where there is one: by the host's, if it were wrong, archives would look older than they are.
tell_time() {
    elapsed_seconds=$(seconds_since "$began_seconds")
    if [ -z "$now" ]; then
        now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
        elapsed_seconds=0
    fi
}

# One process for all archives: there may be thousands.
judge_archives() {
    # What ls cannot tell of a file that has just gone is no harm: without the lock, another run may be at work.
    list_backup_dir 2>/dev/null |
        backup_dir="$backup_dir" now="$now" elapsed_seconds="$elapsed_seconds" published="$published" upcoming="$upcoming" \
            max_backups="$max_backups" keep_days="$keep_days" keep_daily="$keep_daily" keep_weekly="$keep_weekly" \
            keep_monthly="$keep_monthly" proof="$proof" awk "$manifests_awk$retention_awk"
}

open_directory
tell_time
[ ! -d "$backup_dir" ] || [ -r "$backup_dir" ] || undecided "$backup_path cannot be listed" "look at its permissions"
verdicts=$(judge_archives) || undecided "awk ended with exit code $?" "see what it says above"
tell_client "$verdicts"
for name in $(printf '%s\n' "$verdicts" | sed -n 's/^unreadable=//p'); do
    [ -n "$upcoming" ] || log "WARNING: $name is left alone: its manifest is not readable"
done
expired=$(printf '%s\n' "$verdicts" | sed -n 's/^expired=//p')
