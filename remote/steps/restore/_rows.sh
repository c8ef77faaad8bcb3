# Of `restoring`: hold the rows that are there against those of the archive.

rows_not_compared() {
    not_restored "the rows could not be compared with those of the archive" "look at free space and memory of the host"
}

# known_in_both FILE OTHER: the lines of FILE, without those of a table that is unknown in one of the two.
known_in_both() {
    awk '
        { key = substr($0, 1, index($0, " ") - 1); what = (key ~ /^content=/ ? "content" : "rows") substr($0, length(key) + 1) }
        !last { if (key ~ /^(rows=|content=rows:)unknown$/) unknown[what]; next }
        !(what in unknown)' "$1" "$2" last=yes "$1"
}

# leave_out_unknown FILE OTHER: what was not counted, or not hashed, cannot be compared. The log says so.
leave_out_unknown() {
    unknown=$(sed -n -e 's/^rows=unknown //p' -e 's/^content=rows:unknown /the contents of /p' "$1" "$2")
    [ -n "$unknown" ] || return 0
    log "WARNING: the restore was not compared in these tables, as their rows could not be counted or hashed: $(one_line "$unknown")"
    known_in_both "$1" "$2" >"$run_dir/known" || rows_not_compared
    known_in_both "$2" "$1" >"$run_dir/known_other" || rows_not_compared
    mv "$run_dir/known" "$1"
    mv "$run_dir/known_other" "$2"
    fact uncompared "$(one_line "$unknown")"
}

# compare_rows FILE: every table with as many rows as that file tells: as a rule, as when the archive was taken.
compare_rows() {
    tell_psql "$count_sql"
    hear_or_stop "while its rows were counted"
    grep '^rows=' "$1" >"$run_dir/expected_rows" || [ $? -eq 1 ] || rows_not_compared
    [ -s "$run_dir/expected_rows" ] || return 0
    leave_out_unknown "$run_dir/expected_rows" "$run_dir/rows"
    wrong_rows=$(grep -v -x -F -f "$run_dir/rows" "$run_dir/expected_rows") || [ $? -eq 1 ] || rows_not_compared
    [ -n "$wrong_rows" ] || wrong_rows=$(grep -v -x -F -f "$run_dir/expected_rows" "$run_dir/rows") || [ $? -eq 1 ] || rows_not_compared
    [ -n "$wrong_rows" ] || return 0
    not_restored "the rows are not those of the archive: $(one_line "$(printf '%s\n' "$wrong_rows" | head -n 5)")" \
        "the archive's own count and its contents differ: choose another archive"
}

# As many rows in tables of extensions as well, where they have been brought back. Not in a new database, which `replay` alone knows.
compare_configured() {
    tell_psql "$configured_sql"
    hear_or_stop "while the rows of extensions were counted"
    # shellcheck disable=SC2016 # awk's, not the shell's
    awk '!read_all { if ($0 == "end") read_all = 1; else brought[$0]; next } /^content=config_rows:/ && substr($0, index($0, " ") + 1) in brought' \
        - "$manifest" >"$run_dir/expected_configured" <<END || rows_not_compared
$(cat "$run_dir/configured_names")
end
END
    wrong_rows=$(grep -v -x -F -f "$run_dir/configured" "$run_dir/expected_configured") || [ $? -eq 1 ] || rows_not_compared
    [ -z "$wrong_rows" ] ||
        not_restored "the rows of extensions are not those of the archive: $(one_line "$(printf '%s\n' "$wrong_rows" | head -n 5)")" \
            "see whether the extension is of another version now"
}
