# How a run comes in. This is the beginning of each command. It prints the fence, and the client sends nothing before it has
# seen that line: so no secret ever goes to a shell that an rc file has put in our place.
: "${fence:?}" "${rest_bytes:?}"

# Whatever the account exports by these names is not ours.
rest='' met='' is_cut_off='' db_password=''
export LC_ALL=C # so that ${#rest} counts bytes
printf '\n%s door\n' "$fence"

# The client answers with secrets, NAME=value, up to an empty line; then with the rest of the script. Both take one round trip:
# a step that needs them waits for them.
meet_client() {
    [ -z "$met" ] || return 0
    met=yes
    take_secrets
    if [ "$rest_bytes" -gt 0 ]; then take_rest; fi
}

take_secrets() {
    while IFS= read -r secret; do
        case $secret in
            DB_PASSWORD=*) db_password=${secret#*=} ;;
            '') return 0 ;;
        esac
    done
    cut_off
}

# The client sends its next word only once it has heard `rest`: some head(1) read more than they are to copy (busybox 1.35).
take_rest() {
    rest=$(head -c "$rest_bytes" && printf .) || cut_off
    rest=${rest%.}
    [ "${#rest}" -eq "$rest_bytes" ] || cut_off
    printf '\n%s rest\n' "$fence" 2>/dev/null || :
}

cut_off() {
    is_cut_off=yes
    reason="the connection was lost before all of the script was here" remedy="nothing was changed; run it again"
    exit 130
}

run_rest() {
    meet_client
    eval "$rest"
}
