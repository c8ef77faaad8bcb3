#!/bin/sh
# Bring chosen tables of the archive back into a new schema beside the live ones, which are not touched; all of them or none.
: "${tables:?}" "${lock_timeout_seconds:?}" "${salvage_sql:?}"
# needs: _listing _restoring _commit
# after psql: heard
# after archive: archive bin_dir file manifest
# tells: salvaged schema
# shows: restoring tables

: "${run_dir:?}"

# heard_of KEY: the values of that key in what was heard, a line each.
heard_of() {
    printf '%s' "$heard" | sed -n "s/^$1=//p"
}

# Verbose, it names the entry in front of each definition.
read_definitions() {
    relations='TABLE|VIEW|MATERIALIZED VIEW|FOREIGN TABLE|SEQUENCE'
    grep -E "^[0-9]+; (1259 [0-9]+ ($relations)|0 0 TABLE ATTACH) " "$run_dir/toc" >"$run_dir/definitions.list" || [ $? -eq 1 ]
    grep -E '^[0-9]+; 0 [0-9]+ TABLE DATA ' "$run_dir/toc" >"$run_dir/data_entries" || [ $? -eq 1 ]
    grep '^rows=' "$manifest" >"$run_dir/expected_rows" || [ $? -eq 1 ]
    printf '%s\n' "$tables" >"$run_dir/words"
    start "$bin_dir/pg_restore" --verbose --no-owner --no-privileges --no-tablespaces --use-list="$run_dir/definitions.list" \
        --file="$run_dir/script" "$file" 2>"$run_dir/stderr"
    finished $!
    [ "$child_status" -eq 0 ] ||
        not_restored "pg_restore ended with exit code $child_status: $(tail -n 1 "$run_dir/stderr")"
    encoding=$(sed -n "s/^SET client_encoding = '\([A-Za-z0-9_]*\)';\$/\1/p; /^SET client_encoding/q" "$run_dir/script")
    strings=$(sed -n 's/^SET standard_conforming_strings = \(o[nf]*\);$/\1/p; /^SET standard_conforming_strings/q' "$run_dir/script")
    read_script definitions statements
}

find_tables() {
    tab=$(printf '\t')
    tell_psql "\\set encoding ${encoding:-UTF8}"
    tell_psql "\\set strings ${strings:-on}"
    tell_psql "$salvage_sql"
    hear_or_stop "while it looked for the tables"
    IFS=$newline
    set -f
    for line in $(heard_of refused); do
        problem "${line%%"$tab"*}" "${line#*"$tab"}"
    done
    set +f
    unset IFS
    ! tells refused "$heard" || die 14 "these tables cannot be brought back from $archive; nothing was touched" "do what stands beside each of them, and run it again"
    without_rows=$(heard_of without_rows)
    [ -z "$without_rows" ] || log "WARNING: the archive was taken without the rows of these tables, so they stay empty: $(one_line "$without_rows")"
    schema=$(heard_of schema)
    entries=$(heard_of data)
    case $schema in restored_????????_??????) ;; *) not_restored "$(odd_answer "name of a schema" "$schema")" ;; esac
    for entry in $entries; do
        is_number "$entry" || not_restored "$(odd_answer "number of an entry" "$entry")"
    done
}

make_tables() {
    log "making the tables anew in the schema $schema"
    tell_psql ':make'
    hear_or_stop "while it made the tables" \
        "if a type, function or collation that they are made of has gone from the database, create it again first, or restore the archive as a whole into another database"
}

pass_rows() {
    exec "$bin_dir/pg_restore" --data-only --use-list="$run_dir/entry.list" --file=- "$file" >"$run_dir/rows" 2>"$run_dir/stderr"
}

# Into psql's own input: what comes after the end of the rows would be taken for statements, and is left out. A file that
# psql opens could wait for ever for a writer that has died.
give_rows() {
    cat "$run_dir/copy_into" >&7 || exit
    sed -n '/^\\\.$/,$!p' <&8 >&7 || exit
    printf '%s\n' '\.' >&7
}

# The statement in front of the rows. Names in it may hold line breaks: it ends where no quote is open.
read_copy() {
    copy='' quotes=''
    while IFS= read -r line <&8; do
        case $copy$line in
            'COPY '*) copy=$copy$line$newline ;;
            'INSERT INTO '*)
                not_restored "the archive holds its rows as INSERT statements, not as COPY" \
                    "restore it as a whole into another database"
                ;;
            *) continue ;;
        esac
        count_quotes "$line"
        case $quotes$line in odd*) ;; *' FROM stdin;') break ;; esac
    done
    printf '%s' "${copy%"$newline"}" >"$run_dir/copy"
}

