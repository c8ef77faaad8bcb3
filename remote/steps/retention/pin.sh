#!/bin/sh
# Pin an archive, so that rotation leaves it alone, or take its pin away.
: "${archive:?}" "${pin?}"
# tells: changed
die_of_problems # which lock may have left
: "${run_dir:?}"

base=$backup_dir/${archive%.dump}
manifest=$base.manifest
# Another run may have removed it since it was chosen.
is_ours "$archive" .dump && [ -f "$base.dump" ] && [ -f "$manifest" ] ||
    die 14 "$archive is not there any more" "choose another: fab history"
changed=no
if [ "$(manifest_value "$manifest" pinned)" != "$pin" ]; then
    if [ -n "$pin" ]; then
        rewrite_manifest pinned= pinned=yes 16 "$archive could not be pinned"
        log "pinned $archive"
    else
        rewrite_manifest pinned= '' 16 "$archive could not be unpinned"
        log "unpinned $archive"
    fi
    changed=yes
fi
fact changed "$changed"
