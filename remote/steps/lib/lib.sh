# What every step shares. It is sent in front of the steps and runs in the same shell:
# a variable that a step sets is there for the steps after it.
: "${fence:?}" "${task:?}" "${backup_dir:?}" "${keeps_status?}"
: "${tells:?}" # while the run is under way: its progress too, the log, or warnings alone

set -eu
umask 077
export LC_ALL=C
unset CDPATH PGHOSTADDR PGSERVICE PGSERVICEFILE PGOPTIONS PGSYSCONFDIR PGPASSWORD
unset PGDATESTYLE PGTZ PGGEQO PGTARGETSESSIONATTRS PG_COLOR # libpq would hand the first three on as settings of a session
unset BLOCK_SIZE LS_BLOCK_SIZE TIME_STYLE QUOTING_STYLE     # GNU's ls would tell sizes, times and names in them
# What a run has come to. Whatever the account exports by these names is not ours: `run_dir` is removed at the end.
only_looks='' verdict='' step='' log_file='' run_dir='' at_end='' partial='' published='' proved='' restored='' audited='' reason='' remedy='' problems=''
children='' psql_child='' server_child='' psql_program='' psql_idle='' parting='' watcher='' guard='' starting='' interrupt=''
rotation='not reached'
report='' reconnect_seconds=0 alone_since='' deferred=''
db_encoding=UTF8 archive_encoding=UTF8 client_encoding=UTF8
shrunk='' shrink_accepted='' overtime=''

newline='
'
# Names that the host's own programs made; anything else in the directory is not ours.
stamp_glob='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]'

# What a terminal would obey: all control characters but tab and line break. As many blanks take their place.
orders=$(printf '\001\002\003\004\005\006\007\010\013\014\015\016\017\020\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037\177')
blanks='                              '

# make_harmless TEXT: into `harmless`. Its lines stay. The shell looks into a short text faster than a program is started. The
# fence at the end shows that nothing was killed before it came to its end.
make_harmless() {
    harmless=$1
    if [ "${#1}" -le 4096 ]; then
        case $1 in *["$orders"]*) ;; *) return 0 ;; esac
    fi
    harmless=$(printf '%s%s' "$1" "$fence" | tr "$orders" "$blanks")
    case $harmless in
        *"$fence") harmless=${harmless%"$fence"} ;;
        *) die 1 "tr, which makes words harmless, was killed" "check the host's memory and limits" ;;
    esac
}

# All that the client is to hear. It is kept, too, for a client that has lost its connection and asks anew (`attend`); that
# neither takes it down is no reason to stop.
tell_client() {
    make_harmless "$1"
    printf '%s\n' "$harmless" 2>/dev/null || exec >/dev/null
    [ -z "$report" ] || printf '%s\n' "$harmless" 2>/dev/null >>"$report" || drop_report
}

# One with a gap would be worse than none.
drop_report() {
    rm -f "$report"
    report=
}

begin() {
    step=$1
    tell_client "$newline$fence begin $step"
}

end() {
    tell_client "$fence end $step"
}

fact() {
    tell_client "$1=$2"
}

facts() {
    while [ $# -gt 1 ]; do
        tell_client "$1=$2"
        shift 2
    done
}

# The same for a file: printed, not told.
pairs() {
    while [ $# -gt 1 ]; do
        printf '%s=%s\n' "$1" "$2"
        shift 2
    done
}

# Facts that interest nobody but who only looks.
looked() {
    [ -z "$only_looks" ] || facts "$@"
}

one_line() {
    case $1 in
        *[[:cntrl:]]*) printf '%s' "$1" | tr "$orders\n\t" "$blanks  " ;;
        *) printf '%s' "$1" ;;
    esac
}

say() {
    case $1 in *[[:cntrl:]]*) set -- "$(one_line "$1")" ;; esac
    case $only_looks$tells,$1 in
        progress,* | log,* | warnings,*' WARNING: '*) printf '%s\n' "$1" >&2 || : ;;
    esac
    [ -z "$log_file" ] || printf '%s\n' "$1" >>"$log_file" || :
}

