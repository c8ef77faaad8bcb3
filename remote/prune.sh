#!/bin/sh
# Remove the archives that the client names, one a line, after it has seen the catalog; an empty line ends the list.

# All of the list, or nothing: a client that is cut off has not finished its sentence.
read_names() {
    names=
    while IFS= read -r name_to_remove; do
        [ -n "$name_to_remove" ] || return 0
        names="$names$name_to_remove$newline"
    done
    rotation="not decided: the client went away"
    die 16 "the client went away before it had said what to remove"
}

# The dump first: sidecars without it are leftovers, a dump without them would be a riddle.
remove_archive() {
    is_ours "$1" .dump || return 1
    set -- "$backup_dir/${1%.dump}"
    [ -f "$1.manifest" ] && [ "$(manifest_value "$1.manifest" pinned)" != yes ] || return 1
    rm -f "$1.dump" || return 1
    rm -f "$1.dump.sha256" "$1.manifest"
}

meet_client
stop_watching
wait "$watcher" 2>/dev/null || : # or it might take the beginning of the answer
watcher=
printf '%s ask\n' "$fence"
read_names
not_removed=
: >"$run_dir/stderr"
set -f
IFS=$newline
# shellcheck disable=SC2086 # splitting into lines is the purpose
set -- $names
set +f
unset IFS
for name_to_remove; do
    if remove_archive "$name_to_remove" 2>>"$run_dir/stderr"; then
        fact removed "$name_to_remove"
        log "removed $name_to_remove"
    else
        not_removed="$not_removed $name_to_remove"
    fi
done
relay "$run_dir/stderr"
rotation="done"
if [ -n "$not_removed" ]; then
    rotation="failed for$not_removed"
    die 16 "could not remove$not_removed" "look at the permissions of $backup_dir"
fi
