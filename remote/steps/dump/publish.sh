#!/bin/sh
# Give a proven dump its name: the sidecars first, the rename of the dump last.
: "${git_commit?}" "${pinned?}"
# after psql: db_host db_name
# after preflight: client_version compress database_bytes missing relations server_version
# after dump: created dump_seconds label name project version warnings
# after verify: bytes sha256 toc_entries
# tells: archive
# fails: 12
# shows: publishing

: "${run_dir:?}"

manifest_lines() {
    pairs format 1 project "$project" label "$label" version "$version" git_commit "$git_commit"
    pairs database "$db_name" db_host "$db_host" created "$created" dump_seconds "$dump_seconds"
    pairs server_version "$server_version" client_version "$client_version" compress "$compress"
    pairs database_bytes "$database_bytes" relations "$relations"
    pairs bytes "$bytes" sha256 "$sha256" toc_entries "$toc_entries"
    make_harmless "$warnings"
    [ -z "$harmless" ] || printf '%s\n' "$harmless" | sed 's/^/warning=/'
    make_harmless "$missing"
    [ -z "$harmless" ] || printf '%s\n' "$harmless" | sed 's/^/missing=/'
    [ -z "$pinned" ] || pairs pinned yes
    [ -z "$shrunk" ] || pairs shrunk yes
    [ -z "$shrink_accepted" ] || pairs shrink_accepted "$shrink_accepted"
    pairs proof "$proved" proof_time "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    cat "$run_dir/facts"
}

unpublished() {
    rm -f "$base.manifest.partial" "$base.dump.sha256.partial" "$base.manifest" "$base.dump.sha256" 2>/dev/null || :
    die 12 "the archive could not be given its name: $1" "look at free space and permissions of $backup_path"
}

# What we have made is still ours, where we were told to put it, and open to nobody else.
look_again() {
    is_in_place || unpublished "$backup_path was removed, or is another now"
    made=$(ls -ldn -- "$partial" "$base.manifest.partial" "$base.dump.sha256.partial") || unpublished "a part of it has gone"
    IFS=$newline
    set -f
    for each in $made; do
        unset IFS
        # shellcheck disable=SC2086 # splitting into columns is the purpose: mode, links, owner, …
        set -- $each
        case $1,$3 in -???------*,"$uid") ;; *) unpublished "its owner or its mode is another now: $each" ;; esac
    done
    set +f
    unset IFS
}

base=$backup_dir/$name
# In one write: of several that fail left of `||`, the shell would see the last alone.
manifest=$(manifest_lines)
write_new "$base.manifest.partial" "$manifest$newline" || unpublished "its manifest could not be written"
write_new "$base.dump.sha256.partial" "$sha256  $name.dump$newline" || unpublished "its checksum could not be written"
to_disk "$base.manifest.partial" "$base.dump.sha256.partial" || unpublished "the disk did not take it"
look_again
mv -f "$base.manifest.partial" "$base.manifest" || unpublished "its manifest could not be renamed"
mv -f "$base.dump.sha256.partial" "$base.dump.sha256" || unpublished "its checksum could not be renamed"
[ "$(size_of "$partial")" = "$bytes" ] || unpublished "it has changed since its proof"
mv -f "$partial" "$base.dump" || unpublished "it could not be renamed"
partial=
published=$name.dump
[ "$task" = restore ] || write_interim_status "the archive stands; the run is at work still, or was killed without a word"
to_disk "$backup_dir" || log "WARNING: BACKUP_DIR could not be written to disk at once (sync): if the host crashes in the next minutes, this archive may be lost"
fact archive "$published"
tell_client "$(without_rows "$base.manifest")"
fact present_bytes "$bytes"
log "published $published"