log() {
    say "$(date -u +%H:%M:%S) $1"
}

# What a server says at the beginning of each session where the collations of its system have changed: three lines, which the
# preflight tells once, in our words.
of_collations='/WARNING: .*has a collation version mismatch/{N;N;d;}'

# What a program wrote to its stderr, once it has ended; of a flood, the beginning and the end.
relay() {
    relayed=0
    set -- "$run_dir/relayed" "$1"
    sed -e "$of_collations" "$2" >"$1"
    while IFS= read -r line || [ -n "$line" ]; do
        relayed=$((relayed + 1))
        [ "$relayed" -le 50 ] || break
        say "         $line"
    done <"$1"
    [ "$relayed" -le 50 ] || say "         … $(wc -l <"$1") lines in all, the last: $(tail -n 1 "$1")"
}

# problem WHAT REMEDY [CHECK]: a check that failed; all of them are told at once by `die_of_problems`.
problem() {
    problems="$problems$(one_line "$1 — $2")$newline"
    looked failed "${3-}" because "$(one_line "$1")" remedy "$(one_line "$2")"
}

die_of_problems() {
    [ -z "$problems" ] || refuse 10 "the host is not ready" ""
}

# refuse CODE REASON REMEDY [CHECK]: like die; but who only looks goes on to look, and ends with the first of these.
refuse() {
    [ -n "$only_looks" ] || die "$1" "$2" "$3"
    [ -n "$verdict" ] || verdict=$1 verdict_reason=$2 verdict_remedy=$3
    [ -z "${4-}" ] || looked failed "$4" because "$(one_line "$2")" remedy "$(one_line "$3")"
}

# die CODE REASON [REMEDY]
die() {
    reason=$2
    remedy=${3-}
    exit "$1"
}

# Programs that take long run in the background: a signal then ends them at once instead of after them.
# Their output goes where that of `start` goes; so as not to send our own after it, a signal waits for `heed_signals`.
start() {
    starting=yes
    "$@" 4>&- 6>&- & # or psql, and the guard, would not see our end of their pipes closing
    note_child
}

# A function that is waiting to open a pipe would keep, for later, what is closed for its time alone.
start_function() {
    starting=yes
    {
        exec 4>&- 6>&-
        "$@"
    } &
    note_child
}

note_child() {
    children="$children $!"
    tell_guard
}

heed_signals() {
    starting=
    [ -z "$interrupt" ] || interrupted
}

finished() {
    heed_signals
    child_status=0
    wait "$1" || child_status=$?
    others=
    for child in $children; do
        [ "$child" = "$1" ] || others="$others $child"
    done
    children=$others
    tell_guard
}

# attend_growth FILE PID: while that program runs, tell the size of its file, and do what is to be done meanwhile.
attend_growth() {
    # It holds nothing that somebody waits for: neither the lock, nor does its nap keep the client's end open.
    exec 7>&2 2>/dev/null 3<&- 5<&- 9>&-
    before=$!
    # KILL, as a nap that was forked a moment ago would lose another signal.
    trap '[ "$!" = "$before" ] || kill -KILL "$!"; exit 0' TERM
    # A signal that comes too early is lost: so it looks itself whether it is still wanted.
    while kill -0 "$2" && kill -0 $$; do
        sleep "$nap_seconds" >/dev/null 7>&- &
        wait $! || :
        [ ! -f "$1" ] || tell_progress "bytes $(size_of "$1")"
        [ -z "$meanwhile" ] || "$meanwhile"
    done
}

tell_progress() {
    [ "$tells" != progress ] || tell_client "$newline$fence progress $1"
}

