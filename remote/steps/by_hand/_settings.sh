# Of `standalone`: whether its settings can be used. The rules are those of config/parsers.py; which rule holds for which
# setting, the table of settings says.

# What is wrong is not shown: it may be a secret in the wrong place.
must() {
    problem "$1" "must be $2"
}

line() {
    value_of "$1"
    case $value in *[[:cntrl:]]*) must "$1" "one line without control characters" ;; esac
    [ ${#value} -le 4096 ] || must "$1" "at most 4096 characters long"
}

# whole NAME MINIMUM MAXIMUM, as it is counted: without leading zeros, with which numbers would be octal.
whole() {
    value_of "$1"
    [ -n "$value" ] || return 0
    case $value in
        *[!0-9]* | ??????????*) value=-1 ;;
    esac
    while :; do
        case $value in 0?*) value=${value#0} ;; *) break ;; esac
    done
    if [ "$value" -ge "$2" ] && [ "$value" -le "$3" ]; then
        eval "$1=\$value"
    else
        must "$1" "a whole number from $2 to $3"
    fi
}

# name_part NAME LONGEST
name_part() {
    value_of "$1"
    case $value in
        [!A-Za-z0-9]* | *[!A-Za-z0-9._+-]*) value= ;;
    esac
    [ -n "$value" ] && [ ${#value} -le "$2" ] ||
        must "$1" "at most $2 characters, of the kind A-Z a-z 0-9 . _ + -, and begin with a letter or a digit"
}

# version_name NAME: what people call a version, made a name part: release/2024.1 becomes release-2024.1.
version_name() {
    line "$1"
    case $value in
        -* | *[[:cntrl:]]*) slug='' ;;
        [A-Za-z0-9]*[!A-Za-z0-9._+-]* | [!A-Za-z0-9]*) slug_of "$value" ;;
        *) slug=$value ;;
    esac
    if [ -n "$slug" ] && [ ${#value} -le 100 ]; then
        [ "$slug" = "$value" ] || version_note="the version $value is $slug in names"
        eval "$1=\$slug"
    else
        must "$1" "at most 100 characters, begin with no dash, and hold a letter or a digit"
    fi
}

# The end of the line becomes a dash, too.
slug_of() {
    slug=$(
        tr -c -s 'A-Za-z0-9._+' '-' <<END
$1
END
    )
    while :; do
        case $slug in [._+-]*) slug=${slug#?} ;; *-) slug=${slug%-} ;; *) break ;; esac
    done
}

# choice NAME VALUE...
choice() {
    value_of "$1"
    chosen=$1
    shift
    for each; do
        [ "$value" != "$each" ] || return 0
    done
    must "$chosen" "one of $*"
}

compression() {
    value_of "$1"
    case $value in
        '' | none | gzip:[1-9] | zstd:[1-9] | zstd:1[0-9] | zstd:2[0-2]) ;;
        *) must "$1" "zstd:1 to zstd:22, gzip:1 to gzip:9, or none" ;;
    esac
}

directory() {
    line "$1"
    case /$value/ in */../*) must "$1" "free of '..'" ;; esac
    case $value in
        '' | \~ | \~/*) return 0 ;;
        \~*) must "$1" "without ~user: only ~/ is expanded; write the absolute path" ;;
        /*)
            while :; do
                case $value in /*) value=${value#/} ;; ./*) value=${value#./} ;; *) break ;; esac
            done
            case $value in '' | .) must "$1" "another than the root directory" ;; esac
            ;;
    esac
}

# What `checks` holds are lines such as: whole DB_PORT 1 65535
check_settings() {
    version_note=
    eval "$checks"
    version_name BACKUP_VERSION
    case $password in *[[:cntrl:]]*) must DB_PASSWORD "one line without control characters" ;; esac
    [ -n "${HOME:-}" ] || problem "HOME" "must be set"
    [ -z "$problems" ] || die 2 "these settings cannot be used; nothing was touched" "correct them in the environment of this script, and run it again"
}
