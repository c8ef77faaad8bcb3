# The way back, by one transaction: wipe what is ours, then replay the archive. A restore goes it in the live database, and a
# test restore goes it over its copy.
: "${lock_timeout_seconds:?}" "${lock_tables_sql:?}" "${wipe_sql:?}" "${unconfigure_sql:?}" "${late_sql:?}" "${named_sql:?}" "${public_sql:?}" "${lend_sql:?}" "${take_back_sql:?}"
# needs: _restoring _rehearsing
# after programs: client_major

# What else is to be done in its turn; and `in_copy` says in the log that it is not the live database.
in_copy='' before_wipe='' after_wipe='' before_replay='' after_schemas=''

wipe() {
    log "taking locks, up to $lock_timeout_seconds s for each, then dropping what is ours$in_copy"
    tell_psql '\set VERBOSITY verbose' # with the code of an error, whatever the language of its words
    tell_psql '\set ECHO errors'       # which are statements of ours alone: what an archive holds stays out of the log
    tell_psql "$ours_sql"
    tell_psql "$lock_tables_sql"
    hear_or_name_blockers
    # Whoever made us wait may have made or changed something meanwhile: only now does it stand still.
    tell_psql "$ours_sql"
    tell_psql "SELECT pg_describe_object(classid, objid, objsubid) || ' of the role ' || owner::regrole FROM victim LIMIT 5;"
    hear_or_name_blockers
    [ -z "$heard" ] || not_restored "since the plan was made, others have built on what is ours: $(one_line "$heard")" "make the plan again: fab restore --plan"
    tell_psql "$wipe_sql"
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set configured_oids `cat "$RUN_DIR/configured_oids"`'
    tell_psql "$unconfigure_sql"
    tell_psql '\set VERBOSITY terse'
    tell_psql '\set ECHO none'
    hear_or_name_blockers
}

hear_or_name_blockers() {
    if ! hear_psql; then
        failure=$(cat "$run_dir/psql_stderr")
        words=$(psql_words)
        relay "$run_dir/psql_stderr"
        case $failure in
            *55P03:* | *40P01:*)
                name_blockers
                blockers=$(printf '%s' "$blockers" | sed -n '/, holds /p')
                ;;
            *) blockers= ;;
        esac
        tell_blockers
        not_restored "the wipe could not be made: $words"
    fi
}

# The header of a script takes back our lock timeout, and servers before 17 do not know its last timeout. It also empties the
# search path, which a second try does not.
without_timeouts() {
    while IFS= read -r line; do
        case $line in
            'SET lock_timeout = 0;' | 'SET transaction_timeout = 0;') continue ;;
            "SELECT pg_catalog.set_config('search_path', '', false);") line="SELECT pg_catalog.set_config('search_path', '$replay_path', false);" ;;
        esac
        printf '%s\n' "$line"
        case $line in 'SET row_security = off;') break ;; esac
    done
    exec cat
}

# Around large objects pg_restore writes a transaction of its own, which would end ours. Their script holds numbers and
# bytes alone, so no line of it can be a part of a name or text.
without_transaction() {
    exec sed -e '/^BEGIN;$/d' -e '/^COMMIT;$/d' -e '/^SET lock_timeout = 0;$/d' -e '/^SET transaction_timeout = 0;$/d'
}

# psql reads rows itself. Where pg_restore does not keep psql from obeying what stands there, awk does.
guarded() {
    without_timeouts | exec awk -v how=guard "$entries_awk"
}

bound_waiting() {
    tell_psql "SET LOCAL lock_timeout = '${lock_timeout_seconds}s';"
}

# choose_data_filter MAJOR: rows come as they are, as passing them on costs time, unless the programs are old, that server is
# older than they are, or the search path is to be another.
choose_data_filter() {
    start "$bin_dir/pg_restore" --schema-only --use-list=/dev/null --file="$run_dir/header" "$file" 2>"$run_dir/stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "pg_restore ended with exit code $child_status: $(tail -n 1 "$run_dir/stderr")"
    data_filter=
    [ "$client_major" -lt 17 ] || [ "$1" -ge 17 ] || data_filter=without_timeouts
    [ -z "$replay_path" ] || data_filter=without_timeouts
    grep -q '^\\restrict ' "$run_dir/header" || data_filter=guarded
}