# finished_growing PID FILE [MEANWHILE]: `finished`; meanwhile its size is told, and that function called now and then.
finished_growing() {
    teller=
    meanwhile=${3-} nap_seconds=10
    [ "$tells" != progress ] || nap_seconds=1
    if [ "$tells" = progress ] || [ -n "$meanwhile" ]; then
        start_function attend_growth "$2" "$1"
        teller=$!
    fi
    finished "$1"
    [ -n "$teller" ] || return 0
    grown_status=$child_status
    kill -TERM "$teller" 2>/dev/null || :
    finished "$teller" 2>/dev/null # one that has not set its trap yet would be told of
    child_status=$grown_status
}

# A shell that is killed cannot end what it has started, and that would go on with all its locks. Our end of this pipe
# closes with us, whatever our end is; each line in it is what runs at present. No child of ours: in a trap, bash would
# wait for it instead of a child that has just ended (measured, 5.2).
start_guard() {
    [ -z "$guard" ] || return 0
    mkfifo "$run_dir/guard"
    # Opened for both, which waits for nobody: so one of us that ends early leaves no other waiting at the door.
    exec 6<>"$run_dir/guard"
    exec 4<"$run_dir/guard"
    exec 6>"$run_dir/guard"
    rm -f "$run_dir/guard"
    (
        { # with exec, as dash keeps for later what the call of a function closes: the lock, and the channel
            exec <&4 >/dev/null 2>&1 3<&- 4<&- 6>&- 7>&- 9>&-
            stand_guard
        } &
    )
    exec 4<&-
    guard=yes
}

stand_guard() {
    while IFS=, read -r line line_psql line_server; do
        children=$line psql_child=$line_psql server_child=$line_server
    done
    # shellcheck disable=SC2086 # a list of numbers
    [ -z "$psql_child" ] || kill -INT $psql_child || :
    # shellcheck disable=SC2086
    [ -z "$children" ] || kill -TERM $children || :
    # shellcheck disable=SC2086
    [ -z "$server_child" ] || kill -QUIT $server_child || :
    await_end "$children $psql_child"
    # shellcheck disable=SC2086
    [ -z "$children$psql_child" ] || kill -KILL $children $psql_child || :
}

tell_guard() {
    [ -z "$guard" ] || printf '%s,%s,%s\n' "$children" "$psql_child" "$server_child" >&6 2>/dev/null || :
}

# await_end PIDS: until all have ended, for a second at the most.
await_end() {
    looks=0
    # shellcheck disable=SC2086 # a list of numbers
    while [ "$looks" -lt 10 ] && is_any_running $1; do
        looks=$((looks + 1))
        sleep 0.1 2>/dev/null || {
            sleep 1
            return 0
        }
    done
}

is_any_running() {
    for child; do
        ! kill -0 "$child" 2>/dev/null || return 0
    done
    return 1
}

# At TERM pg_dump cancels its query in the server, at INT psql does, at QUIT a server of our own is gone within seconds. A
# child that was forked a moment ago may not have laid aside our traps yet and lose the signal, so KILL makes sure: we
# would wait for ever.
stop_children() {
    [ -z "$parting" ] || [ -z "$psql_idle" ] || printf '%s\n' "$parting" 2>/dev/null >&4 || :
    # At this an idle psql ends by itself; unless a child still holds a copy, so that one must not be waited for first.
    exec 4>&-
    [ -n "$children$psql_child$server_child" ] || return 0
    # shellcheck disable=SC2086 # a list of numbers
    {
        # One that somebody has halted hears of it, too.
        [ -z "$server_child" ] || kill -QUIT $server_child
        [ -z "$server_child" ] || kill -CONT $server_child
        [ -z "$psql_child" ] || [ -n "$psql_idle" ] || kill -INT "$psql_child"
        [ -z "$children" ] || kill -TERM $children
        [ -z "$children$parting" ] && [ -n "$psql_idle" ] || await_end "$children $psql_child"
        kill -KILL $children $psql_child
        wait $children $psql_child $server_child
    } 2>/dev/null || :
    children='' psql_child='' server_child=''
    tell_guard
}

