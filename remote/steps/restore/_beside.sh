# What works in a database beside the live one: to make it, to fill it from the archive, to drop it.
: "${create_sql:?}"
# create_sql: locale swap_create
# needs: _back
# after psql: db_host db_name db_port heard
# perhaps after preflight:

# enter_database NAME: open a session in that database, which knows the databases of this restore as :live, :new and :old.
enter_database() {
    [ -z "$psql_child" ] || close_psql
    target_database=$1
    use_psql "$bin_dir/psql"
    for known in live new old; do
        tell_psql "\\set $known \`cat \"\$RUN_DIR/$known\"\`"
    done
    tell_psql 'SET statement_timeout = 0; SET lock_timeout = 0;'
}

# A database that is in use cannot be renamed, and a session cannot rename its own database.
enter_maintenance() {
    for maintenance in postgres template1; do
        [ "$maintenance" != "$db_name" ] || continue
        enter_database "$maintenance"
        hear_psql || continue
        return 0
    done
    not_restored "neither postgres nor template1 lets in a session that could rename the database: $(psql_words)"
}

# The database is on record before it is made, and until it has been dropped: if this run is killed, the next run drops it.
on_record() {
    printf '%s %s %s' "$db_host" "$db_port" "$new_database"
}

forget_new() {
    forget_record "$(on_record)"
    at_end=
}

# If psql was killed, its session in the server may still be making the database. End that session first: only then does DROP
# find everything.
drop_new() {
    connect_seconds=3
    enter_database "$maintenance"
    tell_psql "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid = ${creator:-0} AND pid <> pg_backend_pid() AND usename = current_user;"
    tell_psql "SET statement_timeout = '5s'; DROP DATABASE IF EXISTS :\"new\" WITH (FORCE);"
    if hear_psql && [ "$heard" != "f$newline" ]; then
        forget_new
    else
        log "WARNING: the new database $new_database could not be dropped; the next run will drop it: $(psql_words)"
    fi
}

# is_beside NAME WORD: whether it is a name of the kind that create_sql makes of the live database's.
is_beside() {
    case $1 in *_"$2"_[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]) ;; *) return 1 ;; esac
    case $db_name in "${1%_"$2"_*}"*) ;; *) return 1 ;; esac
}

create_new() {
    tell_psql "$create_sql"
    hear_or_stop "while it chose a name"
    printf '%s' "$heard" | sed -n 's/^new=//p' >"$run_dir/new"
    printf '%s' "$heard" | sed -n 's/^old=//p' >"$run_dir/old"
    creator=$(printf '%s' "$heard" | sed -n 's/^creator=//p')
    is_number "$creator" || not_restored "$(odd_answer "number of the session" "$creator")"
    new_database=$(cat "$run_dir/new")
    is_beside "$new_database" restore || not_restored "$(odd_answer "name of a new database" "$new_database")"
    is_beside "$(cat "$run_dir/old")" before || not_restored "$(odd_answer "name of the old database" "$(cat "$run_dir/old")")"
    log "restoring into the new database $new_database"
    on_record >>"$backup_dir/restore.database"
    printf '\n' >>"$backup_dir/restore.database"
    to_disk "$backup_dir/restore.database"
    at_end=drop_new
    tell_psql 'SELECT :'"'create_database'"' \gexec'
    hear_or_stop "while it made the new database"
}

