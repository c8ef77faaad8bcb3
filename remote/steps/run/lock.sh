#!/bin/sh
# Let one run at a time into the backup directory, and clear away what an earlier one left unfinished.
: "${client:?}" "${create:?}" "${lock_wait_seconds:?}" "${keep_logs:?}" "${upload?}" "${reconnect_seconds:?}"
# fails: 10
# shows: getting the lock

make_directory() {
    judge_way "$(there "$backup_dir")/."
    [ -z "$unsafe" ] || return 0
    if [ -z "$only_looks" ]; then
        mkdir -p -- "$backup_dir" 2>/dev/null || :
        return
    fi
    parent=$(there "$backup_dir")
    if [ -d "$parent" ] && [ -w "$parent" ] && [ -x "$parent" ]; then
        to_be_made=yes
        looked to_be_made "$backup_dir"
    fi
}

check_directory() {
    usable=no to_be_made=
    if [ "$create" = yes ] && [ ! -e "$backup_dir" ]; then
        make_directory
        [ -z "$to_be_made" ] || return 0
    fi
    [ -n "${unsafe-}" ] || judge_way "$backup_dir"
    [ -z "$unsafe" ] || problem "BACKUP_DIR $backup_dir is not safe to use: $unsafe" "$safer" directory
    if [ ! -d "$backup_dir" ]; then
        [ -n "$unsafe" ] || problem "BACKUP_DIR $backup_dir is not there" "create it on the host: mkdir -p -m 700 '$backup_dir'" directory
        return
    fi
    [ ! -x "$backup_dir" ] || enter_directory || die 10 "BACKUP_DIR $backup_path was replaced while it was checked" "find out who replaces that directory, and run it again"
    # shellcheck disable=SC2046 # splitting into columns is the purpose: mode, links, owner, …
    set -- $(ls -ldnL -- "$backup_dir")
    if [ "$3" != "$uid" ] || [ ! -w "$backup_dir" ] || [ ! -x "$backup_dir" ]; then
        problem "this account cannot write to BACKUP_DIR $backup_path ($1, owner $3)" \
            "give it to the user $(id -un), or choose another" directory
        return
    fi
    looked mode "$1"
    case $unsafe,$1 in
        # S and T: setgid and sticky, which open nothing.
        ,d???--[-S]--[-T]*) usable=yes ;;
        # Where we have been before, the status must not go on telling of success; unless others can write there themselves.
        *,d????-??-*) [ ! -f "$backup_dir/lock" ] || usable=yes ;;
    esac
    case $1 in
        d???--[-S]--[-T]*) ;;
        *) problem "other users of the host can look into BACKUP_DIR $backup_path ($1)" "chmod 700 '$backup_path'" directory ;;
    esac
}

# Whoever could once write here may have put a link or a pipe in the place of what we write to.
check_files() {
    for own in lock status restores restore.database run.report run.report.before; do
        [ -e "$own" ] || [ -L "$own" ] || continue
        # The owner, which may be root, too.
        set -- - - 0
        # shellcheck disable=SC2046,SC3067 # dash, bash, busybox, ksh and zsh know -O
        [ -O "$own" ] || set -- $(ls -ldn "$own")
        if is_plain "$own" && [ "$3" = 0 ]; then continue; fi
        problem "$backup_path/$own is not a plain file of this account" "somebody else has made it: look at it, and move it away" directory
        usable=no
    done
}

# flock(1) ends with 1 where another holds the lock, with more where there are no locks to be had, as on some NFS.
locked() {
    flock_status=0
    flock -n 9 || flock_status=$?
    # Whoever only looks shares the lock, for a moment.
    if [ "$flock_status" -eq 1 ] && flock -s -n 9; then
        flock_status=0
        flock -n 9 || flock_status=$?
    fi
    [ "$flock_status" -le 1 ] || no_locks
    [ "$flock_status" -eq 0 ]
}

no_locks() {
    refuse 10 "flock cannot lock in $backup_path (exit code $flock_status)" "choose a BACKUP_DIR on a local disk" lock
}

at_work() {
    refuse 11 "another run is at work: $holder" "wait for it, or let this one wait with BACKUP_LOCK_WAIT=<seconds>" lock
}

# Who it is, since when; and whether it is left alone, and may stop soon.
find_holder() {
    holder=$(cat "$backup_dir/lock")
    gone_since=$(cat "$backup_dir/run.partial/alone" 2>/dev/null) || gone_since=
    [ -z "$gone_since" ] || holder="$holder; its client is gone since $gone_since, and unless that comes back it stops"
}

# The kernel drops this lock with the last process that holds it, however that one ends.
take_lock() {
    exec 9>>"$backup_dir/lock"
    waited=0
    while ! locked; do
        find_holder
        [ "$waited" -lt "$lock_wait_seconds" ] || at_work
        watch_client
        [ "$waited" -ne 0 ] || log "waiting up to $lock_wait_seconds s for another run: $holder"
        sleep 1
        waited=$((waited + 1))
    done
    run_before=$(cat "$backup_dir/lock")
    printf '%s for %s, process %s, since %s\n' "$task" "$client" $$ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
        >"$backup_dir/lock"
}

