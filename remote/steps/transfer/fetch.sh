#!/bin/sh
# Give an archive to the client: its manifest, and its dump from a byte on.
: "${archive:?}" "${sha256:?}" "${offset:?}"
# shows: fetching the archive

# The client takes so many bytes as they are, and reads lines again after them.
give() {
    left_bytes=$(($(size_of "$1") - $2))
    [ "$left_bytes" -ge 0 ] || die 13 "${1##*/} is now shorter than the part that was fetched before" "somebody has changed it: prove it again with fab verify"
    tell_client "$newline$fence raw $left_bytes"
    start tail -c "+$(($2 + 1))" "$1"
    finished $!
    [ "$child_status" -eq 0 ] || die 13 "${1##*/} cannot be read to its end" "check the host's disk"
}

open_directory
watch_client
file=$backup_dir/$archive manifest=$backup_dir/${archive%.dump}.manifest
# Another run may have removed it since it was chosen.
is_ours "$archive" .dump && [ -f "$file" ] && [ -f "$manifest" ] ||
    die 14 "$archive is not there any more" "choose another: fab history"
[ "$(manifest_value "$manifest" sha256)" = "$sha256" ] ||
    die 14 "$archive is another one by now" "choose again: fab history"
give "$manifest" 0
give "$file" "$offset"