# The client keeps our stdin open, and says so before it closes it to stop us. An end without that word is a connection that is
# lost, or a client that was killed.
watch_client() {
    meet_client
    [ -z "$watcher" ] || return 0
    exec 3<&0
    # In braces, or some shells would keep, to restore it later, what is closed here: and our client waits for its end.
    { listen_to_client; } >/dev/null 2>&1 4>&- 6>&- 9>&- &
    watcher=$!
}

listen_to_client() {
    word=
    while [ "$word" != stop ] && [ ! -e "$stop_file" ] && IFS= read -r word <&3; do :; done
    [ "$word" = stop ] || await_client
    stop_run $$
}

# The file stays, for a run that must not be stopped at the moment. Twice, as bash may sleep through a signal that comes
# right before it begins to wait.
stop_run() {
    printf '' >"$stop_file" || :
    kill -TERM "$1"
    kill -TERM "$1"
}

# A run that can be found again goes on, for somebody to come back and attend to it; it stops once nobody has for so long.
await_client() {
    is_reported "$fence" "$backup_dir/run.report" || return 0
    run_dir=$backup_dir/run.partial
    log_file=$backup_dir/$(manifest_value "$backup_dir/run.report" log)
    seconds_left=$reconnect_seconds
    exec 8>>"$backup_dir/run.report"
    while [ "$seconds_left" -gt 0 ] && [ ! -e "$stop_file" ] && kill -0 $$; do
        seconds_left=$((seconds_left - 1))
        if is_attended; then
            [ ! -e "$run_dir/alone" ] || note_attended
            seconds_left=$reconnect_seconds
        else
            [ -e "$run_dir/alone" ] || note_alone
        fi
        sleep 1
    done
}

# is_reported RUN FILE
is_reported() {
    [ -f "$2" ] && IFS= read -r first_line <"$2" && [ "$first_line" = "$1 begin lock" ]
}

# Whoever attends to the run shares the lock of its report, and the kernel drops it with them.
is_attended() {
    flock_status=0
    flock -n 8 || flock_status=$?
    [ "$flock_status" -ne 0 ] || flock -u 8
    [ "$flock_status" -eq 1 ]
}

note_alone() {
    date -u +%Y-%m-%dT%H:%M:%SZ >"$run_dir/alone"
    log "the client is gone: going on, and stopping in $reconnect_seconds s unless it comes back"
}

note_attended() {
    rm -f "$run_dir/alone"
    log "the client is back"
}

# Without `wait`, for the same reason as the guard is no child.
stop_watching() {
    [ -z "$watcher" ] || kill -KILL "$watcher" 2>/dev/null || :
}

watch_client_again() {
    stop_watching
    watcher=
    watch_client
}

# Outside the database, as its own record of a restore goes with the restore.
audit() {
    printf '%s %s %s into %s on %s by %s way=%s bytes=%s seconds=%s safety=%s lost=%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" \
        "${archive##*/}" "$db_name" "$db_host" "$client" "$way" "$(size_of "$file")" "${restore_seconds:-}" "$published" "${lost:-}" \
        >>"$backup_dir/restores" || log "WARNING: $backup_path/restores could not be written"
    audited=yes
}

outcome() {
    pairs time "$(date -u +%Y-%m-%dT%H:%M:%SZ)" code "$1" step "$step" reason "$(one_line "$reason")" remedy "$(one_line "$remedy")"
    [ -z "$alone_since" ] || pairs client_gone_since "$alone_since"
    [ -z "$is_cut_off" ] || pairs cut_off yes
    [ -z "$problems" ] || printf '%s' "$problems" | tr "$orders" "$blanks" | sed 's/^/problem=/'
}

