#!/bin/sh
# Try a login as cron has it: with no password but one of ~/.pgpass. It asks the database for nothing but the number of the session.
# after programs: found
# after psql: target_host target_port only_ask
# tells: login said
die_of_problems

# A pooler may refuse options, and whoever asks so little needs none.
log_in() {
    db_password=
    pooled_at="$target_host $target_port"
    opening=$only_ask
    unset PGPASSFILE # which startup files may set, and cron reads none
    session "${program#* }/psql" </dev/null
}

program=${found%%"$newline"*}
if said=$(log_in 2>&1); then
    fact login yes
else
    facts login no said "$(one_line "$said")"
fi
