#!/bin/sh
# Open sessions in databases; and hold one as a conversation: one psql that the steps after this one talk to.
: "${db_name:?}" "${db_user:?}" "${db_host:?}" "${db_port:?}" "${tables_sql:?}" "${configured_sql:?}" "${exclude_tables?}"
# configured_sql: configured around
# after programs: bin_dir
# fails: 10
# shows: connecting to the database

# What every session of psql begins with. Without it, whoever may create functions, operators or tables in a schema of the
# role's search path would answer for those that our queries name, with our rights. The temporary schema is named, as it would
# come first otherwise. Without the second, a policy of a table could run its functions in our queries.
pin='SET search_path = pg_catalog, pg_temp; SET row_security = off;'
unpin='RESET search_path;'

# What holds in every session of ours, of psql, pg_dump and pg_restore, whatever the server, the database or the role sets: settings
# that come with a connection go before all of those. PostgreSQL knows all of these from 14 on. What is set
# for the code of the database itself, such as TimeZone, is left alone.
options="-c array_nulls=on -c backslash_quote=safe_encoding -c check_function_bodies=off -c client_min_messages=notice"
options="$options -c constraint_exclusion=off -c default_table_access_method=heap -c default_tablespace="
options="$options -c default_transaction_deferrable=off -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off"
options="$options -c exit_on_error=off -c gin_fuzzy_search_limit=0 -c hash_mem_multiplier=2 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0"
options="$options -c jit=off -c lock_timeout=0 -c plpgsql.check_asserts=off -c plpgsql.extra_errors=none -c plpgsql.extra_warnings=none"
# A planner of plans that cost more than a number can say fails; one that looks at all orders of many tables does not end.
options="$options -c cpu_index_tuple_cost=0.005 -c cpu_operator_cost=0.0025 -c cpu_tuple_cost=0.01 -c from_collapse_limit=8 -c geqo=on"
options="$options -c geqo_effort=5 -c geqo_pool_size=0 -c geqo_generations=0 -c geqo_threshold=12 -c join_collapse_limit=8"
options="$options -c parallel_setup_cost=1000 -c parallel_tuple_cost=0.1 -c random_page_cost=4 -c seq_page_cost=1 -c vacuum_cost_delay=0"
options="$options -c quote_all_identifiers=off -c standard_conforming_strings=on -c statement_timeout=0 -c temp_buffers=1024 -c xmloption=content"
# Settings that an archive was taken under and that its restore needs, in the same form.
as_dumped=

# This is no setting of PostgreSQL: it shows that the others have come. A session that they have not come to ends here, before it has
# changed anything: it may be one that a pooler hands on.
token='-c fabric_predeploy.session=ours'
arrived="SELECT FROM pg_catalog.current_setting('fabric_predeploy.session');"
# After the pin: two settings that not each server knows; a restore that is told of must be on the disk; and a planner that may
# take more memory than there is makes tables of that size.
more="SELECT FROM (SELECT count(set_config(name, CASE name WHEN 'synchronous_commit' THEN 'local' WHEN 'work_mem' THEN '1GB' WHEN 'restrict_nonsystem_relation_kind' THEN '' ELSE '0' END, false)) AS n FROM pg_settings WHERE name IN ('transaction_timeout', 'restrict_nonsystem_relation_kind') OR name = 'synchronous_commit' AND setting = 'off' OR name = 'work_mem' AND setting::int > 1048576) s WHERE n < 0;"
strict_opening="$arrived $pin $more"
opening=$strict_opening

# Behind a pooler that keeps options to itself, and each session to its client: it is told them, and at its end it is left as it was
# found. `pooled_at` is where that pooler is, and `parting` what each session there ends with.
restate="SELECT FROM (SELECT count(set_config(m[1], replace(m[2], \$\$\\ \$\$, \$\$ \$\$), false)) AS n FROM regexp_matches(\$\$$options\$\$, \$\$-c ([a-z_.]+)=((?:[^ \\\\]|\\\\.)*)\$\$, 'g') AS m) s WHERE n < 0;"
pooled_at=
# A session that is looked at only must not be changed: whoever it is handed on to would have it so.
only_ask='SELECT FROM pg_catalog.pg_backend_pid();'

# connect PROGRAM ARGUMENT…: the one place that starts a program which goes to a database. This shell becomes that program,
# which alone is told where to, as whom, and the password.
connect() {
    export PGHOST="$target_host" PGPORT="$target_port" PGUSER="$target_user" PGDATABASE="$target_database"
    export PGAPPNAME=fabric-predeploy PGCONNECT_TIMEOUT="$connect_seconds" PGCLIENTENCODING="$client_encoding"
    [ "$target_host $target_port" = "$pooled_at" ] || export PGOPTIONS="$token $options$as_dumped"
    [ -z "$db_password" ] || export PGPASSWORD="$db_password"
    exec "$@"
}