count_quotes() {
    others=$1
    while :; do
        case $others in *'"'*) others=${others#*'"'} ;; *) return 0 ;; esac
        if [ -n "$quotes" ]; then quotes=; else quotes=odd; fi
    done
}

# fill_table ENTRY: one table's rows from the archive into the new table.
fill_table() {
    printf '%s\n' "$1" >"$run_dir/entry.list"
    mkfifo "$run_dir/rows"
    start_function pass_rows
    restore_child=$!
    exec 8<"$run_dir/rows"
    read_copy
    tell_psql "SET LOCAL client_encoding = :'encoding';"
    tell_psql "\\set entry $1"
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set copy `cat "$RUN_DIR/copy"`'
    tell_psql '\o :run_dir/copy_into'
    tell_psql ':copy_into'
    tell_psql '\o'
    hear_or_stop "before it took the rows"
    if [ -s "$run_dir/copy_into" ]; then
        tell_rows
    elif [ -n "$copy" ]; then
        not_restored "the archive's statement in front of its rows is not understood: $(one_line "$copy")"
    fi
    exec 8<&-
    rm -f "$run_dir/rows"
    finished "$restore_child"
    [ "$child_status" -eq 0 ] || not_filled
}

tell_rows() {
    psql_idle=
    start_function give_rows 7>&4
    finished $!
    [ "$child_status" -eq 0 ] || not_filled
}

not_filled() {
    close_psql
    relay "$run_dir/stderr"
    relay "$run_dir/psql_stderr"
    words=$(psql_words)
    not_restored "the rows did not come to their end: ${words%%"$newline"*} $(tail -n 1 "$run_dir/stderr")"
}

# Whatever the archive holds: this transaction must not have a hold on anything that it has not made itself.
check_locks() {
    tell_psql "SELECT 'lock=' || about FROM foreign_lock;"
    hear_or_stop "while it looked after the live tables"
    ! tells lock "$heard" ||
        not_restored "the archive's definitions, or what the database does at them, would touch more than the new schema: $(one_line "$(heard_of lock)")" \
            "event triggers may be the cause; or restore the archive as a whole into another database"
}

check_rows() {
    tell_psql ':count'
    tell_psql "SELECT 'wrong=' || shown || ' has ' || rows || ' rows instead of ' || expected FROM result WHERE rows <> expected ORDER BY n;"
    tell_psql "RESET client_encoding;"
    tell_psql "SELECT 'salvaged=' || rows || ' ' || translate(format('%I', new_name), E'\\n\\r', '  ') FROM result ORDER BY n;"
    tell_psql "SELECT 'told=' || shown || ': ' || rows || ' rows in ' || translate(format('%I.%I', :'schema', new_name), E'\\n\\r', '  ') FROM result ORDER BY n;"
    hear_or_stop "while its rows were counted"
    ! tells wrong "$heard" || not_restored "the rows are not those of the archive: $(one_line "$(heard_of wrong)")" \
        "the archive's own count and its contents differ: choose another archive"
    results=$(printf '%s' "$heard" | sed -n '/^salvaged=/p')
    told=$(heard_of told)
}

started=$(date +%s)
way=salvage
watch_client
[ "$listed" = "$file" ] || list_entries
read_definitions
use_psql "$bin_dir/psql"
as_when_dumped "$manifest"
notice_lost_clients
tell_psql "BEGIN READ WRITE; SET LOCAL lock_timeout = '${lock_timeout_seconds}s'; SET LOCAL statement_timeout = 0;"
tell_psql 'SET LOCAL idle_in_transaction_session_timeout = 0;'
find_tables
make_tables
for entry in $entries; do
    fill_table "$entry"
done
check_rows
check_locks
tell_psql ':drop_forebears'
commit salvaged
fact schema "$schema"
tell_client "$results"
fact restore_seconds "$restore_seconds"
IFS=$newline
set -f
for line in $told; do
    log "$line"
done
set +f
unset IFS
log "look at them: SELECT * FROM $schema.…; when done: DROP SCHEMA $schema CASCADE"
