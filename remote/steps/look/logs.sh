#!/bin/sh
# Print the end of the log of the last run, or of the run that has made an archive.
: "${archive?}" "${most_bytes:?}"
# tells: bytes line log

# The last of them by name is the newest.
find_newest() {
    for newest_log; do :; done
    printf '%s' "$newest_log"
}

# By the line that a run writes when it gives an archive its name.
find_by_archive() {
    pattern=$(printf '%s' "$archive" | sed 's/[.]/[.]/g')
    made_in=$(grep -l -e "^[0-9:]* published $pattern\$" -- "$@") || [ $? -eq 1 ] ||
        die 10 "the logs in $backup_path cannot be read" "look at their owner and their mode"
    printf '%s' "${made_in%%"$newline"*}"
}

open_directory
# shellcheck disable=SC2086 # the pattern is meant to be one
set -- "$backup_dir"/backup-$stamp_glob.log
[ -f "$1" ] || die 14 "there are no logs in $backup_path" "each run leaves one there: look at BACKUP_DIR"
if [ -z "$archive" ]; then
    found_log=$(find_newest "$@")
else
    found_log=$(find_by_archive "$@")
    [ -n "$found_log" ] ||
        die 14 "the log of the run that has made $archive is gone: later runs have taken its place" "its manifest is still there: fab history --json"
fi
is_plain "$found_log" || die 14 "${found_log#./} is no plain file" "look at it, and move it away"
log_bytes=$(size_of "$found_log")
log_end=$(tail -c "$most_bytes" -- "$found_log")
facts log "${found_log##*/}" bytes "$log_bytes"
printf '%s\n' "$log_end" | sed 's/^/line=/'
