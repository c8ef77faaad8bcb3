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
only_looks='' verdict='' step='' log_file='' run_dir='' at_end='' partial='' published='' proved='' restored='' recorded='' audited='' reason='' remedy='' problems=''
children='' psql_child='' server_child='' psql_program='' psql_idle='' parting='' watcher='' guard='' starting='' interrupt='' fails=1 listed='' tells_no_state=''
rotation='not reached'
report='' reconnect_seconds=0 alone_since='' deferred=''
db_encoding=UTF8 archive_encoding=UTF8 client_encoding=UTF8
shrunk='' shrink_accepted='' overtime='' committing=''

newline='
'
tab='	'
# Names that the host's own programs made; anything else in the directory is not ours.
stamp_glob='[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]'
