# What an archive holds.
# after programs: bin_dir
# after verify or archive or outline: file

# The table of contents of `file`, into a file of its own.
list_entries() {
    start "$bin_dir/pg_restore" --list "$file" >"$run_dir/toc" 2>"$run_dir/list_stderr"
    finished $!
    [ "$child_status" -eq 0 ] || die 13 "pg_restore cannot list ${file#./}: $(tail -n 1 "$run_dir/list_stderr")" \
        "it is not a whole archive of pg_dump --format=custom: choose another"
    listed=$file
}
