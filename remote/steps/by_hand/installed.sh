#!/bin/sh
# Find the script that `install` has put into the account's home: it tells in its second line what it was made of.
# tells: installed
script=$HOME/remote-backup.sh installed=''
if [ -f "$script" ] && [ ! -L "$script" ]; then
    installed=$(sed -n '2s/^# fabric-predeploy \([^ ]* [0-9a-f]*\)$/\1/p' "$script") || installed=
fi
[ -z "$installed" ] || fact installed "$installed"

refuse_what_is_not_ours() {
    [ -n "$installed" ] || { [ ! -e "$script" ] && [ ! -L "$script" ]; } ||
        die 14 "$script was not put there by fab install" "look at it, and move it away"
}
