# Of `drill`: a restore over the copy that has just been made.

# The wipe and the replay of a restore, where there is something to wipe now. Rows of large tables are left out, and once more all
# of them, where a function of the archive may have missed them.
go_back_over_the_copy() {
    trial="the way back over the test restore" in_copy=" in the copy"
    rehearse_here
    # What is there is found by its number in the live database; here all of it is there.
    rehearsal=$(printf '%s' "$rehearsal" | sed '/^transaction_obstacle=.* is in the archive, and not in the database: /d')
    if ! is_open transaction; then
        log "the way back was not tried over the test restore: $(one_line "$(obstacles_to transaction | head -n 3)")"
        return 0
    fi
    log "trying the way back over the test restore, with the rows of tables that have up to $drill_again_rows"
    [ -z "$before_replay" ] || "$before_replay"
    leave_out_large
    ! may_create_anywhere || after_schemas=open_schemas
    try_to_go_back "$place_major"
    if [ -n "$stumbled" ] && [ -n "$lacks_rows" ]; then
        log "trying it without any rows, as not all of them were there: $(one_line "$stumbled")"
        leave_out_all
        go_back "$place_major"
    elif [ -n "$stumbled" ]; then
        take_path_of_role
        try_to_go_back "$place_major"
    fi
    [ -z "$after_schemas" ] || grant_on_schemas REVOKE FROM
    compare_rows "$run_dir/again"
    tell_psql 'COMMIT;'
    hear_or_stop "at its end"
    went_back=yes
}

# Where this role has no way back in the live database, the copy can still be made a second time, to be compared.
go_back_for_all_roles() {
    as_superuser postgres
    act_for_all_roles
    aim "$socket_dir" 5432 "$db_user" drill
    rehearse_here
    leave_out_apart
    : >"$run_dir/again"
    leave_out_all
    after_schemas=open_schemas
    try_to_go_back "$place_major"
    grant_on_schemas REVOKE FROM
    tell_psql 'COMMIT;'
    hear_or_stop "at its end"
}

# A superuser is none here, and lets another own what that one may not create.
may_create_anywhere() {
    case $place,$(manifest_value "$dumped_facts" as_superuser),$(manifest_value "$dumped_facts" opens_schemas) in
        cluster,yes,* | cluster,*,yes) ;;
        *) return 1 ;;
    esac
}

leave_out_large() {
    use_psql "$bin_dir/psql"
    tell_psql "\\set again_rows $drill_again_rows"
    tell_psql "\\set archive_encoding $archive_encoding"
    tell_psql "$again_sql"
    hear_or_stop "while it looked for large tables"
    case $heard in *'large=blobs'*) : >"$run_dir/blobs.list" ;; esac
    ! tells large "$heard" || lacks_rows=yes
    leave_out large data
    leave_out stays before
    leave_out stays after
}

leave_out_all() {
    stumbled='' lacks_rows=''
    : >"$run_dir/blobs.list"
    heard=$(sed -n 's/^\([0-9]*\); 0 [0-9]* TABLE DATA .*/large=\1/p' "$run_dir/toc")
    leave_out large data
    sed 's/^rows=[0-9]* /rows=0 /' "$run_dir/again" >"$run_dir/none"
    mv "$run_dir/none" "$run_dir/again"
}
