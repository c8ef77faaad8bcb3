# For a test restore in a server of its own: the roles and the database, and what a superuser makes there, by name.
: "${apart_sql:?}" "${drill_create_sql:?}" "${drill_limit_sql:?}"

# What the archive holds is run by a role that may do no more than the archive's own, whatever a manifest says: a superuser
# of this server could do whatever our account can.
make_roles() {
    grep -e '^role=' -e '^role_encoded=' "$dumped_facts" >"$run_dir/roles" || [ $? -eq 1 ]
    printf '%s' "$db_user" >"$run_dir/owner"
    printf '%s' "$locale" >"$run_dir/locale"
    begin_elsewhere
    as_superuser postgres
    for known in acts_for extensions; do
        manifest_value "$dumped_facts" "$known" >"$run_dir/$known"
    done
    for known in roles locale owner; do
        tell_psql "\\set $known \`cat \"\$RUN_DIR/$known\"\`"
    done
    tell_psql "$drill_create_sql"
    hear_or_stop "while it made roles and a database"
    ! tells locale "$heard" || die 14 "the line locale= of the manifest of $archive has no known form" "take another archive"
}

# What only a superuser may make, and all grants: `apart.sql` looks through their statements.
read_apart() {
    grep -E '^[0-9]+; ((2615|3079|2601|2328|6104|6237|3466) |0 0 (ACL|COMMENT -) )' "$run_dir/toc" >"$run_dir/apart.list" || [ $? -eq 1 ]
    start "$bin_dir/pg_restore" --verbose --no-tablespaces --use-list="$run_dir/apart.list" --file="$run_dir/script" "$file" 2>"$run_dir/stderr"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "pg_restore ended with exit code $child_status: $(tail -n 1 "$run_dir/stderr")"
    read_script apart statements
}

# make_apart first|last
make_apart() {
    as_superuser drill
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set owner `cat "$RUN_DIR/owner"`'
    # shellcheck disable=SC2016
    tell_psql '\set own_extensions `cat "$RUN_DIR/extensions"`'
    tell_psql "\\set turn $1"
    tell_psql "SET client_encoding = '$archive_encoding';"
    tell_psql "$apart_sql"
    tell_psql 'RESET client_encoding;'
    # Nothing of the archive has been there before: what the server of the test restore lacks, or how it is set up.
    if [ "$1" = first ]; then
        hear_psql || die 10 "the server of the test restore could not make what only a superuser may make: $(psql_words)" \
            "see what it says, or set BACKUP_DRILL=database"
    else
        hear_or_stop "while it made, by name, what only a superuser may make"
    fi
}

# The role acts for all roles while the copy is filled; the way back is to find what it would find in the live database.
limit_roles() {
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set owner `cat "$RUN_DIR/owner"`'
    # shellcheck disable=SC2016
    tell_psql '\set acts_for `cat "$RUN_DIR/acts_for"`'
    tell_psql "$drill_limit_sql"
    hear_or_stop "while it took back what only a test restore needs"
}

act_for_all_roles() {
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set owner `cat "$RUN_DIR/owner"`'
    tell_psql "SELECT format('GRANT %I TO %I', rolname, :'owner') FROM pg_roles WHERE rolname NOT IN (:'owner', current_user) AND rolname !~ '^pg_' \\gexec"
    hear_or_stop "while it gave all roles to one"
}

# leave_out KEY LIST: the entries whose numbers were told under that key.
leave_out() {
    printf '%s\nend\n' "$heard" | sed -n -e "s/^$1=//p" -e '$p' >"$run_dir/left_out"
    # shellcheck disable=SC2016 # awk's, not the shell's
    start awk '!read_all { if ($0 == "end") read_all = 1; else left_out[$0]; next } { id = $0; sub(/;.*/, "", id) } !(id in left_out)' \
        "$run_dir/left_out" "$run_dir/$2.list" >"$run_dir/kept.list"
    finished $!
    [ "$child_status" -eq 0 ] || not_restored "the list $2 could not be shortened"
    mv "$run_dir/kept.list" "$run_dir/$2.list"
}

# Nothing of the archive is run by a superuser here, neither before its functions are there nor after.
divide_entries() {
    choose_entries
    read_apart
    make_apart first
    printf '%s\n' "$heard" >"$run_dir/divided"
    sed -n -e 's/^\([0-9]*\); 6100 .*/untried=\1/p' -e 's/^\([0-9]*\); 0 0 COMMENT - SUBSCRIPTION .*/untried=\1/p' "$run_dir/toc" >>"$run_dir/divided"
    for list in schemas grants main; do
        leave_out made "$list"
        leave_out untried "$list"
    done
    cat "$run_dir/toc" >"$run_dir/compared.list"
    compared=yes
    leave_out untried compared
    ! tells untried "$heard" || log "not tried: grants on what belongs to extensions, or to PostgreSQL itself"
    ! grep -q '^[0-9]*; 6100 ' "$run_dir/main.list" || log "not tried: subscriptions"
    sed -e '/^[0-9]*; 6100 /d' -e '/^[0-9]*; 0 0 COMMENT - SUBSCRIPTION /d' "$run_dir/main.list" >"$run_dir/rest.list"
}

# What a superuser has made here stays when the way back goes over it, but for schemas, of which only the owner counts.
leave_out_apart() {
    heard=$(cat "$run_dir/divided")
    for list in schemas before data after grants; do
        [ "$list" = schemas ] || leave_out made "$list"
        leave_out untried "$list"
    done
}

# A role can own what is in a schema without being let create there: a superuser has made it so, or the right has gone since.
open_schemas() {
    pin_path
    tell_psql '\o :run_dir/opened'
    tell_psql "SELECT replace(replace(nspname, E'\\\\', E'\\\\s'), E'\\n', E'\\\\n') FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema\$)' AND pg_has_role(nspowner, 'USAGE') AND NOT EXISTS (SELECT FROM aclexplode(nspacl) WHERE grantee = 0 AND privilege_type = 'CREATE');"
    tell_psql '\o'
    grant_on_schemas GRANT TO
}

# grant_on_schemas GRANT|REVOKE TO|FROM
grant_on_schemas() {
    pin_path
    # shellcheck disable=SC2016 # psql asks a shell of its own
    tell_psql '\set opened `cat "$RUN_DIR/opened"`'
    tell_psql "SELECT format('$1 CREATE ON SCHEMA %I $2 PUBLIC', replace(replace(line, E'\\\\n', E'\\n'), E'\\\\s', E'\\\\')) FROM string_to_table(:'opened', E'\\n') AS line WHERE line <> '' \\gexec"
    hear_or_stop "while it opened its schemas"
}
