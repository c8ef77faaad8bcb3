# What the archive was dumped from, and in what a test restore differs from it.
: "${content_sql:?}" "${sequences_sql?}" "${compare_sql?}"

differs() {
    die 13 "the test restore of ${archive:-the dump} is not what was dumped: $1" \
        "the grade of the archive stays what it was; use another archive, and keep this one to find the cause"
}

# expected KEY: the lines of that key that were kept when the archive was dumped.
expected() {
    sed -n "/^$1=/p" "$dumped_facts"
}

read_expected() {
    dumped_facts=$run_dir/facts
    [ -z "$archive" ] || dumped_facts=$manifest
    locale=$(expected locale)
    locale=${locale#locale=}
    [ -n "$locale" ] || die 14 "the manifest of $archive does not tell what a test restore needs" "take another archive"
    sed -n -e '/^content=config_rows:/d' -e '/^content=/p' "$dumped_facts" >"$run_dir/expected_content"
    [ "$proof" != equal ] || [ -s "$run_dir/expected_content" ] ||
        die 14 "the manifest of $archive holds no hashes to compare with: it was taken with BACKUP_CONTENT=counts" \
            "verify it with --proof=restored, which compares the number of rows; take the next with BACKUP_CONTENT=hash"
}

# In two parts, between which others of our programs run.
begin_reading() {
    tell_psql 'BEGIN; SET LOCAL statement_timeout = 0;'
    : >"$run_dir/sequences"
    tell_psql "$content_sql"
    tell_psql "$configured_sql"
    tell_psql "$sequences_sql"
    tell_psql 'COMMIT;'
}

end_reading() {
    hear_or_stop "while its rows were read"
    cat "$run_dir/rows" "$run_dir/configured" "$run_dir/sequences" >"$run_dir/found"
}

# found_value NAME: where that sequence stands in the test restore.
found_value() {
    while IFS= read -r line; do
        case $line in content=sequence:*" $1") [ "${line#* }" != "$1" ] || printf '%s' "${line#content=sequence:}" ;; esac
    done <"$run_dir/sequences"
}

# within A..B VALUE: each is a number, and whether it was given out already.
within() {
    from=${1%..*} to=${1#*..}
    case $2 in "$from" | "$to") return 0 ;; '') return 1 ;; esac
    for bound in "$from" "$to" "$2"; do
        bound=${bound%,*}
        is_number "${bound#-}" || return 1
    done
    if [ "${from%,*}" -lt "${to%,*}" ]; then
        [ "${2%,*}" -gt "${from%,*}" ] && [ "${2%,*}" -lt "${to%,*}" ]
    else
        [ "${2%,*}" -lt "${from%,*}" ] && [ "${2%,*}" -gt "${to%,*}" ]
    fi
}

# Lines without their counterpart, but for a sequence that went on while it was dumped.
compare_contents() {
    expected rows >"$run_dir/expected"
    sed -n '/^content=config_rows:/p' "$dumped_facts" >>"$run_dir/expected"
    [ "$proof" != equal ] || cat "$run_dir/expected_content" >>"$run_dir/expected"
    leave_out_unknown "$run_dir/expected" "$run_dir/found"
    unmet=$(grep -v -x -F -f "$run_dir/found" "$run_dir/expected") || [ $? -eq 1 ]
    IFS=$newline
    set -f
    for line in $unmet; do
        case $line in
            content=sequence:*..*)
                span=${line%% *}
                value=$(found_value "${line#* }")
                if within "${span#content=sequence:}" "${value%% *}"; then continue; fi
                ;;
        esac
        problem "expected ${line}" "$(grep -F -e " ${line#* }" "$run_dir/found" | head -n 2 || :) was found"
    done
    set +f
    unset IFS
    [ -z "$problems" ] || differs "$(printf '%s' "$problems" | wc -l) facts of its tables are others"
}

# read_schema FILE INTO [OPTION]…
read_schema() {
    schema_of=$1 schema=$2
    shift 2
    start "$bin_dir/pg_restore" --schema-only --no-tablespaces --no-subscriptions "$@" --file="$run_dir/script" "$schema_of" 2>"$run_dir/stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "the schema of $schema_of could not be read: $(tail -n 1 "$run_dir/stderr")"
    read_script "$schema" entries titled=yes
}

# dump_schema INTO: of the place as it is now.
dump_schema() {
    start_function connect "$bin_dir/pg_dump" --schema-only --format=custom --no-tablespaces --no-subscriptions --no-password --exclude-schema=fabric_predeploy_drill \
        --encoding="$archive_encoding" \
        --file="$run_dir/schema_now" 2>"$run_dir/dump_stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "its schema could not be dumped: $(tail -n 1 "$run_dir/dump_stderr")"
    read_schema "$run_dir/schema_now" "$1"
    rm -f "$run_dir/schema_now"
}

# PostgreSQL writes some definitions otherwise once they are restored, and keeps them so from then on. So the copy is held against
# the archive, and where only the words differ, against what has become of the same definitions once more.
compare_schemas() {
    archive_server=$(manifest_value "$dumped_facts" server_version)
    [ -n "$archive" ] || archive_server=$server_version
    : >"$run_dir/again_schema"
    [ -z "$went_back" ] || dump_schema again_schema
    if [ "${archive_server%%.*}" != "$client_major" ]; then
        # A newer server writes the same definitions in other words.
        log "the schema is not compared: the archive is of PostgreSQL $archive_server, the test restore in $client_version"
        return
    fi
    read_schema "$file" before ${compared:+--use-list="$run_dir/compared.list"}
    find_differences
    if tells differences "$heard" && [ -z "$went_back" ] && [ "$place" = cluster ]; then
        go_back_for_all_roles
        dump_schema again_schema
        find_differences
    fi
    ! tells differences "$heard" || differs "$(one_line "${heard#*differences=}")"
    reworded=$(printf '%s' "$heard" | sed -n 's/^reworded=//p')
    [ -z "$reworded" ] || log "written in other words once restored, as PostgreSQL does, and the same when restored again: $(one_line "$reworded")"
}

find_differences() {
    use_psql "$bin_dir/psql"
    tell_psql "SET client_encoding = '$archive_encoding';"
    tell_psql "$compare_sql"
    tell_psql 'RESET client_encoding;'
    hear_or_stop "while its schema was compared"
}
