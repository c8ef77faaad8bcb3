# Of what restores into the live database: the end of its transaction.
# after programs: bin_dir
# after psql: heard
# after archive: archive

live_unchanged() {
    die 15 "$1; the database is as it was" "${2-$mend_first}"
}

give_up=live_unchanged

# Asked from a new session, as the old one may have been lost with the answer on its way.
ask_outcome() {
    outcome=
    tries=0
    while [ "$outcome" != committed ] && [ "$outcome" != aborted ] && [ "$tries" -lt 30 ]; do
        [ "$tries" -eq 0 ] || sleep 1
        tries=$((tries + 1))
        use_psql "$bin_dir/psql"
        tell_psql "SELECT pg_xact_status('$transaction');"
        if hear_psql; then outcome=${heard%"$newline"}; fi
    done
}

# commit WHAT: from here on there is no way back but another restore, so a signal waits until it is known what came of it.
commit() {
    tell_psql 'SELECT pg_current_xact_id();'
    hear_or_stop "before its end"
    transaction=${heard%"$newline"}
    is_number "$transaction" || not_restored "$(odd_answer "number of the transaction" "$transaction")"
    trap '' INT TERM HUP
    committing=yes
    remedy="ask the database: SELECT pg_xact_status('$transaction')"
    write_interim_status "it is at its very end, or was killed there"
    remedy=
    tell_psql 'COMMIT;'
    if ! hear_psql; then
        words=$(psql_words)
        ask_outcome
        case $outcome in
            committed) ;;
            aborted)
                committing=
                not_restored "the database refused the end of the transaction: $words"
                ;;
            *) die 15 "the connection to the database was lost at the very end: $words" \
                "ask the database: SELECT pg_xact_status('$transaction')" ;;
        esac
    fi
    committing=
    restored=$archive
    restore_seconds=$(seconds_since "$started")
    audit "$1"
    write_interim_status "it is restored; the run is at work still, or was killed without a word"
    trap interrupted INT TERM HUP
    watch_client_again # its word may have come when nobody listened
}
