# Read a script of pg_restore as a database reads it: a line is one of pg_restore's own only where no quote is open.
# how=execute: for psql. Each entry is a literal, which psql passes on unread; `before` and `after` stand around the literal.
# For the part of it under another search path than an empty one, `path` is that.
# how=entries, how=statements: a line for each, "id|class|oid|access method|text", with \n for a line break and \s for \. With
# `titled`, the text begins with a line of what pg_restore calls it: "Name: …; Type: …; Schema: …; Owner: …".
# how=guard: for psql as it is, up to the first backslash that psql could take for a command of its own.

# After a line: the quote that is still open, or nothing.
function read_quotes(line, at) {
    while (line != "") {
        if (quote == "") {
            if (!match(line, /['"]|\$([A-Za-z_][A-Za-z_0-9]*)?\$/)) return
            quote = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
        } else {
            at = index(line, quote)
            if (!at) return
            line = substr(line, at + length(quote))
            quote = ""
        }
    }
}

# What the archive runs may have changed how the session reads backslashes and bytes: before a text with such, set it back.
function close_entry(n) {
    if (!lines) return
    if (how != "execute") {
        printf "%s|%s|%s", entry, line[1] ~ /^CREATE (UNLOGGED |MATERIALIZED )?(TABLE|VIEW) / ? access_method : "", titled ? title "\\n" : ""
        for (n = 1; n <= lines; n++) printf "%s\\n", line[n]
        print ""
    } else {
        if (delicate) print reading
        printf "%s'", before
        for (n = 1; n <= lines; n++) print line[n]
        print "'" after
    }
    lines = delicate = 0
}

function add(text) {
    if (!lines && text == "") return
    if (text ~ /[^ -~]|\\/) delicate = 1
    if (how != "execute") gsub(/\\/, "&s", text)
    else gsub(/'/, "&&", text)
    if (how == "execute" && strings == "off") gsub(/\\/, "&&", text)
    line[++lines] = text
}

function read_setting() {
    if ($0 ~ /^SET standard_conforming_strings = (on|off);$/) strings = substr($4, 1, length($4) - 1)
    else if ($0 ~ /^SET client_encoding = '[A-Za-z0-9_]+';$/) encoding = $0 " "
    else if (how == "execute" && $0 == "SELECT pg_catalog.set_config('search_path', '', false);") print "SELECT pg_catalog.set_config('search_path', '" path "', false);"
    else if (how == "execute" && $0 ~ /^SET (check_function_bodies = false|xmloption = content|client_min_messages = warning|row_security = off);$/) print
}

function begin_entries() {
    in_preamble = 0
    if (strings == "") strings = "on"
    reading = encoding "SET standard_conforming_strings = " strings ";"
    if (how == "execute") print reading
}

function read_header() {
    if ($0 == "--") in_header = 0
    else if ($0 == "-- PostgreSQL database dump") in_preamble = 1
    else if ($0 == "-- PostgreSQL database dump complete") whole = 1
    else if (titled && $0 ~ /^-- Name: /) {
        title = substr($0, 4)
        gsub(/\\/, "&s", title)
    }
    else if ($0 ~ /^-- TOC entry [0-9]+ \(class [0-9]+ OID [0-9]+\)$/) entry = $4 "|" $6 "|" substr($8, 1, length($8) - 1)
    else if ($0 !~ /^-- /) exit failed = 1
}

how == "guard" {
    if (!in_rows && index($0, "\\")) exit failed = 1
    print
    if (in_rows) in_rows = $0 != "\\."
    else {
        read_quotes($0)
        in_rows = quote == "" && / FROM stdin;$/
    }
    if ($0 == "-- PostgreSQL database dump complete") whole = 1
    next
}
whole { next }
in_header { read_header(); next }
quote == "" && $0 == "--" {
    if (in_preamble) begin_entries()
    close_entry()
    entry = "||"
    in_header = 1
    next
}
in_preamble { read_setting(); next }
quote == "" && /^--/ { next }
quote == "" && how != "execute" && /^SET default_tablespace = / { next }
quote == "" && how != "execute" && /^SET default_table_access_method = / { access_method = $4; next }
# What a group has passed on was dumped in its name: a member of the group need not be a superuser.
quote == "" && /^(SET SESSION AUTHORIZATION DEFAULT|RESET SESSION AUTHORIZATION);$/ { $0 = "RESET ROLE;" }
quote == "" { sub(/^SET SESSION AUTHORIZATION /, "SET ROLE ") }
{
    read_quotes($0)
    add($0)
    if (how == "statements" && quote == "" && /;$/) close_entry()
}
END {
    if (failed || !whole || quote != "" || in_rows) exit 1
}
