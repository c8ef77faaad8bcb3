# What both ways to restore have in common: to replay a part of the archive, refresh, compare with the manifest, commit.
: "${count_sql:?}" "${sessions_sql:?}" "${entries_awk:?}"
# count_sql: count recount
# needs: _rows
# after psql: configured_sql db_user end_prepared heard pin unpin
# after programs: bin_dir
# after verify: archive file
# perhaps after archive: manifest

# What fails once, fails again: a name that is not found is, as a rule, one that a function of the archive writes without a schema.
mend_first='mend first what the messages above name; if a function does not find a name, see docs/obstacles.md of fabric-predeploy'

# The search path that the role had when the archive was taken, the one under which rows go in instead of an empty one, and
# the words of a first try that may have failed for its search path. Whether rows were left out, as only a test restore does.
place_options='' role_path='' replay_path='' stumbled='' lacks_rows=''

# not_restored REASON [REMEDY]: what has no way to go on. Each step that restores says in `give_up` how it ends then.
not_restored() {
    "$give_up" "$@"
}

# hear_or_stop WHILE [REMEDY]: what the statements came to.
hear_or_stop() {
    hear_psql || {
        relay_psql
        not_restored "the database stopped the restore $1: $(psql_words)" "${2-$mend_first}"
    }
}

# Without the code of each message, and without the lines below the first one, which may hold rows.
terse_words() {
    sed -n '/^psql:/{s/^\(psql:[^:]*:[0-9]*: [^ :]*:  \)[0-9A-Z]\{5\}: /\1/;p;}' "$run_dir/psql_stderr" >"$run_dir/terse"
}

relay_psql() {
    terse_words
    relay "$run_dir/terse"
}

# Not on every system, but where it is: a server then notices within seconds that its client has died.
notice_lost_clients() {
    tell_psql '\set ON_ERROR_STOP off'
    tell_psql "SET client_connection_check_interval = '2s';"
    tell_psql '\set ON_ERROR_STOP on'
}

# as_when_dumped MANIFEST: rows are read, and code of the database's own runs, under the settings that it had when the archive was
# taken: money is written in a currency, and a check may look at the hour. Here and in all sessions from here on; but for what this
# server does not know, such as a locale.
as_when_dumped() {
    names='DateStyle|IntervalStyle|TimeZone|bytea_output|extra_float_digits|lc_monetary|lc_numeric|lc_time|transform_null_equals|xmlbinary'
    grep -E "^setting_($names)=[][A-Za-z0-9_.,:@/<>+ -]*\$" "$1" >"$run_dir/settings" || [ $? -eq 1 ]
    tell_psql '\set ON_ERROR_STOP off'
    while IFS= read -r line; do
        line=${line#setting_}
        tell_psql "SELECT '${line}' FROM set_config('${line%%=*}', '${line#*=}', false);"
    done <"$run_dir/settings"
    # Where views may not be read, no materialized view is filled. Servers know this setting from a minor version on.
    tell_psql "SELECT 'restrict_nonsystem_relation_kind=' FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind';"
    tell_psql '\set ON_ERROR_STOP on'
    hear_or_stop "before it began"
    printf '%s' "$heard" >"$run_dir/accepted"
    as_dumped=$(sed -e 's/ /\\ /g' -e 's/^/ -c /' "$run_dir/accepted" | tr -d '\n')
    unknown=$(sed 's/^setting_//' "$run_dir/settings" | grep -v -x -F -f "$run_dir/accepted") || [ $? -eq 1 ]
    [ -z "$unknown" ] || log "WARNING: the restore leaves out settings that the database had when the archive was taken, as this server does not know them: $(one_line "$unknown")"
}

# In an own session, as ours has ended with the error.
name_blockers() {
    use_psql "$bin_dir/psql"
    tell_psql "$sessions_sql"
    if hear_psql; then blockers=$(printf '%s' "$heard" | sed -n 's/^session=//p'); else blockers=; fi
}

tell_blockers() {
    IFS=$newline
    set -f
    for line in $blockers; do
        case $line in
            'prepared transaction '*) problem "$line" "$end_prepared" ;;
            *) problem "$line" "end it, or let --terminate do so if it is of the same role" ;;
        esac
    done
    set +f
    unset IFS
}

