#!/bin/sh
# Find PostgreSQL's programs and one for checksums.
: "${db_bin_dir?}"
# tells: checksum found
# fails: 10
# shows: looking for programs

version_of() {
    set -- "$("$1" --version 2>/dev/null)" || :
    # shellcheck disable=SC2086 # splitting into words is the purpose: pg_dump (PostgreSQL) 15.18 …
    set -- $1
    printf '%s' "${3-}"
}

# One line for each directory that holds all three programs: version, directory.
consider() {
    for program in pg_dump pg_restore psql; do
        [ -x "$1/$program" ] || return 0
    done
    # Debian's wrapper chooses a version by rules of its own; what it chooses from is found below.
    case $(readlink "$1/pg_dump") in *pg_wrapper) return 0 ;; esac
    program_version=$(version_of "$1/pg_dump")
    [ -z "$program_version" ] || found="$found$program_version $1$newline"
}

find_programs() {
    found=
    if [ -n "$db_bin_dir" ]; then
        consider "$(absolute "$db_bin_dir")"
        return
    fi
    IFS=:
    set -f
    # shellcheck disable=SC2086 # splitting at the colons is the purpose
    set -- $PATH
    set +f
    unset IFS
    for directory; do
        consider "${directory:-.}"
    done
    for directory in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql*/bin /opt/postgresql*/bin \
        /opt/*/postgresql*/bin /opt/cpanel/*/root/usr/bin /usr/local/opt/postgresql*/bin; do
        consider "$directory"
    done
}

# choose_programs MAJOR: the oldest that are not older than MAJOR. Older ones refuse a server or an archive; newer
# ones write archives that the server may refuse to take back.
choose_programs() {
    bin_dir=
    IFS=$newline
    set -f
    for program in $found; do
        major=${program%%[!0-9]*}
        [ "$major" -ge "$1" ] || continue
        [ -z "$bin_dir" ] || [ "$major" -lt "$client_major" ] || continue
        client_major=$major client_version=${program%% *} bin_dir=${program#* }
    done
    set +f
    unset IFS
}

# Each of our conversations holds some, and psql and pg_dump need as many again.
fewest_files=32
# shellcheck disable=SC3045 # dash, bash and busybox have it, and without it there is no limit to tell
files_limit=$(ulimit -n 2>/dev/null) || files_limit=unlimited
[ "$files_limit" = unlimited ] || [ "$files_limit" -ge "$fewest_files" ] ||
    problem "this account may open only $files_limit files at once (ulimit -n), and $fewest_files are needed" \
        "take the line that lowers it out of the account's startup files, or ask the host to raise it" shell
checksum_program=
for program in "sha256sum" "shasum -a 256" "openssl dgst -sha256 -r"; do
    [ -n "$checksum_program" ] || ! command -v "${program%% *}" >/dev/null || checksum_program=$program
done
[ -n "$checksum_program" ] ||
    problem "there is no program for checksums" "ask the host for sha256sum, shasum or openssl" tools
find_programs
bin_dir=
[ -n "$found" ] ||
    problem "pg_dump, pg_restore and psql were not found together${db_bin_dir:+ in $db_bin_dir}" \
        "install PostgreSQL's client programs on the host, or set DB_BIN_DIR to where they are" programs
looked checksum "$checksum_program" found "$(one_line "${found%"$newline"}")"
