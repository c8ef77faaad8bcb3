#!/bin/sh
# List what a dump of this database would hold, without one: pg_dump tells it first, and is stopped then.
: "${outline_sql:?}"
# needs: _pg_dump
# after psql: heard
# after preflight: bin_dir
# tells: acts_for extension

: "${run_dir:?}"

write_outline() {
    run_pg_dump --compress=0 >"$run_dir/outline"
}

read_outline() {
    exec "$bin_dir/pg_restore" --list --format=custom <"$run_dir/outline" >"$run_dir/toc"
}

take_outline() {
    mkfifo "$run_dir/outline"
    start_function write_outline 2>"$run_dir/stderr"
    dump_child=$!
    start_function read_outline 2>"$run_dir/list_stderr"
    finished $!
    list_status=$child_status
    [ "$list_status" -ne 0 ] || kill -TERM "$dump_child" 2>/dev/null || :
    finished "$dump_child" 2>/dev/null # dash would say that it was terminated
}

tell_extensions() {
    use_psql "$bin_dir/psql"
    tell_psql "$outline_sql"
    if hear_psql; then printf '%s' "$heard"; else fact silent "$(one_line "$(psql_words)")"; fi
}

if [ -z "$bin_dir" ]; then # the preflight has told why: there is nothing more to look at
    end
    exit 0
fi
facts pg_restore "$(version_of "$bin_dir/pg_restore")" psql "$(version_of "$bin_dir/psql")"
tell_extensions
take_outline
if [ "$list_status" -ne 0 ]; then
    case $(cat "$run_dir/stderr") in *'LOCK TABLE '*) tell_blockers_of_dump ;; esac
    refuse 12 "pg_dump ended with exit code $child_status: $(tail -n 3 "$run_dir/stderr")" \
        "see what it says" dump
    end
    exit 0
fi
entries=$(grep -c '^[0-9]' "$run_dir/toc") || [ $? -eq 1 ]
fact entries "$entries"
file=outline listed=outline archive_encoding=$db_encoding
