#!/bin/sh
# Tell which databases the restores by swap have left beside the live one; drop those that are named.
: "${names?}" "${drop_old_sql:?}"
# after programs: found
# after psql: db_name heard
# tells: dropped old_database
die_of_problems
: "${run_dir:?}"

# tell_old DROPS
tell_old() {
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set names `cat "$RUN_DIR/names"`'
    tell_psql "\\set drops $1"
    tell_psql "SET statement_timeout = 0; SET lock_timeout = '30s'; SET client_min_messages = warning;"
    tell_psql "$drop_old_sql"
}

tells_no_state=yes # of the database that a restore is about: nothing here touches it
watch_client
printf '%s' "$names" >"$run_dir/names"
psql=${found%%"$newline"*}
use_psql "${psql#* }/psql"
tell_old false
hear_psql || die 10 "the database did not answer: $(psql_words)" "check DB_NAME, DB_USER, DB_HOST and DB_PORT as seen from the host"
tell_client "$heard"
unknown=$(printf '%s' "$heard" | sed -n 's/^unknown=//p')
[ -z "$unknown" ] || die 14 "no restore of $db_name has left this database: $(one_line "$unknown"); nothing was dropped" "fab restore --drop-old without a name lists those that can be dropped"
if [ -n "$names" ]; then
    close_psql
    use_psql "${psql#* }/psql"
    tell_old true
    hear_psql || die 14 "not all of the databases could be dropped: $(psql_words)" "end the sessions in them, and run it again"
    tell_client "$(printf '%s' "$heard" | sed '/^old_database=/d')"
    log "dropped $(one_line "$names")"
fi