look_at_lock() {
    [ -f "$backup_dir/lock" ] || return 0
    flock_status=0
    flock -s -n 8 8<"$backup_dir/lock" || flock_status=$?
    case $flock_status in
        0) ;;
        1)
            find_holder
            looked held "$holder"
            [ "$lock_wait_seconds" -gt 0 ] || at_work
            ;;
        *) no_locks ;;
    esac
}

# A client that was lost has not heard what became of its run.
tell_of_run_before() {
    gone_since=$(cat "$backup_dir/run.partial/alone" 2>/dev/null) || gone_since=
    ended="was killed without a word"
    if [ -z "$gone_since" ] && [ -f "$1" ] && [ -z "$(manifest_value "$1" heard)" ]; then
        gone_since=$(manifest_value "$1" client_gone_since)
        ended="ended with exit code $(manifest_value "$1" code): $(manifest_value "$1" reason)"
    fi
    [ -z "$gone_since" ] || log "the run before, $run_before, lost its client at $gone_since and ${ended%: }"
}

# What is told from here on stays until the run after the next one, for a client that comes back late. Where it cannot be
# kept, nobody can come back.
keep_report() {
    [ ! -f "$1" ] || mv -f "$1" "$1.before"
    facts process $$ log "${log_file##*/}"
    report=$1
    printf '%s\n' "$fence begin lock" "process=$$" "log=${log_file##*/}" 2>/dev/null >"$report" || drop_report
}

# A run may go on with what an earlier one has received, and names it.
spares_upload() {
    [ -n "$upload" ] && [ ! -L "$backup_dir/upload.partial" ] || return 1
    set -- "$backup_dir"/upload.partial/*.dump
    [ "$*" = "$backup_dir/upload.partial/$upload.dump" ] && [ -f "$1" ] && [ ! -L "$1" ]
}

remove_leftovers() {
    rm -rf "${backup_dir:?}/status.partial"
    spares_upload || rm -rf "${backup_dir:?}/upload.partial"
    for end in .partial .manifest.partial .dump.sha256.partial; do
        for leftover in "$backup_dir"/*-$stamp_glob$end; do
            ! is_ours "${leftover##*/}" "$end" || [ -d "$leftover" ] || rm -f "$leftover"
        done
    done
    for manifest in "$backup_dir"/*-$stamp_glob.manifest; do
        is_ours "${manifest##*/}" .manifest && [ -f "$manifest" ] && [ "$(manifest_value "$manifest" format)" = 1 ] || continue
        [ -e "${manifest%.manifest}.dump" ] || [ -L "${manifest%.manifest}.dump" ] || rm -f "${manifest%.manifest}.dump.sha256" "$manifest"
    done
}

# end_server DIRECTORY: the server of a test restore that has its data there; it works in them, by which it is known. Where
# there is no /proc, it notices within a minute that they have gone.
end_server() {
    if [ -f "$1/data/postmaster.pid" ]; then
        server_pid=$(head -n 1 "$1/data/postmaster.pid")
        case $server_pid in '' | *[!0-9]*) server_pid=0 ;; esac
        server_data=$(cd "$1/data" && pwd -P)
        tries=0
        while [ "$(readlink "/proc/$server_pid/cwd")" = "$server_data" ] && [ "$tries" -lt 10 ]; do
            kill -QUIT "$server_pid" 2>/dev/null || :
            tries=$((tries + 1))
            sleep 1
        done
    fi
    by_way=$(readlink "$1/socket") || return 0
    case $by_way in
        /tmp/predeploy.*/*) ;;
        /tmp/predeploy.??????)
            rm -f "$by_way/s"
            rmdir "$by_way" 2>/dev/null || :
            ;;
    esac
}

remove_old_logs() {
    # shellcheck disable=SC2086 # the pattern is meant to be one
    set -- "$backup_dir"/backup-$stamp_glob.log
    while [ $# -gt "$keep_logs" ]; do
        rm -f "$1"
        shift
    done
}

enter() {
    take_lock
    remove_leftovers
    log_stamp=$(date -u +%Y%m%d-%H%M%S)
    log_file=$backup_dir/backup-$log_stamp.log
    is_plain "$log_file" || write_new "$log_file" '' || die 10 "there is no room for the files of a run in $backup_path" "look at its free space (df) and its free inodes (df -i)"
    log "$task, asked for by $client"
    tell_of_run_before "$backup_dir/run.report"
    end_server "$backup_dir/run.partial/cluster"
    rm -rf "${backup_dir:?}/run.partial"
    mkdir "$backup_dir/run.partial"
    run_dir=$backup_dir/run.partial
    keep_report "$backup_dir/run.report"
    remove_old_logs
    write_interim_status "the run has begun and not ended: it is at work, or was killed without a word"
}

check_directory
[ "$usable" = no ] || check_files
if ! command -v flock >/dev/null; then
    problem "there is no program flock, which keeps two runs apart" "ask the host for util-linux" lock
elif [ "$usable" = yes ] && [ -n "$only_looks" ]; then
    look_at_lock
elif [ "$usable" = yes ]; then
    enter
fi
# A preflight follows where a directory may be made: it tells these problems with its own.
[ "$create" = yes ] || die_of_problems