# A check may look into another table, whose rows have to be there before. pg_dump has put the tables in the order of their names.
order_rows() {
    [ -n "$replay_path" ] && [ -z "$stumbled" ] && [ -s "$run_dir/data.list" ] || return 0
    tell_psql "\\set archive_encoding $archive_encoding"
    tell_psql "$late_sql"
    hear_or_stop "while it looked in which order the rows can go in"
    sed -n 's/^needed=//p' "$run_dir/late" >"$run_dir/needed"
    sed '/=/d' "$run_dir/late" >"$run_dir/last"
    # shellcheck disable=SC2016 # awk's, not the shell's
    start awk '!all { late[$0]; next } !($0 in late)' "$run_dir/last" all=yes "$run_dir/data.list" >"$run_dir/early"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "the rows could not be put in order"
    cat "$run_dir/early" "$run_dir/last" >"$run_dir/data.list"
}

replay_rows() {
    replay "$1" "$data_filter" "the programs in $bin_dir are too old to read such names without danger: update them, or restore by hand"
}

# pick KEY LIST: the entries of that list whose numbers were told under that key go to the list of that key.
pick() {
    printf '%s\nend\n' "$heard" | sed -n -e "s/^$1=//p" -e '$p' >"$run_dir/picked"
    # shellcheck disable=SC2016 # awk's, not the shell's
    start awk -v into="$run_dir/$1.list" '
        FILENAME == ARGV[1] { needed[$0]; next }
        !all { if ($0 == "end") all = 1; else if (!($0 in needed)) picked[$0]; next }
        $0 in picked { print >into; next }
        { print }' "$run_dir/needed" "$run_dir/picked" "$run_dir/$2.list" >"$run_dir/kept"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "the entries of the archive could not be sorted"
    mv "$run_dir/kept" "$run_dir/$2.list"
}

# A value may be written as the name of an index, as those of regclass are. Such rows go in once the indexes are there, unless a function
# of a check reads these rows.
part_rows() {
    [ -z "$stumbled" ] && [ -s "$run_dir/data.list" ] || return 0
    tell_psql "\\set archive_encoding $archive_encoding"
    tell_psql "$named_sql"
    hear_or_stop "while it looked for rows that name an object"
    ! tells named "$heard" || {
        pick named data
        [ ! -s "$run_dir/named.list" ] || pick built after
    }
}

join_rows() {
    cat "$run_dir/named.list" >>"$run_dir/data.list"
    cat "$run_dir/built.list" "$run_dir/after.list" >"$run_dir/kept"
    mv "$run_dir/kept" "$run_dir/after.list"
}

# Grants on schemas come with the schemas, as what is made there may need them. What stands between lend and take_back may need more.
lend() {
    [ -n "$stumbled" ] || tell_psql "$lend_sql"
}

take_back() {
    [ -n "$stumbled" ] || tell_psql "$take_back_sql"
}

# go_back MAJOR: in a server of that version, up to where the transaction can be looked at and ended.
go_back() {
    try_to_go_back "$1"
    [ -n "$stumbled" ] || return 0
    take_path_of_role
    try_to_go_back "$1"
}

try_to_go_back() {
    choose_data_filter "$1"
    use_psql "$bin_dir/psql"
    notice_lost_clients
    [ -z "$before_wipe" ] || "$before_wipe"
    tell_psql 'BEGIN; SET LOCAL statement_timeout = 0;'
    bound_waiting
    tell_psql 'SET LOCAL idle_in_transaction_session_timeout = 0;'
    wipe
    [ -z "$after_wipe" ] || "$after_wipe"
    if grep -q '^[0-9]*; 0 0 ACL - SCHEMA public ' "$run_dir/toc"; then
        tell_psql "$public_sql"
    fi
    log "replaying the archive$in_copy"
    replay schemas
    [ -z "$after_schemas" ] || "$after_schemas"
    lend
    replay before
    for list in needed named.list built.list; do : >"$run_dir/$list"; done
    order_rows
    part_rows
    # In tables that nobody else knows of yet there is nothing to wait for.
    replay_rows data
    replay built
    replay_rows named
    replay blobs without_transaction
    [ -n "$stumbled" ] || bound_waiting
    replay after
    join_rows
    replay grants
    take_back
}
