# What a manifest holds, and how it is changed.

# The first value of a key, without a program: each would cost a millisecond, and there are many manifests.
manifest_value() {
    while IFS= read -r line; do
        case $line in "$2="*) printf '%s' "${line#*=}" && return ;; esac
    done <"$1" || :
}

# rewrite_manifest KEY LINES CODE REASON: put these lines in the place of those whose key begins so. The manifest is replaced as
# a whole, or it stays as it is and the run ends. Only a run that holds the lock may do this.
rewrite_manifest() {
    lines=$(
        grep -v "^$1" "$manifest"
        [ -z "$2" ] || printf '%s\n' "$2"
    )
    if ! printf '%s\n' "$lines" >"$run_dir/manifest" || ! to_disk "$run_dir/manifest" || ! mv -f "$run_dir/manifest" "$manifest"; then
        die "$3" "$4" "look at free space and permissions of $backup_path"
    fi
}

# A later check of a lower grade does not take back what a better proof has shown.
better_grade() {
    best=
    for grade in written read restored equal; do
        case $grade in "$1" | "$2") best=$grade ;; esac
    done
    printf '%s' "$best"
}

# record GRADE: write the grade into the manifest. The manifest of a file outside of BACKUP_DIR is never changed.
record() {
    case $archive in /* | \~/*) return 0 ;; esac
    rewrite_manifest proof "$(pairs proof "$1" proof_time "$(date -u +%Y-%m-%dT%H:%M:%SZ)")" 13 "the proof of $archive ($1) could not be recorded"
}

# Thousands of tables make thousands of lines, which only a restore needs.
without_rows() {
    sed -e '/^rows=/d' -e '/^content=/d' -e '/^role=/d' -e '/^role_encoded=/d' -e '/^installed=/d' -e '/^given=/d' -e '/^needs=/d' -e '/^setting_/d' "$1"
}

# tells KEY TEXT: whether a line of it is of that key. What decides is not left to a pipeline, which ends well though what
# it begins with was killed, and tells less.
tells() {
    case $newline$2 in *"$newline$1="*) ;; *) return 1 ;; esac
}
