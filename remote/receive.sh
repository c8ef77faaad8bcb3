#!/bin/sh
# Take a dump, and its manifest where it has one, from the client: complete and as announced, or absent.
: "${upload:?}" "${dump_bytes:?}" "${manifest_bytes:?}" "${sha256:?}"
die_of_problems                          # which lock and programs may have left
: "${checksum_program:?}" "${run_dir:?}" # from them

check_room() {
    needed_bytes=$((dump_bytes + manifest_bytes + 1048576))
    present_bytes=$(free_bytes)
    [ "$present_bytes" -ge "$needed_bytes" ] ||
        die 10 "too little space in $backup_dir: $present_bytes bytes free, $needed_bytes needed for $upload.dump" \
            "free some, or choose another BACKUP_DIR"
}

# The client sends nothing before it is asked, so what watches it has not taken any of it.
ask_client() {
    meet_client
    stop_watching
    wait "$watcher" 2>/dev/null || :
    watcher=
    exec 3<&0
    printf '%s send\n' "$fence"
}

# Some head(1) read more than they are to copy (measured: busybox 1.35), so only what comes last is read with it.
copy_manifest() {
    exec dd bs=1 count="$manifest_bytes" <&3 >"$1" 2>"$run_dir/stderr"
}

copy_dump() {
    exec head -c "$dump_bytes" <&3 >"$1" 2>"$run_dir/stderr"
}

# take PROGRAM BYTES FILE: they end too early only where the client has gone.
take() {
    start "$1" "$3"
    finished $!
    [ "$child_status" -eq 0 ] ||
        die 10 "$upload.dump could not be written (exit code $child_status): $(tail -n 1 "$run_dir/stderr")" \
            "look at free space and permissions of $backup_dir"
    [ "$(size_of "$3")" = "$2" ] || interrupted
}

compare_with_announced() {
    # shellcheck disable=SC2086 # a program and its options
    start $checksum_program "$1" >"$run_dir/sha256"
    finished $!
    [ "$child_status" -eq 0 ] || die 13 "$1 cannot be read to its end" "check the host's disk"
    # GNU's sha256sum puts a backslash in front where it had to escape the name.
    received_sha256=$(sed 's/^\\//' "$run_dir/sha256" | cut -c 1-64)
    [ "$received_sha256" = "$sha256" ] ||
        die 13 "$upload.dump did not arrive as it was announced: its SHA-256 is $received_sha256 instead of $sha256" \
            "send it again, and see that nothing writes to the file meanwhile"
}

[ "$dump_bytes" -gt 0 ] || die 13 "$upload.dump is empty: no archive is" "choose another file"
rm -rf "${backup_dir:?}/upload.partial"
check_room
# What is in `run_dir` goes with it, however this run ends.
incoming=$run_dir/upload
mkdir "$incoming"
log "receiving $upload.dump: $dump_bytes bytes"
started=$(date +%s)
ask_client
[ "$manifest_bytes" -eq 0 ] || take copy_manifest "$manifest_bytes" "$incoming/$upload.manifest"
take copy_dump "$dump_bytes" "$incoming/$upload.dump"
watch_client
compare_with_announced "$incoming/$upload.dump"
printf '%s  %s\n' "$sha256" "$upload.dump" >"$incoming/$upload.dump.sha256"
mv "$incoming" "$backup_dir/upload.partial"
receive_seconds=$(($(date +%s) - started))
facts file "$backup_dir/upload.partial/$upload.dump" receive_seconds "$receive_seconds"
log "received $upload.dump in $receive_seconds s"
