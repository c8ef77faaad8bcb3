#!/bin/sh
# Print the manifest of every archive; what lies beside them is not ours and not looked at.
: "${catalog_awk:?}"

open_directory
# One process for all archives: there may be thousands.
if [ -d "$backup_dir" ]; then
    command -v awk >/dev/null || die 10 "there is no program awk, which reads the manifests" "ask the host for mawk, gawk or busybox"
    [ -r "$backup_dir" ] || die 10 "BACKUP_DIR $backup_path cannot be read" "look at its owner and its mode"
    manifests=$(list_backup_dir | backup_dir="$backup_dir" awk "$catalog_awk") ||
        die 10 "what is in BACKUP_DIR $backup_path could not be read: awk ended with exit code $?" "see what it says above, and try again"
    tell_client "$manifests"
fi
