# Of `dump` and `outline`: to start pg_dump, and to tell who keeps it from the tables.
: "${lock_timeout_seconds:?}" "${blockers_sql:?}"
# after programs: bin_dir
# after psql: end_prepared heard
# after preflight: excluded

# run_pg_dump OPTION…: this shell becomes pg_dump.
run_pg_dump() {
    IFS=$newline
    set -f
    for each in $excluded; do set -- "$@" --exclude-table="$each"; done
    unset IFS
    connect "$bin_dir/pg_dump" "$@" --format=custom --lock-wait-timeout="${lock_timeout_seconds}s" --no-password \
        --encoding="$db_encoding"
}

# Who keeps us from the tables, as far as the database knows.
tell_blockers_of_dump() {
    use_psql "$bin_dir/psql"
    tell_psql "$blockers_sql"
    hear_psql || return 0
    IFS=$newline
    set -f
    for line in $(printf '%s' "$heard" | sed -n 's/^blocker=//p'); do
        case $line in
            'prepared transaction '*) problem "$line" "$end_prepared" dump ;;
            *) problem "$line" "let it end, or end it: SELECT pg_terminate_backend(<pid>)" dump ;;
        esac
    done
    set +f
    unset IFS
}
