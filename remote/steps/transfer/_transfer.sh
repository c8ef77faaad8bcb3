# How files come from the client: what `receive` and `install` have in common.
# after programs: checksum_program

# The client sends nothing before it is asked, so what watches it has not taken any of it.
ask_client() {
    meet_client
    stop_watching
    wait "$watcher" 2>/dev/null || :
    watcher=
    exec 3<&0
    reconnect_seconds=0 # nobody goes on sending over another connection
    tell_client "$fence send"
}

# Some head(1) read more than they are to copy (measured: busybox 1.35), so only what comes last is read with it.
copy_some() {
    exec dd bs=1 count="$2" <&3 >"$1" 2>"$run_dir/stderr"
}

copy_last() {
    exec head -c "$2" <&3 >"$1" 2>"$run_dir/stderr"
}

# take PROGRAM BYTES FILE: they end too early only where the client has gone.
take() {
    start "$1" "$3" "$2"
    finished_growing $! "$3"
    into=${3%/*}
    case $3 in ./*) into=$backup_path ;; esac
    [ "$child_status" -eq 0 ] ||
        die 10 "${3##*/} could not be written (exit code $child_status): $(tail -n 1 "$run_dir/stderr")" \
            "look at free space and permissions of $into"
    [ "$(size_of "$3")" = "$2" ] || interrupted
}

# take_checksum FILE: into `received_sha256`.
take_checksum() {
    # shellcheck disable=SC2086 # a program and its options
    start $checksum_program "$1" >"$run_dir/sha256"
    finished $!
    [ "$child_status" -eq 0 ] || die 13 "$1 cannot be read to its end" "check the host's disk"
    # GNU's sha256sum puts a backslash in front where it had to escape the name.
    received_sha256=$(sed 's/^\\//' "$run_dir/sha256" | cut -c 1-64)
}

# compare_with_announced FILE SHA256
compare_with_announced() {
    take_checksum "$1"
    [ "$received_sha256" = "$2" ] ||
        die 13 "${1##*/} did not arrive as it was announced: its SHA-256 is $received_sha256 instead of $2" \
            "send it again, and see that nothing writes to the file meanwhile"
}
