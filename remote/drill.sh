#!/bin/sh
# Restore the archive into a place of its own, compare what has come with what was dumped, and take the place away again.
: "${proof:?}" "${content_sql:?}" "${sequences_sql?}" "${drill_db_sql?}" "${ours_sql?}" "${wipe_sql?}"
: "${place:?}" "${file:?}" "${bin_dir:?}" "${create_sql:?}" # from place, verify, restoring and beside

# The words of `restoring` and `beside` are for the live database, which none of this has touched.
not_restored() {
    # What pg_restore said about a full disk is lost on that disk.
    [ "$(free_bytes)" -gt 65536 ] || die 13 "no space is left in $backup_dir for the test restore of ${archive:-the dump}" "free some"
    die 13 "the test restore of ${archive:-the dump} failed: $1" "${2-see what it says above}"
}

differs() {
    die 13 "the test restore of ${archive:-the dump} is not what was dumped: $1" \
        "its grade stays what it was; take another archive, and keep this one for whoever looks into it"
}

# expected KEY: the lines of that key that were kept when the archive was dumped.
expected() {
    sed -n "/^$1=/p" "$dumped_facts"
}

read_expected() {
    dumped_facts=$run_dir/facts
    [ -z "$archive" ] || dumped_facts=$manifest
    locale=$(expected locale)
    locale=${locale#locale=}
    [ -n "$locale" ] || die 14 "the manifest of $archive does not tell what a test restore needs" "take another archive"
    expected content >"$run_dir/expected_content"
    [ "$proof" != equal ] || [ -s "$run_dir/expected_content" ] ||
        die 14 "the manifest of $archive holds no hashes to compare with: it was taken with BACKUP_CONTENT=counts" \
            "verify it with --proof=restored, which compares the number of rows; take the next with BACKUP_CONTENT=hash"
}

# A login trigger of the archive would run as whoever comes in; older servers have none, nor this setting.
run_server() {
    set --
    [ "$client_major" -lt 17 ] || set -- -c event_triggers=off
    starting=yes
    "$bin_dir/postgres" -D "$cluster/data" -c listen_addresses= -c port=5432 -c unix_socket_directories="$socket_dir" \
        -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=96MB \
        -c checkpoint_timeout=1h -c autovacuum=off -c maintenance_work_mem=128MB -c dynamic_shared_memory_type=mmap \
        -c logging_collector=off -c restart_after_crash=off -c jit=off "$@" </dev/null >"$cluster/log" 2>&1 3<&- 4>&- 5<&- 6>&- 7>&- 9>&- &
    server_child=$!
    tell_guard
    heed_signals
}

# Nothing but its socket leads to it, in a directory of ours alone. It does not hold the lock: whoever finds it left, ends it.
start_cluster() {
    finished "$initdb_child"
    [ "$child_status" -eq 0 ] ||
        die 10 "initdb could not make a server for the test restore: $(tail -n 1 "$cluster/initdb")" "see what it says, or set BACKUP_DRILL=database"
    start_guard
    run_server
    tries=0
    until grep -q '^ready' "$cluster/data/postmaster.pid" 2>/dev/null; do
        kill -0 "$server_child" 2>/dev/null && [ "$tries" -lt 600 ] ||
            die 10 "the server for the test restore did not start: $(tail -n 1 "$cluster/log")" "see what it says, or set BACKUP_DRILL=database"
        tries=$((tries + 1))
        sleep 0.1 2>/dev/null || sleep 1
    done
}

leave_cluster() {
    [ -z "$psql_child" ] || close_psql
    kill -QUIT "$server_child"
    wait "$server_child" || : # it says that it was told to
    server_child=
    tell_guard
    end_cluster
}

# aim HOST PORT USER DATABASE: where psql and the programs go from here on.
aim() {
    [ -z "$psql_child" ] || close_psql
    PGHOST=$1 PGPORT=$2 PGUSER=$3
    enter_database "$4"
}

as_superuser() {
    aim "$socket_dir" 5432 fabric_predeploy "$1"
}

# What the archive holds is run by the role that it is of, with no more rights than there: a superuser of this server could
# do whatever our account can.
make_roles() {
    expected role | sed 's/^role=//' >"$run_dir/roles"
    printf '%s' "$db_user" >"$run_dir/owner"
    begin_elsewhere
    as_superuser postgres
    for known in roles owner; do
        tell_psql "\\set $known \`cat \"\$RUN_DIR/$known\"\`"
    done
    superuser=
    [ "$(expected as_superuser)" != as_superuser=yes ] || superuser=SUPERUSER
    tell_psql "ALTER ROLE CURRENT_USER SET client_min_messages = error;"
    tell_psql "CREATE ROLE :\"owner\" LOGIN $superuser;"
    tell_psql "SELECT format('CREATE ROLE %I', name), format('GRANT %I TO %I', name, :'owner') FROM string_to_table(:'roles', E'\\n') AS name WHERE name NOT IN ('', :'owner', current_user) \\gexec"
    tell_psql "CREATE DATABASE drill OWNER :\"owner\" TEMPLATE template0 $locale;"
    hear_or_stop "while it made roles and a database"
}

# Only superusers make these, of whatever is in them nothing is run: before all else, or after it.
set_apart() {
    before="$entry \\(COMMENT - \\)\\{0,1\\}\\(EXTENSION\\|FOREIGN DATA WRAPPER\\|ACCESS METHOD\\|PROCEDURAL LANGUAGE\\) "
    after="$entry \\(COMMENT - \\)\\{0,1\\}\\(EVENT TRIGGER\\|PUBLICATION\\|PUBLICATION TABLE\\|PUBLICATION TABLES IN SCHEMA\\|SUBSCRIPTION\\) "
    sed -n "/$before/p" "$run_dir/main.list" >"$run_dir/before.list"
    sed -n "/$after/p" "$run_dir/main.list" >"$run_dir/after.list"
    sed -e "/$before/d" -e "/$after/d" "$run_dir/main.list" >"$run_dir/rest.list"
}

# wrappers VERB: what the owner of a server needs while the grants have not come yet.
wrappers() {
    tell_psql "SELECT format('$1', fdwname) FROM pg_foreign_data_wrapper \\gexec"
    hear_or_stop "while it granted"
}

fill_cluster() {
    make_roles
    choose_entries
    set_apart
    as_superuser drill
    fill schemas
    fill before --no-owner --no-tablespaces
    wrappers 'GRANT USAGE ON FOREIGN DATA WRAPPER %I TO PUBLIC'
    aim "$socket_dir" 5432 "$db_user" drill
    fill rest --no-tablespaces --jobs="$(jobs)"
    as_superuser drill
    wrappers 'REVOKE USAGE ON FOREIGN DATA WRAPPER %I FROM PUBLIC'
    fill grants
    fill after --no-owner
    aim "$socket_dir" 5432 "$db_user" drill
    refresh
    as_superuser drill
}

wipe_drill_db() {
    enter_database "$drill_db"
    tell_psql "BEGIN; SET LOCAL lock_timeout = '10s';"
    tell_psql "$ours_sql"
    tell_psql "$wipe_sql"
    tell_psql 'COMMIT;'
    if hear_psql; then
        at_end=
    else
        log "WARNING: BACKUP_DRILL_DB $drill_db could not be emptied; the next test restore will: $(psql_words)"
    fi
}

look_into_drill_db() {
    enter_database "$drill_db"
    tell_psql "$drill_db_sql"
    hear_psql || die 10 "BACKUP_DRILL_DB $drill_db did not answer: $(psql_words)" "create it, for the role $db_user to restore into"
}

# What stands in it would be in the way of the archive, and would be dropped with it.
enter_drill_db() {
    look_into_drill_db
    case $heard in
        marked=1*)
            log "emptying $drill_db, which an earlier test restore has left as it was"
            wipe_drill_db
            look_into_drill_db
            ;;
    esac
    case $heard in *"holds=0$newline") ;; *) die 14 "BACKUP_DRILL_DB $drill_db is not empty" "name an empty database: what is in it would be dropped" ;; esac
    at_end=wipe_drill_db
    tell_psql 'CREATE SCHEMA fabric_predeploy_drill;'
    hear_or_stop "before it began"
}

