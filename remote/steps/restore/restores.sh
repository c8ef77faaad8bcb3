#!/bin/sh
# Print the last lines of the file `restores`: a line is the beginning or the end of a restore.
: "${most_lines:?}"
# tells: line

open_directory
if is_plain "$backup_dir/restores"; then
    last_lines=$(tail -n "$most_lines" -- "$backup_dir/restores")
    [ -z "$last_lines" ] || printf '%s\n' "$last_lines" | sed 's/^/line=/'
fi
