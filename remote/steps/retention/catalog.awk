# Print the manifests of the archives that a listing of their directory (ls -ln) names. A manifest that cannot be read must
# not hide the others: the client names it.

# Mode, links, owner, group, size, three for the time, name: ours hold no blanks, and are no links.
/^-/ && NF == 9 && / [^ ]+ [^ ]+$/ {
    bytes[$9] = $5
    name[NR] = $9
}

BEGIN {
    whole = -1
}

# 1: a file that another run has removed at that moment.
/^listed=[01]$/ {
    whole = NR
}

END {
    if (whole != NR) exit 3
    for (n = 1; n <= NR; n++) {
        manifest = name[n]
        sub(/dump$/, "manifest", manifest)
        if (is_ours(name[n]) && (manifest in bytes)) tell(name[n], ENVIRON["backup_dir"] "/" manifest)
        else if (is_named_by_us(name[n])) print "archive=" name[n]
    }
}

function is_ours(dump) {
    return dump ~ /^[A-Za-z0-9][A-Za-z0-9._+-]*-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9]\.dump$/
}

# One that has lost its manifest is told without one, so that nobody takes the one before it for the latest.
function is_named_by_us(dump) {
    return is_ours(dump) && dump ~ /-(pre-deploy|pre-restore|on-host)-/
}

# Thousands of tables make thousands of lines about rows, of interest only to who restores.
function tell(dump, file,    line) {
    print "archive=" dump
    while ((getline line < file) > 0) if (line !~ /^(rows|content|role|role_encoded|installed|given|needs|setting_[A-Za-z_]+)=/) print line
    close(file)
    print "present_bytes=" bytes[dump]
}
