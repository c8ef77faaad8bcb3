#!/bin/sh
# Tell whether a backup can work here before it starts, each obstacle with its remedy, and choose the programs for it.
: "${compress?}" "${preflight_sql:?}" "${dumps?}"
# needs: _leftovers _pooler
# after programs: bin_dir client_major found
# after psql: db_host db_name db_port db_user heard more only_ask pin restate strict_opening target_port
# tells: database_bytes missing relations server_version
# fails: 10
# shows: checking the database

: "${run_dir:?}"

newest_known=18 # the newest PostgreSQL that our tests have tried

# What is not a line of the kind that was asked for is left out. Lists are separated by blanks: they are for people to read, but
# for `missing`, one a line.
read_answer() {
    unreadable='' hidden='' wanted='' excluded='' collations='' names_in_bytes=''
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
            encoding=*) db_encoding=$value ;;
            names_in_bytes=yes) names_in_bytes=yes ;;
            unreadable=*) unreadable="$unreadable $value" ;;
            row_security=*) hidden="$hidden $value" ;;
            collations=*) collations=$value ;;
            wanted=*) wanted="$wanted $value" ;;
            excluded=*) excluded="$excluded${excluded:+$newline}$value" ;;
            missing=*) missing="$missing${missing:+$newline}$value" ;;
            *) continue ;;
        esac
        answer=$answer$line$newline
    done
    set +f
    unset IFS
}

# read_answer has read them: what is reckoned with, or chosen by.
is_understood() {
    for number in "$server_major" "$database_bytes" "$relations"; do
        is_number "$number" || return 1
    done
    case $server_version in [0-9]*) ;; *) return 1 ;; esac
    case $server_version in *[!A-Za-z0-9._+~-]*) return 1 ;; esac
    case $db_encoding in '' | *[!A-Za-z0-9_]*) return 1 ;; esac
}

# ask_database PSQL: `answered` tells whether there was an answer.
ask_database() {
    use_psql "$1"
    tell_psql "$preflight_sql"
    answered=
    if hear_psql; then answered=yes; else words=$(psql_words); fi
}

# What is no obstacle, and is to be known.
tell_of_server() {
    [ "$server_major" -le "$newest_known" ] || answer=${answer}newer_than=$newest_known$newline
    case $task,$run_dir in "restore,$backup_dir/run.partial") return 0 ;; esac # its plan has told that
    [ -z "$collations" ] ||
        log "WARNING: the collations of $db_name have changed with the host's system ($collations), so that indexes of text may be in the wrong order: let its owner run REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION"
    [ "$server_major" -gt "$newest_known" ] || return 0
    log "WARNING: PostgreSQL $server_major is newer than those that this was tested with (up to $newest_known): try a restore into another database before you rely on it"
}

