# Read the manifests of a directory, for retention.awk and shrink.awk, which follow: stdin is its listing (ls -ln) with a
# last line on how that ended, and its path is in the environment.

BEGIN {
    whole = -1
    grades = split("written read restored equal", grade, " ")
    for (i = 1; i <= grades; i++) rank[grade[i]] = i
}

# Mode, links, owner, group, size, three for the time, name: ours hold no blanks, and are no links.
/^-/ && NF == 9 && substr($0, length($0) - length($9) - 1) ~ /^[^ ] [^ ]/ {
    if ($9 in size) size[$9] = "told twice"
    else size[listed[++files] = $9] = $5 ""
}

# 1: a file that another run has removed at that moment.
/^listed=[01]$/ {
    whole = NR
}

# Also of one that has refused at its beginning.
END {
    if (whole != NR) exit 3
}

function is_ours(name) {
    return name ~ /^[A-Za-z0-9][A-Za-z0-9._+-]*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]\.dump$/
}

function manifest_of(name) {
    sub(/dump$/, "manifest", name)
    return name
}

# To the last byte, and each line but warnings at most once; what has a line of ours is not one of ours.
function is_read(manifest, told,    file, line, at, key, read_bytes, status, once) {
    file = ENVIRON["backup_dir"] "/" manifest
    once = 1
    told["archive"] = told["present_bytes"] = ""
    while ((status = (getline line < file)) > 0) {
        read_bytes += length(line) + 1
        at = index(line, "=")
        key = substr(line, 1, at - 1)
        if (!at || key == "rows" || key == "content" || key ~ /^(role(_encoded)?|installed|given|needs)$/ || key == "warning" || key == "missing") continue
        if (key in told) once = 0
        told[key] = substr(line, at + 1)
    }
    close(file)
    return status == 0 && once && (read_bytes == size[manifest] + 0 || read_bytes - 1 == size[manifest] + 0)
}

# As strict as remote/catalog.py: an archive whose record cannot be trusted is not ours to touch.
function makes_sense(told) {
    return told["format"] == "1" && is_time(told["created"]) && is_number(told["bytes"]) \
        && length(told["sha256"]) == 64 && told["sha256"] !~ /[^0-9a-f]/ \
        && told["project"] != "" && told["label"] != "" && told["version"] != "" && told["database"] != "" && told["proof"] != "" \
        && is_flag(told, "pinned") && is_flag(told, "shrunk") \
        && is_amount(told, "database_bytes") && is_amount(told, "dump_seconds") \
        && is_amount(told, "relations") && is_amount(told, "toc_entries")
}

# One that is absent is one, too; as is a number below.
function is_flag(told, key) {
    return !(key in told) || told[key] == "yes" || told[key] == "no"
}

function is_amount(told, key) {
    return !(key in told) || is_number(told[key])
}

function is_number(text) {
    return text ~ /^[0-9]+$/ && length(text) <= 18
}

# As text: numbers of 18 digits are more than awk can tell apart.
function number(text) {
    sub(/^0+/, "", text)
    return text == "" ? "0" : text
}

function is_time(text) {
    return length(text) == 20 && text ~ /^[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$/ \
        && part(text, 1, 4) >= 1970 && part(text, 1, 4) <= 2999 && part(text, 6, 2) >= 1 && part(text, 6, 2) <= 12 && part(text, 9, 2) >= 1 && part(text, 12, 2) <= 23 \
        && part(text, 9, 2) <= day_number(part(text, 1, 4), part(text, 6, 2) + 1, 1) - day_number(part(text, 1, 4), part(text, 6, 2), 1)
}

function part(text, from, length_of_it) {
    return substr(text, from, length_of_it) + 0
}

# 1 is Monday the first of January in year 1; years begin in March here, so that leap days are the last of theirs.
function day_number(year, month, day) {
    if (month <= 2) {
        year--
        month += 12
    }
    return 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * (month - 3) + 2) / 5) + day - 306
}

function day_of(time) {
    return day_number(part(time, 1, 4), part(time, 6, 2), part(time, 9, 2))
}

function seconds(time) {
    return day_of(time) * 86400 + part(time, 12, 2) * 3600 + part(time, 15, 2) * 60 + part(time, 18, 2)
}

function sort(list, count,    gap, i, j, each) {
    for (gap = int(count / 2); gap > 0; gap = int(gap / 2)) {
        for (i = gap + 1; i <= count; i++) {
            each = list[i]
            for (j = i; j > gap && list[j - gap] > each; j -= gap) list[j] = list[j - gap]
            list[j] = each
        }
    }
}
