#!/bin/sh
# Remove the script that `install` has put into the account's home.
# after installed: script
# tells: script

refuse_what_is_not_ours
rm -f "$script" || die 10 "$script could not be removed" "look at the permissions of $HOME"
fact script "$script"
