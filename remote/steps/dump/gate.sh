#!/bin/sh
# Let only those pass whose data is there as it was before, or who accept that it is not. The archive stays.
: "${shrunk?}" "${published:?}" # from shrink and publish

if [ -n "$shrunk" ]; then
    problems=$losses$newline
    die 14 "much is gone that was in the archives before, so this is no state to deploy on; $published holds what there is" \
        "find out where it went: the archives before have it, and none was removed; if it is meant to be so, once with --accept-shrink (predeploy or backup)"
fi
