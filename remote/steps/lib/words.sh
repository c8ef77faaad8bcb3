# What a run says: facts for the client, lines of the log, problems, and the reason for its end.

# What a terminal would obey: all control characters but tab and line break. As many blanks take their place.
orders=$(printf '\001\002\003\004\005\006\007\010\013\014\015\016\017\020\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037\177')
blanks='                              '

# make_harmless TEXT: sets `harmless`, and keeps the line breaks. For a short text the shell is faster than a program. The
# fence at the end shows that the program was not killed before it had written everything.
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

# Send these lines to the client. Keep them in the report, too, for a client that has lost its connection and comes back
# (`attend`). If one of the two fails, the run goes on.
tell_client() {
    make_harmless "$1"
    printf '%s\n' "$harmless" 2>/dev/null || exec >/dev/null
    [ -z "$report" ] || printf '%s\n' "$harmless" 2>/dev/null >>"$report" || drop_report
}

# Delete the report: a report with missing lines would be worse than no report.
drop_report() {
    rm -f "$report"
    report=
}

# begin STEP [CODE]: with which the run ends where a command of ours fails in that step.
begin() {
    step=$1 fails=${2-1}
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

# Like `facts`, but print the pairs, for a file, instead of sending them to the client.
pairs() {
    while [ $# -gt 1 ]; do
        printf '%s=%s\n' "$1" "$2"
        shift 2
    done
}

# Facts that only a run that looks (doctor) has to tell.
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

# Pass on what a program has written to its stderr, once the program has ended. Of a very long text, only beginning and end.
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
    problems="$problems$(one_line "$1")$tab$(one_line "$2")$newline"
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
