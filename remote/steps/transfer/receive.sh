#!/bin/sh
# Take a dump, and its manifest where it has one, from the client: complete and as announced, or absent.
: "${upload:?}" "${dump_bytes:?}" "${manifest_bytes:?}" "${sha256:?}"
# needs: _transfer
# after programs: checksum_program
# tells: file
# shows: sending the archive
die_of_problems # which lock and programs may have left
: "${run_dir:?}"

check_room() {
    needed_bytes=$((dump_bytes + manifest_bytes + 1048576))
    present_bytes=$(free_bytes)
    [ "$present_bytes" -ge "$needed_bytes" ] ||
        die 10 "too little space in $backup_path: $present_bytes bytes free, $needed_bytes needed for $upload.dump" \
            "free some, or choose another BACKUP_DIR"
}

[ "$dump_bytes" -gt 0 ] || die 13 "$upload.dump is empty, so it is no archive" "choose another file"
rm -rf "${backup_dir:?}/upload.partial"
check_room
# What is in `run_dir` goes with it, however this run ends.
incoming=$run_dir/upload
mkdir "$incoming"
log "receiving $upload.dump: $dump_bytes bytes"
started=$(date +%s)
tell_progress "expected $dump_bytes"
ask_client
[ "$manifest_bytes" -eq 0 ] || take copy_some "$manifest_bytes" "$incoming/$upload.manifest"
take copy_last "$dump_bytes" "$incoming/$upload.dump"
watch_client
compare_with_announced "$incoming/$upload.dump" "$sha256"
printf '%s  %s\n' "$sha256" "$upload.dump" >"$incoming/$upload.dump.sha256"
mv "$incoming" "$backup_dir/upload.partial"
receive_seconds=$(seconds_since "$started")
facts file "$backup_path/upload.partial/$upload.dump" receive_seconds "$receive_seconds"
log "received $upload.dump in $receive_seconds s"