# `tell_script` has opened the pipes; each of these two holds its own ends alone.
write_script() {
    # shellcheck disable=SC2086 # one option, or none
    exec "$bin_dir/pg_restore" $place_options --use-list="$run_dir/$1.list" --file=- "$file" 7<&- 8>&-
}

filter_script() {
    exec <&7 7<&- 8>&-
    "$1"
}

# Definitions go to the database as literals that psql never reads: no name or text can be a command of psql there, be one
# of its variables, or leave a quote open.
as_literals() {
    exec awk -v how=execute -v path="$replay_path" -v before='SELECT ' -v after=' \\gexec' "$entries_awk"
}

# Functions in a materialized view may need the search path of the role: it holds for that statement alone.
as_refreshes() {
    exec awk -v how=execute -v before="SELECT '$unpin', " -v after=", '$pin' \\\\gexec" "$entries_awk"
}

# read_script FILE entries|statements [SETTING]: what the file `script` holds, a line each.
read_script() {
    start awk -v how="$2" -v "${3-titled=}" "$entries_awk" "$run_dir/script" >"$run_dir/$1"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "what pg_restore has written of the archive is not understood" "see which programs are in $bin_dir"
    rm -f "$run_dir/script"
}

# tell_script LIST FILTER, which may be empty: an end of the script that comes too early would look like its end to psql, so `end_script` asks
# both programs. All ends of the pipes are open before the programs are there: at the pipe of one that is killed before it comes
# to its end, its reader would wait for ever. Our own end stays open until psql says, by the first line, that it has come in.
tell_script() {
    mkfifo "$run_dir/script" "$run_dir/filtered"
    exec 7<>"$run_dir/script" 8<>"$run_dir/filtered"
    printf '%s\n' "\\echo $fence" >&8
    into=filtered filter_child=
    [ -z "$2" ] || into=script
    start_function write_script "$1" >"$run_dir/$into" 2>"$run_dir/stderr"
    restore_child=$!
    exec 7<"$run_dir/script"
    if [ -n "$2" ]; then
        start_function filter_script "$2" >"$run_dir/filtered" 2>"$run_dir/filter_stderr"
        filter_child=$!
    fi
    exec 7<&-
    tell_psql '\o /dev/null'
    tell_psql "\\i :run_dir/filtered"
    heed_signals
    if hear_fence; then :; fi # that psql has ended instead is for the next `hear_psql` to say
    exec 8>&-
    tell_psql '\o'
    # The script has set how it is read itself.
    tell_psql 'RESET client_encoding; SET standard_conforming_strings = on;'
    pin_path
}

end_script() {
    finished "$restore_child"
    relay "$run_dir/stderr"
    [ "$child_status" -eq 0 ] || not_restored "pg_restore ended with exit code $child_status: $(tail -n 1 "$run_dir/stderr")"
    [ -z "$filter_child" ] || finished "$filter_child"
    [ "$child_status" -eq 0 ] || not_restored "the archive's script is not understood (exit code $child_status)" "$1"
    rm -f "$run_dir/script" "$run_dir/filtered"
}

# replay LIST [FILTER [REMEDY]]: with the code of an error, whatever the language of its words.
replay() {
    [ -z "$stumbled" ] && [ -s "$run_dir/$1.list" ] || return 0
    tell_psql '\set VERBOSITY verbose'
    tell_script "$1" "${2-as_literals}"
    tell_psql '\set VERBOSITY terse'
    if hear_psql; then
        end_script "${3-see what it says above}"
    else
        stumble_or_stop "$1"
    fi
}

