# Files and their sizes.

# Whether a file's name could be one that we have made: PREFIX-STAMP followed by one of these ends.
is_ours() {
    case $1 in [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) return 1 ;; esac
    case $1 in *-$stamp_glob"$2") ;; *) return 1 ;; esac
}

# Input of awk, which demands the last line: so awk knows that the program before it was not killed half-way.
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

# Print the path itself if it is there, else the nearest directory above it that is there.
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

is_plain() {
    [ -f "$1" ] && [ ! -L "$1" ]
}

# write_new FILE TEXT: make a new file for this text, whatever is there by that name.
write_new() {
    if [ -e "$1" ] || [ -L "$1" ]; then rm -f -- "$1" 2>/dev/null || :; fi
    set -C
    written=0
    printf '%s' "$2" 2>/dev/null >"$1" || written=$?
    set +C
    return "$written"
}