# An entry of the list, and the list that it goes to. A name may look like a kind ("TABLE DATA …" is a table, too, of the
# schema DATA): the number of the catalog tells them apart. plpgsql is there already, and is not ours to comment on.
# Rows of tables that the archive does not make are those of extensions: pg_restore does not know in which order they must come when
# it restores several tables at a time (14 to 18).
sort_entries() {
    # shellcheck disable=SC2016 # awk's, not the shell's
    start awk '
        !/^[0-9]+; / { next }
        { list = "main"; rest = $0; gsub(/"/, "", rest) } # of which only grants have some around their names
        sub(/^[0-9]+; 2615 [0-9]+ SCHEMA - /, "", rest) { list = "schemas"; known[rest] }
        /^[0-9]+; (0 0|826 [0-9]+ DEFAULT) ACL / { list = "grants" }
        sub(/^[0-9]+; 0 0 ACL - SCHEMA /, "", rest) && (rest in known || rest ~ /^public /) { list = "schemas" }
        /^[0-9]+; 0 [0-9]+ MATERIALIZED VIEW DATA / { list = "matviews" }
        $2 == 1259 && $4 == "TABLE" { defined[$3] }
        /^[0-9]+; 0 [0-9]+ TABLE DATA / && !($3 in defined) { list = "configured" }
        /^[0-9]+; (3079 [0-9]+|0 0 COMMENT -) EXTENSION (- )?plpgsql $/ { next }
        { print list, $0 }
        END { print "end" }' "$run_dir/toc" >"$run_dir/sorted"
    finished $!
    [ "$child_status,$(tail -n 1 "$run_dir/sorted")" = 0,end ] || not_restored "the table of contents could not be sorted"
}

# From the whole table of contents, as a new database has nothing yet; the lists of `rehearse` are for the old one.
choose_entries() {
    sort_entries
    for list in schemas grants matviews configured main; do
        sed -n "s/^$list //p" "$run_dir/sorted" >"$run_dir/$list.list"
    done
}

jobs() {
    processors=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || processors=
    case $processors in
        '' | *[!0-9]*) printf 2 ;;
        [123]) printf '%s' "$processors" ;;
        *) printf 4 ;;
    esac
}

# fill LIST [OPTION]…: by pg_restore itself. A name could look like a connection string, so it goes into one.
fill() {
    [ -s "$run_dir/$1.list" ] || return 0
    filled=$1 entries=$run_dir/$1.list
    shift
    quoted_name=$(printf '%s' "$target_database" | sed "s/['\\\\]/\\\\&/g")
    start_function connect "$bin_dir/pg_restore" --dbname="dbname='$quoted_name'" --no-password --exit-on-error --use-list="$entries" "$@" "$file" 2>"$run_dir/stderr"
    if [ -n "$growth" ]; then finished_growing $! '' "$growth"; else finished $!; fi
    # Not the statement or the row that failed, which may hold what is nobody's business.
    sed -e '/^Command was:/,/^pg_restore: /{/^pg_restore: /!d;}' -e '/^pg_restore: error: COPY failed/,/^pg_restore: /{/^pg_restore: /!d;}' \
        -e '/^DETAIL: /d' -e '/^CONTEXT: /d' "$run_dir/stderr" >"$run_dir/told"
    relay "$run_dir/told"
    [ "$child_status" -ne 0 ] || return 0
    failure=$(sed -n '/error: /{p;q;}' "$run_dir/stderr")
    if may_fill_otherwise; then stumbled=$failure; else not_restored "pg_restore ended with exit code $child_status: $failure"; fi
}

# Where rows did not go in, or something could not be built on them, and there is room for another try. pg_restore itself knows no
# search path but an empty one.
may_fill_otherwise() {
    [ -n "$role_path" ] && [ -z "$replay_path" ] && [ "$child_status" -eq 1 ] && [ "$filled" != keys ] || return 1
    [ "$(free_bytes)" -gt 65536 ] || return 1
    grep -q -E '^pg_restore: error: COPY failed for table .*: [^ :]*:  ' "$run_dir/stderr" ||
        grep -q -E '^Command was: (CREATE (UNIQUE )?INDEX|CREATE STATISTICS|ALTER TABLE) ' "$run_dir/stderr"
}

# fill_once_more MAJOR: by the code of a restore by transaction, whose wipe takes away what there is so far.
fill_once_more() {
    take_path_of_role
    rehearse_here
    [ -z "$before_replay" ] || "$before_replay"
    try_to_go_back "$1"
    tell_psql 'COMMIT;'
    hear_or_stop "at its end"
}

growth=
begin_elsewhere() {
    printf '%s' "$db_name" >"$run_dir/live"
    printf '' >"$run_dir/new"
    printf '' >"$run_dir/old"
}
