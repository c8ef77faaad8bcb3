# Of `drill`: a database of its own, or the one that BACKUP_DRILL_DB names, in the server of the live one.

wipe_drill_db() {
    enter_database "$drill_db"
    tell_psql "BEGIN; SET LOCAL lock_timeout = '10s';"
    tell_psql "$ours_sql"
    tell_psql "$wipe_sql"
    tell_psql 'COMMIT;'
    if hear_psql; then
        at_end=
    else
        log "WARNING: BACKUP_DRILL_DB $drill_db could not be emptied; the next test restore will empty it: $(psql_words)"
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
    at_end=wipe_drill_db after_wipe=mark_drill_db
    mark_drill_db
    hear_or_stop "before it began"
}

mark_drill_db() {
    tell_psql 'CREATE SCHEMA fabric_predeploy_drill;'
}

# Extensions that another role has made there stay: only their owner may comment on them.
leave_out_comments() {
    tell_psql "SELECT 'COMMENT - EXTENSION ' || name || ' ' FROM pg_extension CROSS JOIN unnest(ARRAY[extname, '\"' || replace(extname, '\"', '\"\"') || '\"']) AS name WHERE NOT pg_has_role(extowner, 'USAGE');"
    hear_or_stop "while it looked for extensions"
    printf '%send\n' "$heard" >"$run_dir/left_out"
    # shellcheck disable=SC2016 # awk's, not the shell's
    start awk '!all { if ($0 == "end") all = 1; else left_out[$0]; next } { rest = $0; sub(/^[0-9]+; [0-9]+ [0-9]+ /, "", rest) } !(rest in left_out)' \
        "$run_dir/left_out" "$run_dir/main.list" >"$run_dir/kept.list"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "the entries of the archive could not be sorted"
    mv "$run_dir/kept.list" "$run_dir/main.list"
}

# As a restore by swap would.
fill_database() {
    place_major=$server_major
    begin_elsewhere
    scratch_database=$drill_db
    if [ -n "$drill_db" ]; then
        enter_drill_db
        as_when_dumped "$dumped_facts"
    else
        enter_maintenance
        as_when_dumped "$dumped_facts"
        create_new
        scratch_database=$new_database
    fi
    choose_entries
    enter_database "$scratch_database"
    leave_out_comments
    replay schemas
    lend
    hear_or_stop "while it opened its schemas"
    watch_growth
    fill_and_read main
    enter_database "$scratch_database"
    if [ -z "$replay_path" ]; then
        replay grants
        take_back
        # Others look at it next, while this session may be at work still.
        [ -n "$stumbled" ] || hear_or_stop "while it took back what it had lent"
    fi
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
