#!/bin/sh
# Dump one database beside its final name: complete, or absent.
: "${project:?}" "${label:?}" "${version:?}" "${snapshot_sql:?}" "${context_sql:?}" "${content_sql:?}" "${sequences_sql?}" "${queue_sql:?}"
# context_sql: locale context needs
# needs: _pg_dump
# after psql: configured_sql heard
# after preflight: bin_dir compress_option expected_bytes expected_seconds missing server_major
# tells: uncounted unhashed
# fails: 12
# shows: dumping

: "${run_dir:?}"

# Archives are ordered by their second, so each has one for itself: also when the clock was set back.
choose_name() {
    tries=0
    while :; do
        tries=$((tries + 1))
        [ "$tries" -le 60 ] || die 12 "for a minute, each second had an archive already: $created" "check the host's clock"
        created=$(date -u +%Y-%m-%dT%H:%M:%SZ)
        stamp=$(printf '%s' "$created" | tr -d ':Z-' | tr T -)
        set -- "$backup_dir"/*-"$stamp".dump
        [ -e "$1" ] || break
        sleep 1
    done
    name=$project-$label-$version-$stamp
    is_ours "$name.dump" .dump || die 12 "an archive cannot be named $name.dump" "check the host's clock and its tools"
}

not_counted() {
    words=$(psql_words)
    case $words in *'LOCK TABLE '*) tell_blockers_of_dump ;; esac
    die 12 "the connection to the database broke while its rows were counted: $words" \
        "see what it says; the earlier archives are as they were"
}

# A migration that waits for the end of the dump keeps everybody waiting who comes after it. Told once.
look_for_queue() {
    seconds_dumping=$((seconds_dumping + nap_seconds))
    [ -z "$queue" ] && [ "$seconds_dumping" -ge "$look_at" ] || return 0
    look_at=$((seconds_dumping + 10))
    ask "$queue_sql" >"$run_dir/queue" 7>&- &
    wait $! || :
    queue=$(cat "$run_dir/queue")
    [ -z "$queue" ] || log "WARNING: other sessions wait for the end of this dump, and everybody who needs the same tables waits behind them: $(one_line "$queue")" 2>&7
}

# The rows are counted, and hashed, beside the dump, in its own snapshot: so they describe what is in the archive.
take_dump() {
    started=$(date +%s)
    : >"$run_dir/needs"
    tell_psql "\\set lock_timeout ${lock_timeout_seconds}s"
    tell_psql "$snapshot_sql"
    tell_psql 'SELECT current_database() AS live \gset'
    tell_psql "$context_sql"
    tell_psql "$sequences_sql"
    hear_psql || not_counted
    [ -z "$sequences_sql" ] || mv "$run_dir/sequences" "$run_dir/sequences_before"
    snapshot=${heard#snapshot=}
    snapshot=${snapshot%"$newline"}
    case $snapshot in '' | *[!0-9A-F-]*) die 12 "$(odd_answer snapshot "$snapshot")" "see which server it is; the earlier archives are as they were" ;; esac
    start_function run_pg_dump --file="$partial" --compress="$compress_option" --snapshot="$snapshot" 2>"$run_dir/stderr"
    tell_psql "$content_sql"
    : >"$run_dir/configured"
    : >"$run_dir/around"
    tell_psql "$configured_sql"
    seconds_dumping=0 look_at=3 queue=
    finished_growing $! "$partial" look_for_queue
    dump_seconds=$(seconds_since "$started")
    relay "$run_dir/stderr"
}

# later_value NAME: where that sequence stood after the dump.
later_value() {
    while IFS= read -r line; do
        case $line in content=sequence:*" $1") [ "${line#* }" != "$1" ] || printf '%s' "${line%% *}" ;; esac
    done <"$run_dir/sequences"
}

# A number of a sequence is taken at once, in no snapshot: of one that went on during the dump both ends are known.
tell_sequences() {
    grep -x -F -f "$run_dir/sequences" "$run_dir/sequences_before" || [ $? -eq 1 ]
    moved=$(grep -v -x -F -f "$run_dir/sequences" "$run_dir/sequences_before") || [ $? -eq 1 ]
    IFS=$newline
    set -f
    for first in $moved; do
        later=$(later_value "${first#* }")
        [ -z "$later" ] || printf '%s..%s %s\n' "${first%% *}" "${later#content=sequence:}" "${first#* }"
    done
    set +f
    unset IFS
}

# tell_uncounted: what a restore will not be compared by.
tell_uncounted() {
    uncounted=$(sed -n 's/^rows=unknown /uncounted=/p' "$run_dir/rows")
    unhashed=$(sed -n 's/^content=rows:unknown /unhashed=/p' "$run_dir/rows")
    [ -n "$uncounted$unhashed" ] || return 0
    relay "$run_dir/psql_stderr"
    [ -z "$uncounted" ] || log "WARNING: the rows of these tables could not be counted, and are not compared after a restore: $(one_line "$uncounted")"
    [ -z "$unhashed" ] || log "WARNING: the contents of these tables could not be hashed, and are not compared after a restore: $(one_line "$unhashed")"
    tell_client "$uncounted$newline$unhashed"
}

# What is compared with what a restore brings back, and what that needs besides the archive.
keep_facts() {
    cat "$run_dir/context" "$run_dir/needs" "$run_dir/around" "$run_dir/rows" >"$run_dir/facts"
    if [ -n "$sequences_sql" ]; then cat "$run_dir/configured"; else sed -n '/^content=config_rows:/p' "$run_dir/configured"; fi >>"$run_dir/facts"
    [ -z "$sequences_sql" ] || tell_sequences >>"$run_dir/facts"
}

choose_programs "$server_major" # other steps may have chosen for an archive
archive_encoding=$db_encoding
choose_name
partial=$backup_dir/$name.partial
write_new "$partial" '' || die 12 "${partial#./} could not be made" "look at free space and permissions of $backup_path"
log "dumping into $name.dump"
tell_progress "expected $expected_bytes $expected_seconds"
take_dump
# Its own words about a full disk are lost on that disk.
[ "$child_status" -eq 0 ] || [ "$(free_bytes)" -gt 65536 ] ||
    die 12 "no space is left in $backup_path: pg_dump ended with exit code $child_status" \
        "free some; the earlier archives are as they were"
if [ "$child_status" -ne 0 ]; then
    case $(cat "$run_dir/stderr") in *'LOCK TABLE '*) tell_blockers_of_dump ;; esac
    die 12 "pg_dump ended with exit code $child_status: $(tail -n 3 "$run_dir/stderr")" \
        "see what it says above; the earlier archives are as they were"
fi
[ -s "$partial" ] || die 12 "pg_dump ended well but wrote nothing" "check the programs in $bin_dir"
tell_psql "$sequences_sql"
tell_psql 'COMMIT;'
start_over
hear_psql || not_counted
tell_uncounted
keep_facts
sed -e "$of_collations" "$run_dir/stderr" >"$run_dir/warnings"
warnings=$(head -n 50 "$run_dir/warnings")
[ -z "$missing" ] || log "WARNING: not in the archive: $(one_line "$missing")"
facts name "$name.dump" created "$created" dump_seconds "$dump_seconds"
log "dumped in $dump_seconds s"
