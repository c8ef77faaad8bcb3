#!/bin/sh
# Record the proof that a test restore elsewhere has given, of the very archive that it was about.
: "${archive:?}" "${sha256:?}" "${proof:?}" "${known_proof:?}" "${because?}"
die_of_problems # which lock may have left
: "${run_dir:?}"

other() {
    die 13 "$archive $1 since it was fetched: the proof $proof is not recorded" "look into it: fab verify, fab history"
}

[ -z "$because" ] || die 13 "$because" "see what it says; $archive keeps its grade, $known_proof"
file=$backup_dir/$archive manifest=$backup_dir/${archive%.dump}.manifest
for part in "$file" "$manifest" "$file.sha256"; do
    is_ours "$archive" .dump && [ -f "$part" ] || other "has gone"
done
for part_sha256 in "$(manifest_value "$manifest" sha256)" "$(cut -c 1-64 "$file.sha256")"; do
    [ "$part_sha256" = "$sha256" ] || other "was exchanged"
done
[ "$(size_of "$file")" = "$(manifest_value "$manifest" bytes)" ] || other "has another size"
present_proof=$(manifest_value "$manifest" proof)
[ "$present_proof" != failed ] || [ "$known_proof" = failed ] || other "was found damaged"
record "$(better_grade "$proof" "$present_proof")"
published=$archive proved=$proof
log "proven ($proof) by a test restore elsewhere: $archive"
fact archive "$archive"
tell_client "$(without_rows "$manifest")"
fact present_bytes "$(size_of "$file")"
