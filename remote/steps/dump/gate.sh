#!/bin/sh
# Let only those pass whose data is there as it was before, or who accept that it is not. The archive stays.
# after shrink: losses

if [ -n "$shrunk" ]; then
    problems=$losses$newline
    die 14 "the database holds much less than in earlier archives, so the deploy is stopped; the archive $published was kept" \
        "find out where the rows went: the earlier archives have them, and none was removed; if the loss is intended, run it once with --accept-shrink (predeploy or backup)"
fi
