#!/bin/sh
# Look at the host without touching it: from here on nothing is made, taken or removed, and no problem ends the run.
# tells: file_system quota
only_looks=yes

tell_quota() {
    command -v quota >/dev/null || return 0
    start quota -w >"$run_dir/quota" 2>"$run_dir/stderr"
    finished $!
    sed 's/^/quota=/' "$run_dir/quota"
}

run_dir=$(mktemp -d)
watch_client
facts user "$(id -un)" login_shell "${SHELL-}" sh "$(shell_name)"
facts backup_dir "$backup_path" free_bytes "$(free_bytes)"
facts file_system "$(df -Pk -- "$(there "$backup_dir")" | sed -n '$s/ .*//p')"
facts flock "$(command -v flock || :)" awk "$(command -v awk || :)"
tell_quota
judge_way "$backup_path"
[ -n "$unsafe" ] || ! is_plain "$backup_dir/status" || [ ! -r "$backup_dir/status" ] || sed 's/^/last_/' "$backup_dir/status"