status_lines() {
    result=failure
    case $task in
        restore) achieved=$restored ;;
        *) achieved=$published ;;
    esac
    [ -z "$achieved" ] || [ -n "$deferred" ] || [ "$task,$shrunk" = predeploy,yes ] || result=success
    [ -z "$deferred" ] || set -- 13 # until the client tells otherwise
    pairs result "$result" task "$task"
    pairs archive "$achieved" proof "$proved" rotation "$rotation"
    [ "$task" != restore ] || pairs way "${way:-}" seconds "${restore_seconds:-}" safety "$published" lost "${lost:-}"
    outcome "$1"
    pairs log "${log_file##*/}"
}

# A status that cannot be written must not go on telling of the run before.
write_status() {
    status=$(status_lines "$1")
    if ! write_new "$backup_dir/status.partial" "$status$newline" ||
        ! mv -f "$backup_dir/status.partial" "$backup_dir/status"; then
        rm -f "$backup_dir/status.partial" "$backup_dir/status"
    fi
}

# What will stand there if this run comes to no end of its own.
write_interim_status() {
    [ -n "$keeps_status" ] || return 0
    reason=$1
    write_status 1
    reason=
}

tell_outcome() {
    tell_client "$newline$fence begin result"
    tell_client "$(outcome "$1")"
    tell_client "$fence end result"
}

# A command of ours that fails ends the run at once. What can be the matter with all of them is the directory that they write in.
find_reason() {
    code=1
    reason="the step $step ended unexpectedly"
    [ -n "$log_file" ] || return 0
    if ! is_in_place || { [ -n "$run_dir" ] && [ ! -d "$run_dir" ]; }; then
        reason="$backup_path was removed, or is another now: the step $step ended" remedy="see who has done that"
    elif ! write_new "$backup_dir/status.partial" "$fence$newline"; then
        reason="nothing can be written in $backup_path: the step $step ended" remedy="look at its free space, its free inodes and its permissions"
    else
        rm -f "$backup_dir/status.partial"
        return 0
    fi
    case $step in
        lock | psql | programs | preflight | place) code=10 ;;
        dump | publish) code=12 ;;
        verify | drill) code=13 ;;
    esac
}

# Every way out leads through here: nothing unfinished stays, the outcome is recorded and told.
finish() {
    code=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    stop_watching
    stop_children
    if [ "$code" -eq 0 ] && [ -n "$verdict" ]; then
        code=$verdict reason=$verdict_reason remedy=$verdict_remedy
    fi
    [ "$code" -eq 0 ] || [ -n "$reason" ] || find_reason
    if [ -n "$at_end" ]; then
        "$at_end"
        stop_children
    fi
    [ -z "$partial" ] || rm -f "$partial"
    [ ! -f "$run_dir/alone" ] || alone_since=$(cat "$run_dir/alone")
    [ -z "$run_dir" ] || rm -rf "${run_dir:?}"
    if [ -n "$log_file" ]; then
        if [ "$code" -eq 0 ]; then log "$task: done"; else log "$task: exit code $code: $reason"; fi
        [ -z "$audited" ] || [ -n "$restored" ] || audit "did not restore"
        [ -z "$keeps_status" ] || write_status "$code"
    fi
    tell_outcome "$code"
    exit "$code"
}

interrupted() {
    if [ -n "$starting" ]; then
        interrupt=yes
        return 0
    fi
    trap '' INT TERM HUP # a second one would end the way out in its middle
    [ -z "$overtime" ] || [ ! -e "$run_dir/overtime" ] || "$overtime"
    [ -z "$restored" ] ||
        die 130 "interrupted, or cut off from the client, after the end of the restore" "what was asked for of $restored is done"
    die 130 "interrupted, or cut off from the client" "nothing unfinished is left on the host; run it again"
}

# Whether a file's name could be one that we have made: PREFIX-STAMP followed by one of these ends.
is_ours() {
    case $1 in [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) return 1 ;; esac
    case $1 in *-$stamp_glob"$2") ;; *) return 1 ;; esac
}

