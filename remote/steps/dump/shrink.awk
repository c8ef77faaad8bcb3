# Compare the archive that a run has just made with recent good ones of its project, label and database, and say what of it
# has shrunk: the archive, the rows of a table, or all rows together.
#
# It follows manifests.awk. What is compared, and how many percent are too many to lose, is in the environment: see shrink.sh.
# The archive is held against the median of the last five: sizes are steady, and one that was odd does not matter. A table
# is held against the fewest rows that it had in them: queues and sessions come and go. Where it had none it was not filled
# yet, unless somebody has accepted just that. Archives that have shrunk do not count; one whose shrinking was accepted
# does, and none before it.

BEGIN {
    most = 5
    shown = 5
    fewest_lost["bytes"] = 100000
    fewest_lost["rows"] = 10
    percent["bytes"] = ENVIRON["shrink_bytes_percent"] + 0
    percent["rows"] = ENVIRON["shrink_rows_percent"] + 0
}

END {
    prefix = ENVIRON["project"] "-" ENVIRON["label"] "-"
    for (i = 1; i <= files; i++) {
        if (is_ours(listed[i]) && index(listed[i], prefix) == 1 && (manifest_of(listed[i]) in size)) order[++archives] = stamp_of(listed[i]) " " listed[i]
    }
    sort(order, archives)
    for (i = archives; i >= 1 && compared < most && !accepted; i--) consider(substr(order[i], 17))
    if (!compared) exit
    print "compared=" compared
    learn_present(ENVIRON["run_dir"] "/facts")
    if (percent["bytes"]) compare_bytes()
    if (percent["rows"]) compare_rows()
}

function stamp_of(name) {
    return substr(name, length(name) - 19, 15)
}

# Sorted by the time in their names, which is that of their manifests, so that only the newest need be read. One that is
# dated in the future, by a clock that was wrong, would be the newest for years.
function consider(name,    told, stamp) {
    if (!is_read(manifest_of(name), told) || !makes_sense(told)) return
    stamp = told["created"]
    gsub(/[-:Z]/, "", stamp)
    sub(/T/, "-", stamp)
    if (stamp != stamp_of(name) || seconds(told["created"]) > seconds(ENVIRON["created"]) + 300) return
    if (told["project"] != ENVIRON["project"] || told["label"] != ENVIRON["label"] || told["database"] != ENVIRON["db_name"]) return
    if (told["shrunk"] == "yes" || !(told["proof"] in rank) || number(told["bytes"]) != number(size[name])) return
    compared++
    accepted = told["shrink_accepted"] != ""
    # Compressed otherwise, it is of another size.
    if (told["compress"] == ENVIRON["compress"] && major(told["client_version"]) == major(ENVIRON["client_version"]))
        bytes[++sizes] = padded(told["bytes"])
    learn_rows(ENVIRON["backup_dir"] "/" manifest_of(name))
}

function major(version) {
    sub(/[^0-9].*/, "", version)
    return version
}

# So that they sort as text; busybox takes such a number for an octal one.
function padded(value) {
    return sprintf("%018.0f", value)
}

# Sets `rows` and `table`.
function is_count(line,    at) {
    if (index(line, "rows=") != 1) return 0
    at = index(line, " ")
    rows = substr(line, 6, at - 6)
    table = substr(line, at + 1)
    return is_number(rows)
}

# A table that could not be counted says nothing of what is gone. Without it, all rows together say nothing either.
function is_unknown(line) {
    if (index(line, "rows=unknown ") != 1) return 0
    table = substr(line, length("rows=unknown ") + 1)
    return 1
}

function learn_rows(file,    line, total, counted, partly) {
    while ((getline line < file) > 0) {
        if (is_unknown(line)) partly = 1
        if (!is_count(line)) continue
        counted = 1
        total += rows
        if (compared == 1) last[table] = rows + 0
        if ((rows + 0 || accepted) && (!(table in fewest) || rows + 0 < fewest[table])) fewest[table] = rows + 0
    }
    close(file)
    if (counted && !partly && (fewest_in_all == "" || total < fewest_in_all)) fewest_in_all = total + 0
}

function learn_present(file,    line) {
    while ((getline line < file) > 0) {
        if (is_unknown(line)) uncounted[table]
        if (!is_count(line)) continue
        present[table] = rows + 0
        in_all += rows
    }
    close(file)
}

function fell(kind, before, now) {
    return before - now >= fewest_lost[kind] && (before - now) * 100 >= before * percent[kind]
}

function compare_bytes(    usual) {
    if (!sizes) return
    sort(bytes, sizes)
    usual = number(bytes[int(sizes / 2) + 1]) + 0
    if (fell("bytes", usual, ENVIRON["bytes"] + 0)) print "lost=the archive has " ENVIRON["bytes"] " bytes instead of about " instead(usual, ENVIRON["bytes"])
}

function compare_rows(    each, count, lost, n, partly) {
    for (each in fewest) {
        if ((each in present) && fell("rows", fewest[each], present[each])) lost[++count] = padded(999999999999999 - fewest[each] + present[each]) " " each
    }
    sort(lost, count)
    for (n = 1; n <= count && n <= shown; n++) {
        each = substr(lost[n], 20)
        print "lost=" each " has " plain(present[each]) " rows instead of at least " instead(fewest[each], present[each])
    }
    if (count > shown) print "lost=and " (count - shown) " more tables have lost their rows"
    for (each in uncounted) partly = 1
    if (!count && !partly && fell("rows", fewest_in_all, in_all)) print "lost=all tables together have " plain(in_all) " rows instead of at least " instead(fewest_in_all, in_all)
    tell_gone()
}

# As a rule the deploy before has dropped or renamed them, or it was the turn of a partition.
function tell_gone(    each, count, gone, names, n) {
    for (each in last) if (!(each in present) && !(each in uncounted) && last[each] >= fewest_lost["rows"]) gone[++count] = each
    sort(gone, count)
    for (n = 1; n <= count && n <= shown; n++) names = names (n > 1 ? ", " : "") gone[n]
    if (count > shown) names = names " and " (count - shown) " more"
    if (count) print "gone=" names
}

function plain(value) {
    return sprintf("%.0f", value)
}

function instead(before, now) {
    return plain(before) " (-" int((before - now) * 100 / before) " %)"
}
