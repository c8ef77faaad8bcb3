#!/bin/sh
# Prove a dump: its checksum, and for the grade `read` that every block decodes and the table of contents is whole.
: "${proof:?}" "${archive?}"
# after programs: bin_dir checksum_program
# perhaps after psql: db_name
# perhaps after archive: file manifest
# perhaps after place: place
# fails: 13
# shows: proving

: "${run_dir:?}"

# A published archive is judged by its manifest; a fresh dump has none yet, a file from elsewhere perhaps.
expect() {
    expected_bytes=$(manifest_value "$manifest" bytes)
    expected_sha256=$(manifest_value "$manifest" sha256)
    expected_toc_entries=$(manifest_value "$manifest" toc_entries)
    [ ! -f "$file.sha256" ] || sidecar_sha256=$(cut -c 1-64 "$file.sha256")
    [ "$manifest" != /dev/null ] || expected_bytes=$(size_of "$file") expected_sha256=${sidecar_sha256-}
}

# Checksum and decoding read the same bytes side by side.
examine() {
    started=$(date +%s)
    # shellcheck disable=SC2086 # a program and its options
    start $checksum_program "$file" >"$run_dir/sha256"
    checksum_child=$!
    listed=$file
    start "$bin_dir/pg_restore" --list "$file" >"$run_dir/toc" 2>"$run_dir/list_stderr"
    list_child=$!
    if [ "$proof" = read ]; then
        start "$bin_dir/pg_restore" --file=/dev/null "$file" 2>"$run_dir/stderr"
        finished $!
        decode_status=$child_status
    fi
    finished "$list_child"
    list_status=$child_status
    finished "$checksum_child"
    [ "$child_status" -eq 0 ] || die 13 "${file#./} could not be read to its end, or there was no room for its checksum" "check the host's disk, and its free space"
    # GNU's sha256sum puts a backslash in front where it had to escape the name.
    sha256=$(sed 's/^\\//' "$run_dir/sha256" | cut -c 1-64)
    [ "${#sha256}" -eq 64 ] || die 13 "the checksum of ${archive:-the dump} could not be taken" "check the host's $checksum_program"
    bytes=$(size_of "$file")
    verify_seconds=$(seconds_since "$started")
}

# Damage is final, so it is recorded: retention no longer counts the archive.
damaged() {
    record failed
    die 13 "$archive is damaged: $1" "rotation does not count this archive as a backup any more; take a new one, and check the host's disk"
}

look_at_manifest="look on the host at the archive and at its manifest: if one of them was changed, choose another archive"

# What cannot be read of the expectation, or of the file, says nothing about the archive.
compare_checksum() {
    case $bytes,$expected_bytes in ,* | *, | *[!0-9,]*) die 13 "the size of $archive cannot be compared: the file or the size in its manifest cannot be read" "$look_at_manifest" ;; esac
    case $sha256,$expected_sha256 in *[!0-9a-f,]*) die 13 "the checksum of $archive cannot be compared: the file or the checksum in its manifest cannot be read" "$look_at_manifest" ;; esac
    [ "${#expected_sha256}" -eq 64 ] || die 13 "the checksum of $archive cannot be compared: the file or the checksum in its manifest cannot be read" "$look_at_manifest"
    [ "${sidecar_sha256-$expected_sha256}" = "$expected_sha256" ] ||
        die 13 "the manifest of $archive and its .sha256 name two checksums" "somebody has changed one of these files: do not trust this archive, choose another"
    [ "$bytes" = "$expected_bytes" ] || damaged "$bytes bytes instead of $expected_bytes"
    [ "$sha256" = "$expected_sha256" ] || damaged "its SHA-256 is $sha256 instead of $expected_sha256"
}

count_toc_entries() {
    [ "$list_status" -eq 0 ] || die 13 "pg_restore cannot list ${file#./}: $(tail -n 1 "$run_dir/list_stderr")" "choose another archive, or take a new one"
    toc_entries=$(grep -c '^[0-9]' "$run_dir/toc") || [ $? -eq 1 ] || toc_entries=''
    [ -n "$toc_entries" ] || die 13 "the table of contents of ${file#./} could not be counted" "check the host's grep, and its free space"
    toc_database=$(sed -n 's/^;  *dbname: //p' "$run_dir/toc")
    [ -n "$archive" ] || [ "$toc_database" = "$db_name" ] ||
        die 13 "the dump is of the database $toc_database, not of $db_name" "check the programs in $bin_dir"
}

check_decoding() {
    relay "$run_dir/stderr"
    [ "$decode_status" -eq 0 ] ||
        die 13 "pg_restore could not decode ${file#./} (exit code $decode_status): $(tail -n 1 "$run_dir/stderr")" \
            "take another backup; if that fails too, check disk and memory of the host"
}

die_of_problems
watch_client
# A test restore decodes every block, so that nothing else need do it before.
if [ "$proof" = auto ]; then
    proof="read"
    [ -z "$place" ] || proof=written
fi
case $proof in written | read) ;; *) die 13 "the grade $proof needs a test restore" "give --proof=read, or make a test restore possible: fab doctor says how" ;; esac
if [ -n "$archive" ]; then expect; else file=${partial:?}; fi
log "proving ${archive:-the dump} to the grade $proof"
examine
[ -z "$archive" ] || [ "$manifest,${sidecar_sha256-}" = /dev/null, ] || compare_checksum
if [ "$proof" = read ]; then check_decoding; fi
count_toc_entries
if [ -n "$archive" ] && [ "$manifest" != /dev/null ]; then
    [ "$toc_entries" = "$expected_toc_entries" ] ||
        die 13 "the table of contents of $archive has $toc_entries entries instead of $expected_toc_entries" "$look_at_manifest"
    record "$(better_grade "$proof" "$(manifest_value "$manifest" proof)")"
fi
proved=$proof
facts proof "$proved" sha256 "$sha256" bytes "$bytes" toc_entries "$toc_entries" verify_seconds "$verify_seconds"
log "proven ($proved): $bytes bytes, $toc_entries entries, sha256 $sha256, in $verify_seconds s"