# session PSQL OPTION…: one session for what these options tell it to do. The shells that psql starts need no password.
session() {
    export RUN_DIR="$run_dir" # for what psql reads and writes there
    session_program=$1
    shift
    connect "$session_program" --no-psqlrc --no-password --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 \
        --dbname='keepalives_idle=30 keepalives_interval=10 keepalives_count=6 tcp_user_timeout=90000' \
        --command="$opening" --command='\setenv PGPASSWORD' "$@"
}

# It ends when our end of its stdin closes, so it does not outlive this shell, not even one that is killed.
converse() {
    session "$1" --file=- <&5 >&8 4>&- 5<&- 8>&- 2>"$run_dir/psql_stderr"
}

# ask QUERY: in a session of its own, which this shell becomes.
ask() {
    session "$bin_dir/psql" --command="$1" ${parting:+"--command=$parting"} </dev/null
}

# For statements that run code of the database's own, which may need the search path that its role has: between the two.
unpin_path() {
    tell_psql "$unpin"
}

pin_path() {
    tell_psql "$pin"
}

# As if the session had just begun. To count the rows of a table, a planner runs functions that its indexes are made of: those of
# another role, where ours may act for that one. In a transaction that only reads they can do little; what they have set goes here.
start_over() {
    tell_psql "DISCARD ALL; $opening"
    tell_psql "$tables_sql"
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
    converse "$1" 6>&- &
    psql_child=$!
    tell_guard
    exec 5<"$run_dir/from_psql"
    exec 8>&-
    rm -f "$run_dir/to_psql" "$run_dir/from_psql"
    heed_signals
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set run_dir `printf %s "$RUN_DIR"`'
    # shellcheck disable=SC2016
    tell_psql '\set excluding `cat "$RUN_DIR/excluding"`'
    tell_psql "$tables_sql"
}

# Once it has gone, nobody reads: what became of it is for `hear_psql` to say.
tell_psql() {
    [ -n "$psql_child" ] || return 0
    psql_idle=
    printf '%s\n' "$1" >&4 2>/dev/null || :
}

# `heard` is what psql printed until all is done that it was told; false if it has ended instead, at an error.
hear_psql() {
    heed_signals
    tell_psql "\\echo $fence"
    hear_fence
}

# hear_fence: `hear_psql`, where something else tells psql to say that.
hear_fence() {
    [ -n "$psql_child" ] || return 1
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
    [ -z "$parting" ] || tell_psql "$parting"
    exec 4>&-
    psql_status=0
    wait "$psql_child" || psql_status=$?
    psql_child='' psql_idle=''
    tell_guard
    exec 5<&-
}

# What is heard is checked before it is told to psql, to a program or the shell's arithmetic. A number has digits alone, and few
# enough of them to reckon with.
is_number() {
    case $1 in '' | *[!0-9]* | ???????????????????*) return 1 ;; esac
}

# odd_answer WHAT VALUE
odd_answer() {
    printf 'the answer of the database is not the %s that it was asked for: %s' "$1" "$(one_line "$2")"
}

# The last that psql said, of its failure: with the statement that failed, where it is ours. The error comes first: what was
# a warning before it tells of something else.
psql_words() {
    words_of_psql=$(last_words_of_psql)
    printf '%s\n' "${words_of_psql:-psql said nothing}"
}

last_words_of_psql() {
    said=$(sed -e "$of_collations" -e '/^LOCATION: /d' -e 's/^psql:.*:[0-9][0-9]*: \([A-Z]*: \)/\1/' "$run_dir/psql_stderr")
    case $said in
        *"$newline"'STATEMENT: '*) printf '%s\n' "$said" | sed -n -e '/^STATEMENT: /{x;p;x;p;q;}' -e 'h' ;;
        *"$newline"*) error_first "$(printf '%s\n' "$said" | tail -n 2)" ;;
        *) printf '%s\n' "$said" ;;
    esac
}

# Each message of a server has two blanks after its first word, in any language; of two lines the second is the later one.
error_first() {
    last_line=${1##*"$newline"}
    case ${last_line%%:  *} in
        "$last_line" | *' '*) printf '%s\n' "$1" ;;
        *) printf '%s\n%s\n' "$last_line" "${1%"$newline"*}" ;;
    esac
}

end_prepared="end it as that role, or as a superuser, in this database: COMMIT PREPARED or ROLLBACK PREPARED, and that name"

# Where sessions go from here on.
target_host=$db_host target_port=$db_port target_user=$db_user target_database=$db_name connect_seconds=10
# A step that reports problems with all others does so even where there is no backup directory to work in.
[ -n "$run_dir" ] || run_dir=$(mktemp -d)
printf '%s' "$exclude_tables" >"$run_dir/excluding"
