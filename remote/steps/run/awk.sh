#!/bin/sh
# Find awk, which decides what rotation removes: in time to tell it with what else is missing.
command -v awk >/dev/null ||
    problem "there is no program awk, which decides what rotation removes" "ask the host for mawk, gawk or busybox" tools
