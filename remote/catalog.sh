#!/bin/sh
# Print the manifest of every archive; what lies beside them is not ours and not looked at.
for manifest in "$backup_dir"/*-$stamp_glob.manifest; do
    archive_file=${manifest%.manifest}.dump
    case ${archive_file##*/} in [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) continue ;; esac
    [ -f "$archive_file" ] && [ ! -L "$archive_file" ] && [ -f "$manifest" ] && [ ! -L "$manifest" ] || continue
    fact archive "${archive_file##*/}"
    cat "$manifest"
    printf '\n'
    fact present_bytes "$(size_of "$archive_file")"
done
