#!/bin/sh
# Tell whether, and in which way, this role could bring the archive back here; and make the lists of what to replay.
: "${ours_sql:?}" "${rehearse_sql:?}" "${watchers_sql:?}" "${demand?}" "${lost?}"
: "${run_dir:?}" "${bin_dir:?}" "${file:?}" "${configured_sql:?}" # from psql, and archive or verify

# rehearsal: the obstacles to one way to restore, a line each.
obstacles_to() {
    printf '%s' "$rehearsal" | sed -n "s/^obstacle=//p; s/^$1_obstacle=//p"
}

is_open() {
    ! tells obstacle "$rehearsal" && ! tells "$1_obstacle" "$rehearsal"
}

check_demand() {
    demanded=$demand
    case $demand in
        '') return ;;
        any)
            demanded=transaction
            demand_remedy="open one way back as it says above; BACKUP_REHEARSAL=warn deploys without one"
            ! is_open swap || return 0
            ;;
    esac
    ! is_open "$demanded" || return 0
    IFS=$newline
    set -f
    for line in $(obstacles_to "$demanded"); do
        problem "$line" "see README, \"What stands in the way of a restore\""
    done
    set +f
    unset IFS
    refuse 14 "this role could not restore this archive here; nothing was touched" "${demand_remedy-}"
}

# Of the rows that extensions mark as their configuration: what was told of them when the archive was taken. A dump that was just
# taken has no manifest yet.
keep_configured() {
    goes_back=
    told_then=$run_dir/facts
    if [ -n "${archive-}" ]; then goes_back=yes told_then=$manifest; fi
    [ -f "$told_then" ] || told_then=/dev/null
    grep -E '^content=config(_rows)?:' "$told_then" >"$run_dir/configured_then" || [ $? -eq 1 ]
}

# By what the manifest tells, or the preflight of a dump that was just taken.
lacks_tables() {
    left_out=${missing-}
    [ -z "$goes_back" ] || left_out=$(sed -n 's/^missing=//p' "$manifest")
    case $left_out in *'(BACKUP_EXCLUDE_TABLES)'*) ;; *) return 1 ;; esac
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

[ "$listed" = "$file" ] || list_entries
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
[ -z "$pooled_at" ] ||
    rehearsal="${rehearsal}swap_obstacle=DB_PORT $db_port is a pooler: its sessions keep the database from being renamed, and it passes on no settings$newline"
if lacks_tables; then
    rehearsal="${rehearsal}swap_obstacle=the archive is without tables that a new database would lack (BACKUP_EXCLUDE_TABLES)$newline"
fi
tell_client "$rehearsal"
check_demand
