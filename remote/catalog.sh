#!/bin/sh
# Print the manifest of every archive; what lies beside them is not ours and not looked at.
: "${catalog_awk:?}"

# One process for all archives: there may be thousands.
if [ -d "$backup_dir" ]; then
    command -v awk >/dev/null || die 10 "there is no program awk, which reads the manifests" "ask the host for mawk, gawk or busybox"
    # A file that another run removes at this moment is no reason to stop.
    catalog_listing=$(ls -ln -- "$backup_dir/") || [ -r "$backup_dir" ] ||
        die 10 "BACKUP_DIR $backup_dir cannot be read" "look at its owner and its mode"
    manifests=$(printf '%s\n' "$catalog_listing" | backup_dir="$backup_dir" awk "$catalog_awk")
    tell_client "$manifests"
fi