# As a restore by swap would.
fill_database() {
    begin_elsewhere
    scratch_database=$drill_db
    if [ -n "$drill_db" ]; then
        enter_drill_db
    else
        enter_maintenance
        create_new
        scratch_database=$new_database
    fi
    choose_entries
    enter_database "$scratch_database"
    replay schemas in_their_name
    fill main --jobs="$(jobs)"
    enter_database "$scratch_database"
    replay grants in_their_name
    refresh
}

leave_database() {
    if [ -n "$drill_db" ]; then
        wipe_drill_db
    else
        enter_maintenance
        drop_new
    fi
}

read_contents() {
    tell_psql 'BEGIN; SET LOCAL search_path = pg_catalog; SET LOCAL statement_timeout = 0;'
    : >"$run_dir/sequences"
    tell_psql "$content_sql"
    tell_psql "$sequences_sql"
    tell_psql 'COMMIT;'
    hear_or_stop "while its rows were read"
    cat "$run_dir/rows" "$run_dir/sequences" >"$run_dir/found"
}

# found_value NAME: where that sequence stands in the test restore.
found_value() {
    while IFS= read -r line; do
        case $line in content=sequence:*" $1") [ "${line#* }" != "$1" ] || printf '%s' "${line#content=sequence:}" ;; esac
    done <"$run_dir/sequences"
}

