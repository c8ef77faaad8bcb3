# Of `preflight`: what a restore that was killed has left in the server.

# forget_record LINE
forget_record() {
    grep -v -x -F -e "$1" "$backup_dir/restore.database" >"$run_dir/other_records" || [ $? -eq 1 ]
    if [ -s "$run_dir/other_records" ]; then
        cat "$run_dir/other_records" >"$backup_dir/restore.database"
    else
        rm -f "$backup_dir/restore.database"
    fi
}

# drop_leftover NAME: only what belongs to the role and has such a name; what refuses to go stays on record.
drop_leftover() {
    printf '%s' "$1" >"$run_dir/leftover"
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set leftover `cat "$RUN_DIR/leftover"`'
    tell_psql '\set ON_ERROR_STOP off'
    tell_psql "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname = :'leftover' AND datname ~ '_restore_[0-9]{14}\$' AND pg_has_role(datdba, 'USAGE') \\gexec"
    tell_psql '\set ON_ERROR_STOP on'
    tell_psql "SELECT count(*) FROM pg_database WHERE datname = :'leftover';"
    hear_psql || die 10 "the connection to the database broke while it dropped what an earlier restore has left: $(psql_words)" "mend what the database says above, and run it again"
    if [ "${heard%"$newline"}" = 0 ]; then
        forget_record "$db_host $db_port $1"
        log "an earlier restore has left nothing behind: the database $1 is gone"
    else
        log "WARNING: the database $1, which an earlier restore has left, could not be dropped; the next run tries again: $(psql_words)"
    fi
}

# A restore into a new database that was killed has left it, on record. Only who holds the lock knows that it is not at work.
drop_leftovers() {
    [ "$run_dir" = "$backup_dir/run.partial" ] && [ -f "$backup_dir/restore.database" ] || return 0
    left=$(cat "$backup_dir/restore.database")
    IFS=$newline
    set -f
    # shellcheck disable=SC2086 # splitting into lines is the purpose
    set -- $left
    set +f
    unset IFS
    for line; do
        case $line in "$db_host $db_port "*) drop_leftover "${line#"$db_host $db_port "}" ;; esac
    done
}