check_database() {
    psql=${found%%"$newline"*}
    psql=${psql#* }/psql
    pooling=
    ask_database "$psql"
    if [ -z "$answered" ] && speaks_of_options; then
        ask_behind_pooler "$psql"
        [ "$pooling" = session ] || return 0
    fi
    if [ -z "$answered" ]; then
        problem "the database did not answer: $words" \
            "check DB_NAME, DB_USER, DB_HOST and DB_PORT as seen from the host, and DB_PASSWORD or the host's ~/.pgpass" database
        return
    fi
    read_answer
    if ! is_understood; then
        problem "$(odd_answer "version and size" "$server_version, $server_major, $database_bytes, $relations")" \
            "see which server answers at DB_HOST and DB_PORT as seen from the host" database
        server_version='' server_major='' database_bytes='' relations='' answer=''
        return
    fi
    tell_of_server
    [ -z "$names_in_bytes" ] || talk_in_bytes
    drop_leftovers
    [ -n "$dumps" ] || unreadable='' hidden='' wanted=''
    [ -z "$wanted" ] ||
        problem "BACKUP_EXCLUDE_TABLES leaves out what belongs to $db_user, and what a restore would drop:$wanted" \
            "name only tables of extensions and of other roles" rights
    [ -z "$unreadable" ] ||
        problem "the role $db_user may not read:$unreadable" "GRANT SELECT on them, and USAGE on their schema, to it; or leave tables of others out (BACKUP_EXCLUDE_TABLES)" rights
    [ -z "$hidden" ] ||
        problem "row level security may hide rows from the role $db_user in:$hidden" \
            "dump as a role with BYPASSRLS, leave tables of others out (BACKUP_EXCLUDE_TABLES), or ALTER TABLE … NO FORCE ROW LEVEL SECURITY as the owner" rights
    choose_programs "$server_major"
    [ -n "$bin_dir" ] ||
        problem "the server is PostgreSQL $server_version; the programs here are older: $found" \
            "set DB_BIN_DIR to where pg_dump $server_major is on the host" programs
}

# pg_dump looks at --compress before it opens the file, and opens the file before it connects (measured, 16 to 18).
can_zstd() {
    [ "$client_major" -ge 16 ] || return 1
    (
        target_host=/
        connect "$bin_dir/pg_dump" --format=custom --compress=zstd:1 --file="$run_dir/zstd"
    ) 2>/dev/null || :
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
                "leave BACKUP_COMPRESS empty, or use gzip:1" programs
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
estimate() {
    need_bytes=$database_bytes
    newest=0 expected_bytes='' newest_manifest=''
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
        newest=$stamp newest_manifest=$manifest
        percent=$((then_bytes * 125 / (then_database_bytes + 1) + 1))
        need_bytes=$((database_bytes * percent / 100 + 65536))
        expected_bytes=$((database_bytes * percent / 125))
        growth_percent=$((database_bytes * 100 / (then_database_bytes + 1)))
    done
    [ -z "$newest_manifest" ] || estimate_seconds
}

estimate_seconds() {
    then_seconds=$(manifest_value "$newest_manifest" dump_seconds)
    case $then_seconds in '' | *[!0-9]* | 0* | ???????*) return 0 ;; esac
    expected_seconds=$((then_seconds * growth_percent / 100))
}

check_space() {
    estimate
    free_bytes=$(free_bytes)
    [ "$free_bytes" -ge "$need_bytes" ] ||
        problem "too little space in $backup_path: $free_bytes bytes free, about $need_bytes needed" \
            "free some, lower MAX_BACKUPS and run rotate, or choose another BACKUP_DIR" space
    limit=$(ulimit -f)
    [ "$limit" = unlimited ] || [ $((limit * 512)) -ge "$need_bytes" ] ||
        problem "files may not grow over $((limit * 512)) bytes here (ulimit -f), about $need_bytes are needed" \
            "ask the host to lift the limit" space
}

# A run makes so many small files. Where there is no room for them, or no inode, what fails first would tell of something else.
try_disk() {
    for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        { printf '%s\n' "$fence" >"$run_dir/room.$number"; } 2>/dev/null ||
            die 10 "there is no room for the files of a run in $backup_path" "look at its free space (df) and its free inodes (df -i)"
    done
    rm -f "$run_dir"/room.*
}

watch_client
[ -z "$dumps" ] || [ "$run_dir" != "$backup_dir/run.partial" ] || try_disk
collations=''
client_version='' server_major='' role='' server_version='' database_bytes='' relations='' missing='' excluded='' answer='' need_bytes='' free_bytes=''
expected_bytes='' expected_seconds=''
[ -z "$found" ] || check_database
if [ -n "$bin_dir" ] && [ -n "$dumps" ]; then
    choose_compression
    check_space
fi
die_of_problems
[ -z "$dumps" ] || facts bin_dir "$bin_dir" need_bytes "$need_bytes" free_bytes "$free_bytes" expected_bytes "$expected_bytes" expected_seconds "$expected_seconds"
looked client_version "$client_version" compress "$compress"
tell_client "$answer"
log "PostgreSQL $server_version, $database_bytes bytes in $relations relations; role $db_user, $role"
[ -z "$dumps" ] || log "pg_dump $client_version in $bin_dir, $compress; $free_bytes bytes free, about $need_bytes needed; $(shell_name)"