# within A..B VALUE: each is a number, and whether it was given out already.
within() {
    from=${1%..*} to=${1#*..}
    case $2 in "$from" | "$to") return 0 ;; '') return 1 ;; esac
    if [ "${from%,*}" -lt "${to%,*}" ]; then
        [ "${2%,*}" -gt "${from%,*}" ] && [ "${2%,*}" -lt "${to%,*}" ]
    else
        [ "${2%,*}" -lt "${from%,*}" ] && [ "${2%,*}" -gt "${to%,*}" ]
    fi
}

# Lines without their counterpart, but for a sequence that went on while it was dumped.
compare_contents() {
    expected rows >"$run_dir/expected"
    [ "$proof" != equal ] || cat "$run_dir/expected_content" >>"$run_dir/expected"
    unmet=$(grep -v -x -F -f "$run_dir/found" "$run_dir/expected") || [ $? -eq 1 ]
    IFS=$newline
    set -f
    for line in $unmet; do
        case $line in
            content=sequence:*..*)
                span=${line%% *}
                value=$(found_value "${line#* }")
                if within "${span#content=sequence:}" "${value%% *}"; then continue; fi
                ;;
        esac
        problem "expected ${line}" "$(grep -F -e " ${line#* }" "$run_dir/found" | head -n 2 || :) was found"
    done
    set +f
    unset IFS
    [ -z "$problems" ] || differs "$(printf '%s' "$problems" | wc -l) facts of its tables are others"
}

# normal FILE: statements without what differs from one database, or one run, to the other, and in one order; the roles of
# a policy are in the order in which they were made.
normal() {
    sed -e '/^--/d' -e '/^$/d' -e '/^\\restrict /d' -e '/^\\unrestrict /d' -e '/^REFRESH MATERIALIZED VIEW /d' \
        -e '/^ALTER \(FOREIGN DATA WRAPPER\|EVENT TRIGGER\|PUBLICATION\|SUBSCRIPTION\|PROCEDURAL LANGUAGE\) .* OWNER TO /d' \
        -e '/^CREATE POLICY /s/\( TO \|, \| USING \| WITH CHECK \)/\
/g' "$1" >"$1.plain"
    sort "$1.plain" >"$1.sorted"
}

compare_schemas() {
    archive_server=$(manifest_value "$dumped_facts" server_version)
    [ -n "$archive" ] || archive_server=$server_version
    start "$bin_dir/pg_restore" --schema-only --no-tablespaces --file="$run_dir/schema_then" "$file" 2>"$run_dir/stderr"
    then_child=$!
    start "$bin_dir/pg_dump" --schema-only --no-tablespaces --no-password --exclude-schema=fabric_predeploy_drill --file="$run_dir/schema_now" 2>"$run_dir/dump_stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "its schema could not be dumped: $(tail -n 1 "$run_dir/dump_stderr")"
    finished "$then_child"
    [ "$child_status" -eq 0 ] || not_restored "the archive's schema could not be read: $(tail -n 1 "$run_dir/stderr")"
    normal "$run_dir/schema_then"
    normal "$run_dir/schema_now"
    # A newer server writes the same definitions in other words.
    if [ "${archive_server%%.*}" != "$client_major" ]; then
        log "the schema is not compared: the archive is of PostgreSQL $archive_server, the test restore in $client_version"
        return
    fi
    comm -3 "$run_dir/schema_then.sorted" "$run_dir/schema_now.sorted" >"$run_dir/differences"
    [ -s "$run_dir/differences" ] || return 0
    # Options and connection strings may hold passwords.
    differs "$(wc -l <"$run_dir/differences") lines of its schema are others, such as: $(sed -n "/^[[:blank:]]*[A-Z][A-Z]* /{s/[='(].*//;p;q;}" "$run_dir/differences")"
}

leave() {
    "leave_$place"
    [ -z "$psql_child" ] || close_psql
    PGHOST=$db_host PGPORT=$db_port PGUSER=$db_user PGDATABASE=$db_name
}

watch_client
drill_started=$(date +%s)
read_expected
[ "$listed" = "$file" ] || list_entries
log "restoring ${archive:-the dump} for the proof $proof, in a $place of its own, by PostgreSQL $client_version"
[ "$place" != cluster ] || start_cluster
"fill_$place"
fill_seconds=$(seconds_since "$drill_started")
read_contents
compare_contents
[ "$proof" != equal ] || compare_schemas
leave
[ -z "$archive" ] || record "$(better_grade "$proof" "$(manifest_value "$manifest" proof)")"
proved=$proof
drill_seconds=$(seconds_since "$drill_started")
facts proof "$proved" drill_seconds "$drill_seconds" fill_seconds "$fill_seconds"
log "proven ($proved) by a test restore in $drill_seconds s"
