# What `rehearse` and `drill` have in common: to ask a database whether, and how, the archive could be brought back there.
: "${ours_sql:?}" "${rehearse_sql:?}" "${watchers_sql:?}"
# rehearse_sql: rehearse obstacles rights needed rehearsed stays circles unqualified
# after psql: configured_sql heard
# after programs: bin_dir
# perhaps after archive: archive manifest

# Whether the database that is asked is the one that the archive is of.
asks_live=

# rehearsal: the obstacles to one way to restore, a line each.
obstacles_to() {
    printf '%s' "$rehearsal" | sed -n "s/^obstacle=//p; s/^$1_obstacle=//p"
}

is_open() {
    ! tells obstacle "$rehearsal" && ! tells "$1_obstacle" "$rehearsal"
}

# Of what stays, and of the rows that extensions mark as their configuration: what was told when the archive was taken. A dump that was just
# taken has no manifest yet.
keep_configured() {
    goes_back=
    told_then=$run_dir/facts
    if [ -n "${archive-}" ]; then goes_back=yes told_then=$manifest; fi
    [ -f "$told_then" ] || told_then=/dev/null
    grep -E '^content=config(_rows)?:' "$told_then" >"$run_dir/configured_then" || [ $? -eq 1 ]
    grep -E '^(installed|given)=' "$told_then" >"$run_dir/around_then" || [ $? -eq 1 ]
    # In a test restore's place, what others own is there by other means.
    : >"$run_dir/needs_then"
    [ -z "$asks_live" ] || grep '^needs=' "$told_then" >"$run_dir/needs_then" || [ $? -eq 1 ]
}

# Event triggers of others run at our temporary tables, and may fail there, as they do for the application's own statements then.
find_watchers() {
    tell_psql "$watchers_sql"
    if hear_psql; then watchers=$(one_line "${heard%"$newline"}"); else watchers=; fi
}

could_not() {
    rehearsal="obstacle=it could not be rehearsed: $(one_line "$(psql_words)")"
    [ -z "$watchers" ] || rehearsal="$rehearsal; meanwhile runs $watchers: let its owner give that function a search path of its own, or disable it for the restore"
    rehearsal=$rehearsal$newline
}

try_statements() {
    tell_psql "BEGIN;"
    tell_psql "$configured_sql"
    tell_psql '\set goes_back no'
    [ -z "$goes_back" ] || tell_psql '\set goes_back yes'
    tell_psql "$ours_sql"
    tell_psql "\\set archive_encoding $archive_encoding"
    tell_psql "$rehearse_sql"
    tell_psql "ROLLBACK;"
    # Not a word on whether the archive is good: what demands a way back will find none.
    if hear_psql; then rehearsal=$heard; else could_not; fi
}

# It also makes the lists of what to replay there.
rehearse_here() {
    # Statements of the archive's own make are taken in by a psql of its age.
    use_psql "$bin_dir/psql"
    keep_configured
    find_watchers
    use_psql "$bin_dir/psql"
    # Who only looks sets nothing of others in motion, not even for a transaction that is rolled back.
    if [ -n "$only_looks" ] && [ -n "$watchers" ]; then
        rehearsal="unrehearsed=$watchers$newline"
        demand=
    else
        try_statements
    fi
}
