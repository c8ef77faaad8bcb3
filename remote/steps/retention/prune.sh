#!/bin/sh
# Remove what retention no longer keeps.
# after retention: expired
# tells: removed

: "${run_dir:?}"

# The dump first: sidecars without it are leftovers, a dump without them would be a riddle.
remove_archive() {
    is_ours "$1" .dump || return 1
    set -- "$backup_dir/${1%.dump}"
    [ -f "$1.manifest" ] && [ "$(manifest_value "$1.manifest" pinned)" != yes ] || return 1
    rm -f "$1.dump" || return 1
    rm -f "$1.dump.sha256" "$1.manifest"
}

not_removed=
: >"$run_dir/stderr"
set -f
IFS=$newline
# shellcheck disable=SC2086 # splitting into lines is the purpose
set -- $expired
set +f
unset IFS
for line; do
    if remove_archive "${line%% *}" 2>>"$run_dir/stderr"; then
        fact removed "${line%% *}"
        log "removed ${line%% *}: ${line#* }"
    else
        not_removed="$not_removed ${line%% *}"
    fi
done
relay "$run_dir/stderr"
rotation="done"
if [ -n "$not_removed" ]; then
    rotation="failed for$not_removed"
    die 16 "could not remove$not_removed" "look at the permissions of $backup_path"
fi
