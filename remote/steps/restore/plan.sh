#!/bin/sh
# Tell what a restore would meet and change: rows then and now, and who is in the way.
: "${plan_sql:?}" "${sessions_sql:?}"
# after psql: heard
# after archive: bin_dir manifest
# tells: now session there
# shows: counting rows

: "${run_dir:?}"

grep '^rows=' "$manifest" || [ $? -eq 1 ]
# Of tables of extensions, as `rehearse` has found them.
sed -n 's/^content=config_rows:/config_then=/p' "$manifest"
sed -n 's/^content=config_rows:/config_now=/p' "$run_dir/configured"
use_psql "$bin_dir/psql"
tell_psql "$plan_sql"
start_over
tell_psql "$sessions_sql"
hear_psql || die 10 "the connection to the database broke while its rows were counted: $(psql_words)" "mend what the database says above, and run it again"
printf '%s' "$heard"
# Earlier restores tell how fast they are here: seconds and bytes.
[ ! -f "$backup_dir/restores" ] || sed -n 's/^[^ ]* restored .* bytes=\([0-9][0-9]*\) seconds=\([0-9][0-9]*\) .*$/earlier=\1 \2/p' "$backup_dir/restores" | tail -n 5
