#!/bin/sh
# Put the script, which the client sends, into the account's home: complete and as announced, or what was there stays.
: "${script_bytes:?}" "${script_sha256:?}"
# needs: _transfer
# after programs: checksum_program
# after installed: installed script
# tells: changed script
die_of_problems # which programs may have left

refuse_what_is_not_ours
[ -n "$run_dir" ] || run_dir=$(mktemp -d)
received_sha256=''
[ -z "$installed" ] || take_checksum "$script"
if [ "$received_sha256" = "$script_sha256" ]; then
    fact changed no
else
    partial=$script.partial
    rm -f "$partial" || die 10 "$partial is in the way" "look at it, and move it away"
    ask_client
    take copy_last "$script_bytes" "$partial"
    watch_client
    compare_with_announced "$partial" "$script_sha256"
    mv -f "$partial" "$script" || die 10 "$script could not be replaced" "look at the permissions of $HOME"
    partial=
    fact changed yes
fi
chmod 700 "$script"
fact script "$script"
