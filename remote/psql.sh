#!/bin/sh
# Hold a conversation with the database: one psql that the steps after this one talk to.
: "${db_name:?}" "${db_user:?}" "${db_host:?}" "${db_port:?}" "${tables_sql:?}"

# It ends when our end of its stdin closes, so it does not outlive this shell, not even one that is killed.
run_psql() {
    export RUN_DIR="$run_dir" # for what psql reads and writes there
    exec "$1" --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
        --dbname='keepalives_idle=30 keepalives_interval=10 keepalives_count=6 tcp_user_timeout=90000' \
        <&5 >&8 4>&- 5<&- 8>&- 2>"$run_dir/psql_stderr"
}

# use_psql PROGRAM: the session that is open, or a new one.
use_psql() {
    [ -z "$psql_child" ] || [ "$psql_program" = "$1" ] || close_psql
    [ -n "$psql_child" ] || open_psql "$1"
}

open_psql() {
    psql_program=$1
    start_guard
    mkfifo "$run_dir/to_psql" "$run_dir/from_psql" ||
        die 10 "no named pipe can be made in $run_dir" "choose a BACKUP_DIR on a file system of the host's own"
    starting=yes
    # As with the guard: all ends are open before it is there, as it may be gone before we come to ours.
    exec 4<>"$run_dir/to_psql"
    exec 5<"$run_dir/to_psql"
    exec 4>"$run_dir/to_psql"
    exec 8<>"$run_dir/from_psql"
    run_psql "$1" 6>&- &
    psql_child=$!
    tell_guard
    exec 5<"$run_dir/from_psql"
    exec 8>&-
    rm -f "$run_dir/to_psql" "$run_dir/from_psql"
    heed_signals
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set run_dir `printf %s "$RUN_DIR"`'
    tell_psql "$tables_sql"
}

# Once it has gone, nobody reads: what became of it is for `hear_psql` to say.
tell_psql() {
    psql_idle=
    printf '%s\n' "$1" >&4 2>/dev/null || :
}

# `heard` is what psql printed until all is done that it was told; false if it has ended instead, at an error.
hear_psql() {
    heed_signals
    tell_psql "\\echo $fence"
    heard=
    while IFS= read -r line <&5; do
        if [ "$line" = "$fence" ]; then
            psql_idle=yes
            return 0
        fi
        heard=$heard$line$newline
    done
    close_psql
    return 1
}

close_psql() {
    exec 4>&-
    psql_status=0
    wait "$psql_child" || psql_status=$?
    psql_child='' psql_idle=''
    tell_guard
    exec 5<&-
}

# The last that psql said, of its failure: with the statement that failed, where it is ours.
psql_words() {
    said=$(sed -e '/^LOCATION: /d' -e 's/^psql:.*:[0-9][0-9]*: \([A-Z]*: \)/\1/' "$run_dir/psql_stderr")
    case $said in
        *"$newline"'STATEMENT: '*) printf '%s\n' "$said" | sed -n -e '/^STATEMENT: /{x;p;x;p;q;}' -e 'h' ;;
        *) printf '%s\n' "$said" | tail -n 2 ;;
    esac
}

export PGHOST="$db_host" PGPORT="$db_port" PGUSER="$db_user" PGDATABASE="$db_name"
export PGAPPNAME=fabric-predeploy PGCONNECT_TIMEOUT=10 PGCLIENTENCODING=UTF8
# A step that reports problems with all others does so even where there is no backup directory to work in.
[ -n "$run_dir" ] || run_dir=$(mktemp -d)