# The first value of a key, without a program: each would cost a millisecond, and there are many manifests.
manifest_value() {
    while IFS= read -r line; do
        case $line in "$2="*) printf '%s' "${line#*=}" && return ;; esac
    done <"$1" || :
}

# rewrite_manifest KEY LINES CODE REASON: these lines instead of those whose key begins so. It is replaced as a whole, or
# stays as it is and the run ends. Only who holds the lock may do it.
rewrite_manifest() {
    lines=$(
        grep -v "^$1" "$manifest"
        [ -z "$2" ] || printf '%s\n' "$2"
    )
    if ! printf '%s\n' "$lines" >"$run_dir/manifest" || ! to_disk "$run_dir/manifest" || ! mv -f "$run_dir/manifest" "$manifest"; then
        die "$3" "$4" "look at free space and permissions of $backup_path"
    fi
}

# A look at the checksum alone does not take back what a better proof has shown.
better_grade() {
    best=
    for grade in written read restored equal; do
        case $grade in "$1" | "$2") best=$grade ;; esac
    done
    printf '%s' "$best"
}

# record GRADE. What lies elsewhere is not ours to change.
record() {
    case $archive in /* | \~/*) return 0 ;; esac
    rewrite_manifest proof "$(pairs proof "$1" proof_time "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" 13 "the proof of $archive ($1) could not be recorded"
}

# From here on, names are the bytes that they are: in SQL_ASCII they may be in no encoding at all, and others have characters that
# UTF-8 has not.
talk_in_bytes() {
    [ "$client_encoding" != SQL_ASCII ] || return 0
    client_encoding=SQL_ASCII
    if [ -n "$psql_child" ]; then
        close_psql
        use_psql "$psql_program"
    fi
}

# Thousands of tables make thousands of lines, of interest only to who restores.
without_rows() {
    sed -e '/^rows=/d' -e '/^content=/d' -e '/^role=/d' -e '/^role_encoded=/d' -e '/^installed=/d' -e '/^given=/d' -e '/^setting_/d' "$1"
}

# tells KEY TEXT: whether a line of it is of that key. What decides is not left to a pipeline, which ends well though what
# it begins with was killed, and tells less.
tells() {
    case $newline$2 in *"$newline$1="*) ;; *) return 1 ;; esac
}

# For a pipeline to awk, which demands the last line: so it knows that nothing was killed before it came to its end.
list_backup_dir() {
    ls_status=0
    [ ! -d "$backup_dir" ] || ls -ln -- "$backup_dir/" || ls_status=$?
    echo "listed=$ls_status"
}

size_of() {
    set -- "$(ls -ln -- "$1")"
    # shellcheck disable=SC2086 # splitting into columns is the purpose; the names of archives hold no blanks
    set -- $1
    printf '%s' "$5"
}

# A clock that was set back meanwhile has no number to tell; what is not one would make a manifest unreadable.
seconds_since() {
    elapsed=$(($(date +%s) - $1))
    [ "$elapsed" -ge 0 ] || elapsed=0
    printf '%s' "$elapsed"
}

# What is there of a path: itself, or what would hold it.
there() {
    set -- "$1"
    while [ ! -e "$1" ] && [ ! -L "$1" ] && [ "$1" != / ]; do
        set -- "${1%/*}"
        [ -n "$1" ] || set -- /
    done
    printf '%s' "$1"
}

# free_bytes [DIRECTORY]
free_bytes() {
    # From the right, as names of file systems may hold blanks: … available, %, mount point.
    free_kilobytes=$(df -Pk -- "$(there "${1:-$backup_dir}")" | sed -n '$s/^.* \([0-9][0-9]*\)  *[0-9][0-9]*%.*$/\1/p')
    printf '%s' "$((${free_kilobytes:-0} * 1024))"
}

shell_name() {
    readlink "/proc/$$/exe" || printf 'shell unknown'
}

absolute() {
    case $1 in
        /*) printf '%s' "$1" ;;
        \~) printf '%s' "$HOME" ;;
        \~/*) printf '%s' "$HOME/${1#??}" ;;
        *) printf '%s' "$HOME/$1" ;;
    esac
}

# A sync that cannot take single files ignores them and syncs everything.
to_disk() {
    sync "$@"
}

# The lines of ls for all that leads to a path, but for its own: each directory, and each link with what it leads to.
list_way() {
    rest=${1#/} place='' links=0
    set -- /
    while [ -n "$rest" ]; do
        part=${rest%%/*}
        rest=${rest#"$part"}
        rest=${rest#/}
        case $part in
            '' | .) ;;
            ..) place=${place%/*} ;;
            *)
                if [ -L "$place/$part" ]; then
                    set -- "$@" "$place/$part"
                    links=$((links + 1))
                    [ "$links" -le 40 ] || return 1
                    target=$(readlink "$place/$part") || return 1
                    case $target in /*) place= ;; esac
                    rest=$target/$rest
                else
                    place=$place/$part
                    [ -e "$place" ] || break
                    [ -z "$rest" ] || set -- "$@" "$place"
                fi
                ;;
        esac
    done
    ls -ldn -- "$@"
}

# judge MODE LINKS OWNER …, as ls tells them: sets `unsafe` where others could put another in the place of what is there, or of
# what is in it. In a sticky directory they cannot touch what is ours.
judge() {
    case $#,${1-} in [0-8],* | *,[!dl]*) return 0 ;; esac
    entry_mode=$1 entry_owner=$3
    shift 8
    case $entry_owner in
        "$uid" | 0) ;;
        *) unsafe="$* belongs to another user ($entry_owner)" safer="choose a BACKUP_DIR below what belongs to you or to root" ;;
    esac
    case $entry_mode in
        l* | d????????[tT]*) ;;
        d????w* | d???????w*) unsafe="others may write to $* ($entry_mode)" safer="chmod go-w '$*', or choose another BACKUP_DIR" ;;
    esac
}

judge_way() {
    unsafe='' uid=$(id -u)
    leading=$(list_way "$1" 2>/dev/null) || unsafe="the way to it cannot be followed" safer="choose another BACKUP_DIR"
    IFS=$newline
    set -f
    for each in $leading; do
        unset IFS
        # shellcheck disable=SC2086 # splitting into columns is the purpose
        judge $each
    done
    set +f
    unset IFS
}

is_in_place() {
    [ . -ef "$backup_path" ]
}

# From here on files are named from within the directory: whoever renames it afterwards cannot give us another.
enter_directory() {
    cd -- "$backup_path" 2>/dev/null && is_in_place || return 1
    backup_dir=. stop_file=./run.partial/stop.$fence
}

# For a run that only reads. What cannot be entered cannot be read either.
open_directory() {
    [ "$backup_dir" != . ] && [ -d "$backup_dir" ] || return 0
    # Itself, too.
    judge_way "$backup_path/."
    enter_directory || return 0
    [ -z "$unsafe" ] || die 10 "BACKUP_DIR $backup_path is not safe to use: $unsafe" "$safer"
}

is_plain() {
    [ -f "$1" ] && [ ! -L "$1" ]
}

# write_new FILE TEXT: into a file that is made for it, whatever is there by that name.
write_new() {
    if [ -e "$1" ] || [ -L "$1" ]; then rm -f -- "$1" 2>/dev/null || :; fi
    set -C
    written=0
    printf '%s' "$2" 2>/dev/null >"$1" || written=$?
    set +C
    return "$written"
}

backup_dir=$(absolute "$backup_dir")
backup_path=$backup_dir
stop_file=$backup_dir/run.partial/stop.$fence

trap '' PIPE
trap interrupted INT TERM HUP
trap finish EXIT
began_seconds=$(date +%s)
