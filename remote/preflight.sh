#!/bin/sh
# Tell whether a backup can work here before it starts, each obstacle with its remedy, and choose the programs for it.
: "${compress?}" "${preflight_sql:?}" "${dumps?}"
: "${found?}" "${db_name:?}" # from programs and psql

# Lists are separated by blanks: they are for people to read, but for `missing`, one a line.
read_answer() {
    unreadable='' hidden=''
    IFS=$newline
    set -f
    for line in $heard; do
        value=${line#*=}
        case $line in
            server_version=*) server_version=$value ;;
            server_major=*) server_major=$value ;;
            database_bytes=*) database_bytes=$value ;;
            relations=*) relations=$value ;;
            role=*) role=$value ;;
            unreadable=*) unreadable="$unreadable $value" ;;
            row_security=*) hidden="$hidden $value" ;;
            missing=*) missing="$missing${missing:+$newline}$value" ;;
        esac
    done
    set +f
    unset IFS
}

check_database() {
    psql=${found%%"$newline"*}
    use_psql "${psql#* }/psql"
    tell_psql "$preflight_sql"
    if ! hear_psql; then
        problem "the database did not answer: $(psql_words)" \
            "check DB_NAME, DB_USER, DB_HOST and DB_PORT as seen from the host, and DB_PASSWORD or the host's ~/.pgpass"
        return
    fi
    read_answer
    [ -n "$dumps" ] || unreadable='' hidden=''
    [ -z "$unreadable" ] ||
        problem "the role $db_user may not read:$unreadable" "GRANT SELECT on them, and USAGE on their schema, to it"
    [ -z "$hidden" ] ||
        problem "row level security may hide rows from the role $db_user in:$hidden" \
            "dump as a role with BYPASSRLS, or ALTER TABLE … NO FORCE ROW LEVEL SECURITY as the owner"
    choose_programs "$server_major"
    [ -n "$bin_dir" ] ||
        problem "the server is PostgreSQL $server_version; the programs here are older: $found" \
            "set DB_BIN_DIR to where pg_dump $server_major is on the host"
}

# pg_dump looks at --compress before it opens the file, and opens the file before it connects (measured, 16 to 18).
can_zstd() {
    [ "$client_major" -ge 16 ] || return 1
    PGHOST=$run_dir "$bin_dir/pg_dump" --format=custom --compress=zstd:1 --file="$run_dir/zstd" 2>/dev/null || :
    [ -e "$run_dir/zstd" ]
}

choose_compression() {
    zstd=no
    if can_zstd; then zstd=yes; fi
    case $compress,$zstd in
        ,yes) compress=zstd:1 ;;
        ,no) compress=gzip:1 ;;
        zstd:*,no)
            problem "BACKUP_COMPRESS=$compress: pg_dump $client_version here cannot write zstd" \
                "leave BACKUP_COMPRESS empty, or use gzip:1"
            ;;
    esac
    compress_option=$compress
    # Before 16, --compress takes a level of gzip alone; 14 would take zstd:3 and write an uncompressed archive (measured).
    if [ "$client_major" -lt 16 ]; then
        compress_option=${compress#gzip:}
        [ "$compress" != none ] || compress_option=0
    fi
}

# The last archive of this database, scaled to its size now, plus a quarter; without one, the database itself.
estimate_bytes() {
    need_bytes=$database_bytes
    newest=0
    for manifest in "$backup_dir"/*-$stamp_glob.manifest; do
        [ -f "$manifest" ] && [ "$(manifest_value "$manifest" database)" = "$db_name" ] || continue
        stamp=${manifest%.manifest}
        clock=${stamp##*-} stamp=${stamp%-*}
        stamp=${stamp##*-}$clock
        [ "$stamp" -gt "$newest" ] || continue
        then_bytes=$(manifest_value "$manifest" bytes)
        then_database_bytes=$(manifest_value "$manifest" database_bytes)
        # A manifest that the disk has spoilt must not end the run in the middle of a sum.
        case $then_bytes,$then_database_bytes in ,* | *, | *[!0-9,]* | 0* | *,0* | *????????????????*,* | *,????????????????*) continue ;; esac
        newest=$stamp
        percent=$((then_bytes * 125 / (then_database_bytes + 1) + 1))
        need_bytes=$((database_bytes * percent / 100 + 65536))
    done
}

check_space() {
    estimate_bytes
    free_bytes=$(free_bytes)
    [ "$free_bytes" -ge "$need_bytes" ] ||
        problem "too little space in $backup_dir: $free_bytes bytes free, about $need_bytes needed" \
            "free some, lower MAX_BACKUPS and run rotate, or choose another BACKUP_DIR"
    limit=$(ulimit -f)
    [ "$limit" = unlimited ] || [ $((limit * 512)) -ge "$need_bytes" ] ||
        problem "files may not grow over $((limit * 512)) bytes here (ulimit -f), about $need_bytes are needed" \
            "ask the host to lift the limit"
}

shell_name() {
    readlink "/proc/$$/exe" || printf 'shell unknown'
}

watch_client
client_version='' server_major='' role='' server_version='' database_bytes='' relations='' missing=''
[ -z "$found" ] || check_database
if [ -z "$problems" ] && [ -n "$dumps" ]; then
    choose_compression
    check_space
fi
die_of_problems
[ -z "$dumps" ] || facts bin_dir "$bin_dir" need_bytes "$need_bytes" free_bytes "$free_bytes"
printf '%s' "$heard"
log "PostgreSQL $server_version, $database_bytes bytes in $relations relations; role $db_user, $role"
[ -z "$dumps" ] || log "pg_dump $client_version in $bin_dir, $compress; $free_bytes bytes free, about $need_bytes needed; $(shell_name)"
