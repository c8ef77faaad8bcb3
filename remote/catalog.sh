#!/bin/sh
# Print the manifest of every archive; what lies beside them is not ours and not looked at.
for manifest in "$backup_dir"/*-$stamp_glob.manifest; do
    archive_file=${manifest%.manifest}.dump
    is_ours "${archive_file##*/}" .dump || continue
    [ -f "$archive_file" ] && [ ! -L "$archive_file" ] && [ -f "$manifest" ] && [ ! -L "$manifest" ] || continue
    fact archive "${archive_file##*/}"
    without_rows "$manifest" || : # one that cannot be read must not hide the others: the client names it
    printf '\n'
    fact present_bytes "$(size_of "$archive_file")"
done
