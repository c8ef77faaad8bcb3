#!/bin/sh
# Stand in for the client: take its settings from the environment, and tell people what it would read as facts.
: "${defaults:?}" "${checks:?}" "${gives:?}" "${profile:?}"
# needs: _settings

meet_client() {
    [ -z "$met" ] || return 0
    met=yes
    db_password=$password
    password=
    [ -z "$version_note" ] || log "$version_note"
}

# Nobody whose going away would end this run: cron has no stdin.
watch_client() {
    meet_client
}

tell() {
    make_harmless "$1"
    printf '%s\n' "$harmless" >&7 2>/dev/null || :
}

usage() {
    tell "usage: remote-backup.sh [--accept-shrink] [VERSION]

Back up a database into BACKUP_DIR, prove the archive, and remove what retention
no longer keeps: as \`fab -H $profile predeploy\` does, without a client.
VERSION is a part of the archive's name (default: manual). --accept-shrink lets
an archive pass that lacks much of what was in those before. From cron:

  0 3 * * * told=\$(~/remote-backup.sh nightly 2>&1) || echo \"\$told\"

These variables of the environment change how; now:
"
    for name in $names; do
        value_of "$name"
        tell "  $name=$value"
    done
    tell "
The database's password is in DB_PASSWORD, in PGPASSWORD, or in ~/.pgpass.

Exit codes: 0 the archive is proven, 2 settings, 10 the host or the
database is not ready, 11 another run is at work, 12 the dump failed, 13 the
archive is not proven, 14 there would be no way back, or much of the data is
gone, 130 interrupted."
}

# Sets `value`.
value_of() {
    eval "value=\$$1"
}

# An empty variable counts as not set.
take_settings() {
    names=
    while IFS= read -r line; do
        eval "[ -n \"\${${line%%=*}:-}\" ] || ${line%%=*}=\${line#*=}"
        names="$names ${line%%=*}"
    done <<END
$defaults
END
    password=${DB_PASSWORD:-${account_password:-}}
    account_password=''
    unset DB_PASSWORD
}

# What a client would give to the steps. What `gives` holds are lines such as: db_name=$DB_NAME
# shellcheck disable=SC2153 # take_settings has set them
give_settings() {
    eval "$gives"
    client="$(id -un 2>/dev/null || id -u), by hand or cron"
    backup_dir=$(absolute "$BACKUP_DIR")
    backup_path=$backup_dir git_commit='' now='' version=$BACKUP_VERSION
    [ "$proof" != auto ] || proof="read" # nothing makes a test restore here
    demand='' rehearsal='' reconnect_seconds=0
    [ "$BACKUP_REHEARSAL" != require ] || demand=any
    # What the database tells is read up to this line, so nobody may know it beforehand.
    fence=$(mktemp -u XXXXXXXXXXXXXXXXXXXX)
}

# As tasks/report.py tells sizes.
size_for_people() {
    awk -v number="$1" 'BEGIN {
        split("bytes kB MB GB TB", unit, " ")
        for (i = 1; number >= 1000 && i < 5; i++) number /= 1000
        printf i == 1 ? "%d %s" : "%.1f %s", number, unit[i]
    }'
}

# What stands in every way to restore: one that is open is enough.
tell_obstacles() {
    if tells swap_obstacle "$rehearsal"; then obstacles_to transaction; else obstacles_to either; fi |
        while IFS= read -r line; do
            log "WARNING: fab restore could not go back to this archive: $line"
        done
}

tell_success() {
    headline="Proven readable; a test restore has not been made: $published"
    how="how      fab -H $profile restore --file=$published"
    if [ -n "$rehearsal" ] && ! is_open swap && ! is_open transaction; then
        tell_obstacles
        headline="Proven, but $db_user could not restore it here: $published"
        how="see      fab -H $profile restore --file=$published --plan"
    fi
    if [ "$proved" = written ]; then
        headline="Taken, but not proven beyond its checksum: $published"
        how="next     prove it: fab -H $profile verify --file=$published"
    fi
    tell "$headline
  proof    $proved, sha256 $sha256
  size     $(size_for_people "$bytes"), $toc_entries entries, dumped in $dump_seconds s"
    [ -z "$missing" ] || tell "$(printf '%s\n' "$missing" | sed 's/^/  without  /')"
    tell "  where    $backup_path/$published
  $how"
    [ "$proved" = written ] || tell "  next     fab -H $profile verify --file=$published --proof=restored   (makes a test restore)"
}

tell_failure() {
    printf 'remote-backup.sh: %s (exit %s)\n' "$(one_line "$reason")" "$1" >&2
    [ -z "$problems" ] || printf '%s' "$problems" | tr "$orders" "$blanks" | sed -e 's/^/  - /' -e "s/$tab/ — /" >&2
    [ -z "$remedy" ] || printf '  What to do: %s\n' "$(one_line "$remedy")" >&2
}

# An archive is published only after its proof: what fails after the gate does not fail it.
tell_outcome() {
    if [ -n "$published" ] && [ -z "$shrunk" ] && [ "$1" -ne 130 ]; then
        [ "$1" -eq 0 ] || log "WARNING: the archive is made and proven, but the rotation failed: $reason"
        tell_success
        code=0
    elif [ "$1" -ne 0 ]; then
        tell_failure "$1"
    fi
}

met='' is_cut_off='' db_password='' password='' missing='' accept_shrink=''
take_settings
case ${1-} in
    -h | --help)
        usage
        exit 0
        ;;
    --accept-shrink)
        accept_shrink=yes
        shift
        ;;
esac
case ${1-} in
    -*)
        problem "$1" "is no option; see remote-backup.sh --help"
        set --
        ;;
esac
[ $# -le 1 ] || problem "$2" "is one argument too many; see remote-backup.sh --help"
BACKUP_VERSION=${1:-${BACKUP_VERSION:-manual}}
check_settings
give_settings
