#!/bin/sh
# Find the archive that the steps after this one read, what is on record of it, and the programs that can read it.
: "${archive:?}" "${recorded?}"
# needs: _listing
# after programs: bin_dir client_version found
# tells: file relations
die_of_problems # which lock and programs may have left
: "${run_dir:?}"

# One of ours has its sidecars. A file from elsewhere may have some; what it says of itself stands in for the rest.
locate() {
    case $archive in
        /* | \~/*)
            file=$(absolute "$archive")
            [ ! -d "$file" ] || die 14 "$file is a directory" "name a file that pg_dump --format=custom has written"
            [ -f "$file" ] || die 14 "there is no file $file on the host" "see what is there: fab history"
            ;;
        *)
            file=$backup_dir/$archive
            for part in "$file" "${file%.dump}.manifest" "$file.sha256"; do
                [ -f "$part" ] || die 13 "${part##*/} is not there" "choose another archive, or take one"
            done
            ;;
    esac
    manifest=${file%.dump}.manifest
    [ -f "$manifest" ] || manifest=/dev/null
}

no_reader() {
    die 10 "$archive was written by $1; the programs here are older: $(one_line "$found")" \
        "set DB_BIN_DIR to where the programs of that version are on the host"
}

# choose_reader MAJOR VERSION: a newer pg_restore reads what an older pg_dump has written, not the other way round.
choose_reader() {
    choose_programs "$1"
    [ -n "$bin_dir" ] || no_reader "pg_dump $2"
}

newest_major() {
    newest_major=0
    IFS=$newline
    for program in $found; do
        [ "${program%%[!0-9]*}" -le "$newest_major" ] || newest_major=${program%%[!0-9]*}
    done
    unset IFS
    printf '%s' "$newest_major"
}

# header NAME: a line of the comment in front of the table of contents.
header() {
    sed -n "s/^;  *$1:\{0,1\} *//p" "$run_dir/toc" | head -n 1
}

# The number of the format is the seventh byte; of one that is newer than they are, programs cannot tell who wrote it.
check_format() {
    start_of_file=$(head -c 7 "$file")
    case $1,$start_of_file in
        14,PGDMP?? | 15,PGDMP??) newest_format=14 ;;
        16,PGDMP??) newest_format=15 ;;
        17,PGDMP?? | 18,PGDMP??) newest_format=16 ;;
        *) return 0 ;;
    esac
    [ "$(printf '%d' "'${start_of_file#PGDMP?}")" -le "$newest_format" ] || no_reader "a newer pg_dump"
}

# What the manifest would tell, of one that has none.
tell_header() {
    newest=$(newest_major)
    check_format "$newest"
    choose_reader "$newest" "another version"
    list_entries
    archive_client=$(header 'Dumped by pg_dump version')
    facts database "$(header dbname)" created "$(header 'Archive created at')"
    facts client_version "$archive_client" server_version "$(header 'Dumped from database version')"
    fact bytes "$(size_of "$file")"
}

# read_encoding: in which encoding its names are written, and whether ours told them so when it was taken.
read_encoding() {
    [ "$(manifest_value "$manifest" names_in_bytes)" != yes ] || talk_in_bytes
    archive_encoding=$(manifest_value "$manifest" encoding)
    if [ -z "$archive_encoding" ]; then
        start "$bin_dir/pg_restore" --schema-only --use-list=/dev/null --file="$run_dir/header" "$file" 2>/dev/null
        finished $!
        [ ! -f "$run_dir/header" ] || archive_encoding=$(sed -n "s/^SET client_encoding = '\([A-Za-z0-9_]*\)';\$/\1/p" "$run_dir/header")
    fi
    case $archive_encoding in '' | *[!A-Za-z0-9_]*) archive_encoding=UTF8 ;; esac
}

locate
case $file in ./*) fact file "$backup_path/$archive" ;; *) fact file "$file" ;; esac
archive_client=$(manifest_value "$manifest" client_version)
if [ -n "$archive_client" ]; then tell_client "$(without_rows "$manifest")"; else tell_header; fi
choose_reader "${archive_client%%[!0-9]*}" "$archive_client"
read_encoding
fact reader_version "$client_version"