# learn_path FILE: from a manifest. The path becomes a part of a statement: what is no list of names is not used.
learn_path() {
    role_path=$(manifest_value "$1" search_path)
    if ! printf '%s\n' "$role_path" | grep -q -x -E -e '("([^"\]|"")+"|[a-z_][a-z0-9_]*)(, ?("([^"\]|"")+"|[a-z_][a-z0-9_]*))*'; then role_path=; fi
}

# Functions in checks, generated columns, indexes and domains may name things without their schemas. The names of PostgreSQL
# itself come first, as they do in what pg_dump has written.
take_path_of_role() {
    log "WARNING: the archive cannot be restored with an empty search path: $(one_line "$stumbled")"
    log "trying once more, under the search path that $db_user had when the archive was taken: $role_path"
    stumbled=
    replay_path="pg_catalog, $(printf '%s' "$role_path" | sed "s/'/''/g")"
    fact replayed_under "$role_path"
}

# may_stumble PART CODE: whether another try may come to more. Under another search path, or with all rows there, a function of the
# archive may find what it has not found.
may_stumble() {
    [ -n "$lacks_rows" ] || { [ -n "$role_path" ] && [ -z "$replay_path" ]; } || return 1
    case $1 in data | named | built | after) ;; *) return 1 ;; esac
    case $2 in 42501 | '') return 1 ;; 2[0123]??? | 2F??? | 3[89F]??? | 42??? | P0???) ;; *) return 1 ;; esac
}

# stumble_or_stop PART: psql has ended at an error, and with it whoever writes for it.
stumble_or_stop() {
    codes=$(sed -n 's/^psql:[^:]*:[0-9]*: [^ :]*:  \([0-9A-Z]\{5\}\): .*$/\1/p' "$run_dir/psql_stderr")
    terse_words
    mv "$run_dir/terse" "$run_dir/psql_stderr"
    if may_stumble "$1" "${codes##*"$newline"}"; then
        stumbled=$(psql_words)
        end_writers
        return 0
    fi
    relay "$run_dir/psql_stderr"
    not_restored "the database stopped the restore in its part $1: $(psql_words)"
}

end_writers() {
    for writer in $restore_child $filter_child; do
        kill -TERM "$writer" 2>/dev/null || :
        finished "$writer" 2>/dev/null # dash would say that it was terminated
    done
    rm -f "$run_dir/script" "$run_dir/filtered"
}

# A view whose query fails by now stays empty and is told: its rows can be made again, and the way back must not hang on it.
# A query may read a view that comes later, where a function names that one: all are tried again as long as fewer stay empty.
refresh() {
    [ -s "$run_dir/matviews.list" ] || return 0
    tell_psql '\set ON_ERROR_ROLLBACK on'
    tell_psql '\set ON_ERROR_STOP off'
    count_unfilled
    meant=$((unfilled - $(wc -l <"$run_dir/matviews.list"))) # which held no rows in the archive, either
    before=$((unfilled + 1))
    while [ "$unfilled" -gt "$meant" ] && [ "$unfilled" -lt "$before" ]; do
        before=$unfilled
        tell_script matviews as_refreshes
        hear_or_stop "while it refreshed materialized views"
        end_script "see what it says above"
        count_unfilled
    done
    tell_psql '\set ON_ERROR_ROLLBACK off'
    tell_psql '\set ON_ERROR_STOP on'
    relay_psql
    [ "$unfilled" -le "$meant" ] ||
        log "WARNING: materialized views that held rows in the archive are empty once it is restored, because their queries fail (see above): $((unfilled - meant))"
}

count_unfilled() {
    tell_psql "SELECT count(*) FROM pg_class WHERE relkind = 'm' AND NOT relispopulated;"
    hear_or_stop "while it refreshed materialized views"
    unfilled=${heard%"$newline"}
    is_number "$unfilled" || not_restored "$(odd_answer "number of materialized views" "$unfilled")"
}
