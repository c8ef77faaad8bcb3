#!/bin/sh
# Choose where the test restore is to be, see that there is room for it, and begin to make it.
: "${drill?}" "${drill_db?}" "${most_bytes?}" "${here_major?}"
# after lock:
# after psql: db_name db_port db_user heard pooled_at
# after programs: bin_dir client_major client_version
# perhaps after preflight: database_bytes need_bytes server_major
# perhaps after archive: archive manifest
# tells: unplaced
# fails: 10
die_of_problems # which earlier steps may have left
: "${run_dir:?}"

# What a server of its own takes beside the database: three empty ones, and what it writes ahead.
server_bytes=201326592
# All that goes into a live server is written ahead as well, of which it keeps as much by default.
most_wal_bytes=1073741824

# Each says with `closed` what it lacks.
open_cluster() {
    closed=
    if [ "$(id -u)" = 0 ]; then
        closed="PostgreSQL's server does not run as root"
    elif [ ! -x "$bin_dir/initdb" ] || [ ! -x "$bin_dir/postgres" ]; then
        closed="there are no initdb and postgres beside $bin_dir/pg_restore"
    else
        look_for_extensions
    fi
}

# What is dumped needs its extensions in that place. An archive of an earlier release does not tell of them.
list_extensions() {
    if [ -n "${archive-}" ]; then
        sed -n -e 's/^installed="\(.*\)" in .*/\1/p' -e 's/^installed=\([^" ]*\) in .*/\1/p' "$manifest" | sed -e '/  /d' -e 's/""/"/g' # two blanks may stand for a line break
    else
        use_psql "$bin_dir/psql"
        tell_psql "SELECT extname FROM pg_extension WHERE extname !~ '[[:cntrl:]]' ORDER BY extname;"
        hear_psql || die 10 "the database did not answer: $(psql_words)" "mend what the database says above, and run it again"
        printf '%s' "$heard"
    fi
}

# initdb knows where the programs beside it look for extensions. Where it does not tell, the test restore itself will.
look_for_extensions() {
    "$bin_dir/initdb" --show --pgdata="$run_dir/none" >"$run_dir/initdb" 2>&1 </dev/null || return 0
    share=$(sed -n 's/^share_path=//p' "$run_dir/initdb")
    [ -d "$share/extension" ] || return 0
    list_extensions >"$run_dir/extensions_wanted"
    while IFS= read -r line; do
        [ -e "$share/extension/$line.control" ] || closed="$closed${closed:+, }$line"
    done <"$run_dir/extensions_wanted"
    [ -z "$closed" ] || closed="the programs in $bin_dir lack these extensions of the database: $closed"
}

