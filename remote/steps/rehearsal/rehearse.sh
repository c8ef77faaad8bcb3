#!/bin/sh
# Tell whether, and in which way, this role could bring the archive back here; the lists of what to replay are made with it.
: "${demand?}" "${lost?}"
# needs: _rehearsing _listing
# after psql: db_port pooled_at
# after programs: bin_dir
# after verify or archive or outline: file
# perhaps after archive: manifest
# perhaps after preflight: missing
# tells: disappears kept_rows obstacle other_version ours swap_obstacle transaction_obstacle unqualified unrehearsed
# shows: rehearsing a restore

: "${run_dir:?}"

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
        problem "$line" "see docs/obstacles.md of fabric-predeploy"
    done
    set +f
    unset IFS
    refuse 14 "this role could not restore this archive here; nothing was touched" "${demand_remedy-}"
}

# By what the manifest tells, or the preflight of a dump that was just taken.
lacks_tables() {
    left_out=${missing-}
    [ -z "$goes_back" ] || left_out=$(sed -n 's/^missing=//p' "$manifest")
    case $left_out in *'(BACKUP_EXCLUDE_TABLES)'*) ;; *) return 1 ;; esac
}

[ "$listed" = "$file" ] || list_entries
asks_live=yes
rehearse_here
asks_live=
[ -z "$pooled_at" ] ||
    rehearsal="${rehearsal}swap_obstacle=DB_PORT $db_port is a pooler: its sessions keep the database from being renamed, and it passes on no settings$newline"
if lacks_tables; then
    rehearsal="${rehearsal}swap_obstacle=the archive is without tables that a new database would lack (BACKUP_EXCLUDE_TABLES)$newline"
fi
tell_client "$rehearsal"
check_demand
