#!/bin/sh
# Compare the proven dump with the archives of recent good runs: it is marked where much is gone that was there.
: "${shrink_bytes_percent:?}" "${shrink_rows_percent:?}" "${accept_shrink?}" "${manifests_awk:?}" "${shrink_awk:?}"
# after lock: client
# after psql: db_name
# after preflight: client_version compress
# after dump: created label project
# after verify: bytes
# tells: gone lost

: "${run_dir:?}"

# One process, which reads no more manifests than it needs.
compare_with_recent() {
    list_backup_dir 2>/dev/null | (
        export backup_dir run_dir project label db_name created bytes compress client_version shrink_bytes_percent shrink_rows_percent
        awk "$manifests_awk$shrink_awk"
    )
}

# A good archive is not to fail by what else is not right on the host: of which the rotation tells.
compare() {
    case $shrink_bytes_percent,$shrink_rows_percent in 0,0) return 0 ;; esac
    [ -r "$backup_dir" ] || not_compared "$backup_path cannot be listed"
    comparison=$(compare_with_recent) || not_compared "awk ended with exit code $?"
}

not_compared() {
    comparison=
    log "WARNING: it is not known whether the archive has shrunk: $1"
}

told() {
    printf '%s\n' "$comparison" | sed -n "s/^$1=//p"
}

comparison=
compare
compared=$(told compared)
losses=$(told lost)
gone=$(told gone)
[ -z "$comparison" ] || tell_client "$comparison"
[ -z "$gone" ] || log "WARNING: tables of the last archive are not in the database any more: $gone"
if ! tells lost "$comparison"; then
    [ -z "$compared" ] || log "compared with recent archives ($compared): nothing has shrunk much"
elif [ -n "$accept_shrink" ]; then
    shrink_accepted=$client
    log "WARNING: the archive has shrunk, which $client accepts: $(one_line "$losses")"
else
    shrunk=yes
    log "WARNING: the archive has shrunk: $(one_line "$losses")"
fi
facts shrunk "$shrunk" shrink_accepted "$shrink_accepted"