open_database() {
    closed=
    if [ "$client_major" -ge 17 ] && [ "$server_major" -lt 17 ]; then
        closed="pg_restore $client_version restores by itself only into servers from 17 on, this one is $server_major"
        return
    fi
    if [ -n "$pooled_at" ]; then
        closed="DB_PORT $db_port is a pooler, which passes on no settings: name the server's own port"
        return
    fi
    [ "$drill_db" != "$db_name" ] || die 10 "BACKUP_DRILL_DB names the live database" "name another database, which is empty: a test restore overwrites it"
    use_psql "$bin_dir/psql"
    tell_psql "SELECT (rolcreatedb OR rolsuper)::text || ' ' || pg_backend_pid() FROM pg_roles WHERE rolname = current_user;"
    hear_psql || die 10 "the database did not answer: $(psql_words)" "mend what the database says above, and run it again"
    if [ -z "$drill_db" ] && [ "${heard%% *}" != true ]; then
        closed="$db_user may not create databases, and BACKUP_DRILL_DB names no empty one"
        return
    fi
    serves_us=${heard#* }
    find_closed_extensions
    [ -z "$closed" ] || return 0
    serves_us=${serves_us%"$newline"}
    is_number "$serves_us" || die 10 "$(odd_answer "number of the session" "$serves_us")" "see which server it is"
    find_data "$serves_us"
    [ -n "$data_dir" ] || [ -n "$drill" ] ||
        closed="nobody can tell how much room there is for it: where the server of $db_name keeps its data is not to be seen from the host (BACKUP_DRILL=database restores there all the same)"
}

# In an empty database, a superuser may have made them already.
find_closed_extensions() {
    [ -z "$drill_db" ] || return 0
    tell_psql "SELECT quote_ident(extname) FROM pg_extension WHERE extname <> 'plpgsql' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND rolsuper) AND NOT EXISTS (SELECT FROM pg_available_extension_versions v WHERE v.name = extname AND (v.trusted OR NOT v.superuser)) ORDER BY extname;"
    hear_psql || die 10 "the database did not answer: $(psql_words)" "mend what the database says above, and run it again"
    [ -z "$heard" ] || closed="$db_user may not create these extensions in a new database: $(one_line "$heard")"
}

# find_data PID: where the server keeps its data, which it tells but few roles. If it is on this machine, the process that
# serves us is here by that number, and the one that started it was told the directory.
find_data() {
    data_dir=
    case $(tr '\0' ' ' <"/proc/$1/cmdline") in postgres:*"$db_user $db_name "*) ;; *) return 0 ;; esac 2>/dev/null
    server_pid=$(sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$1/status") || return 0
    tr '\0' '\n' <"/proc/${server_pid:-0}/cmdline" >"$run_dir/server" 2>/dev/null || return 0
    data_dir=$(sed -n -e '/^-D$/{n;p;q;}' -e 's/^-D//p' -e 's/^--pgdata=//p' "$run_dir/server")
    case $data_dir in /*) ;; *) data_dir= ;; esac
    [ -z "$data_dir" ] || is_in_sight "$data_dir" || data_dir=
}

# is_in_sight DIRECTORY: what we can get to of it is on the same file system, as none is mounted behind that.
is_in_sight() {
    reached=$(there "$1")
    while read -r _ mounted _; do
        case $1/ in
            "$mounted"/*) case ${reached%/}/ in "$mounted"/*) ;; *) return 1 ;; esac ;;
        esac
    done <"/proc/$$/mounts"
}

choose_place() {
    refusals=
    for place in ${drill:-cluster ${needs_place:+database}}; do
        "open_$place"
        [ -n "$closed" ] || return 0
        refusals="$refusals${refusals:+; }$place: $closed"
    done
    if is_possible_here; then die 10 "there is no place for a test restore: $refusals" "make it on the machine that runs fab"; fi
    without_place "there is no place for a test restore: $refusals" \
        "install PostgreSQL's server programs, and the extensions of the database, on the host; let the role create databases; or set BACKUP_PROOF=read"
}

# The client then asks for a run in which the machine that runs fab makes the test restore.
is_possible_here() {
    [ -z "$needs_place" ] && [ "$here_major" -ge "$client_major" ]
}

# Where the test restore is chosen for its own sake, as the proof `auto` does, the archive is good without a test restore, too.
without_place() {
    [ -z "$needs_place" ] || die 10 "$1" "$2"
    place='' unplaced=$1
    fact unplaced "$(one_line "$1")"
}

say_what_auto_means() {
    if [ -n "$place" ]; then
        log "BACKUP_PROOF=auto: the archive will be proven by a test restore, in a $place of its own (grade restored)"
    else
        log "BACKUP_PROOF=auto: the archive will be proven readable, without a test restore (grade read): $unplaced"
    fi
}

open_runner() {
    closed="BACKUP_DRILL=runner: PostgreSQL's server programs from $client_major on are not on the machine that runs fab"
}

is_small_enough() {
    [ -n "$needs_place" ] || [ "$wanted_bytes" -le "$most_bytes" ] || without_place "the database has $wanted_bytes bytes, and BACKUP_DRILL_MAX allows $most_bytes"
}

# Beside the dump to come. Of an archive, as large as its database was; of a dump to come, as it is now.
scratch_bytes() {
    wanted_bytes=${database_bytes-}
    case ${archive-} in ?*) wanted_bytes=$(manifest_value "$manifest" database_bytes) ;; esac
    case $wanted_bytes in '' | *[!0-9]* | ????????????????*) die 13 "the manifest of $archive does not say how large its database was" "choose another archive, or verify this one with --proof=read" ;; esac
}

check_scratch_room() {
    room_dir=$backup_dir room_path=$backup_path
    more_bytes=$server_bytes
    if [ "$place" = database ]; then
        room_dir=$data_dir room_path=$data_dir
        more_bytes=$((wanted_bytes < most_wal_bytes ? wanted_bytes : most_wal_bytes))
    fi
    scratch_need_bytes=$((wanted_bytes + wanted_bytes / 10 + more_bytes + ${need_bytes:-0}))
    if [ -z "$room_dir" ]; then
        log "WARNING: the test restore will take about $scratch_need_bytes bytes of the live server's disk, and this host does not show how many bytes are free there: make sure that there is room"
        return
    fi
    present_bytes=$(free_bytes "$room_dir")
    [ "$present_bytes" -ge "$scratch_need_bytes" ] ||
        without_place "too little space for a test restore in $room_path: $present_bytes bytes free, about $scratch_need_bytes needed" \
            "free some, choose another BACKUP_DIR, or another place with BACKUP_DRILL"
}

# The path of a socket has room for 107 bytes. Where ours is longer, a link in a directory of our own leads to it. The directory is
# on record before it is there, so that the next run finds what a killed one has left.
make_socket_directory() {
    socket_dir=$(cd "$cluster" && pwd -P)
    [ "${#socket_dir}" -gt 85 ] || return 0
    by_way=$(mktemp -u /tmp/predeploy.XXXXXX)
    ln -s "$by_way" "$cluster/socket"
    { mkdir -m 700 "$by_way" && ln -s "$socket_dir" "$by_way/s"; } || die 10 "$by_way, the directory for the socket of the test server, could not be made" "look at free space and permissions of /tmp on the host"
    socket_dir=$by_way/s
}

# It takes a second, in which others of our programs run.
begin_cluster() {
    cluster=$run_dir/cluster
    mkdir "$cluster"
    at_end=end_cluster
    make_socket_directory
    start "$bin_dir/initdb" --pgdata="$cluster/data" --username=fabric_predeploy --auth=trust --no-sync --locale=C --encoding=SQL_ASCII \
        >"$cluster/initdb" 2>&1
    initdb_child=$!
    heed_signals
}

end_cluster() {
    end_server "$cluster"
    server_child=
    rm -rf "${cluster:?}"
    at_end=
}

needs_place=yes
[ -z "$most_bytes" ] || needs_place=''
if [ -n "$only_looks" ] && [ -z "$bin_dir" ]; then # the preflight has told why: there is nothing more to look at
    end
    exit 0
fi
: "${bin_dir:?}"
watch_client
scratch_bytes
place=any
is_small_enough
[ -z "$place" ] || choose_place
[ -z "$place" ] || check_scratch_room
[ "$place" != cluster ] || [ "$needs_place,$only_looks" = ,yes ] || begin_cluster
[ -n "$needs_place" ] || say_what_auto_means
fact place "$place"
