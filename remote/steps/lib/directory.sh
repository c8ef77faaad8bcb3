# BACKUP_DIR: nobody else may put another in its place, or in the place of what is in it.

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
