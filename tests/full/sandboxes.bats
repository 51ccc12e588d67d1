# Sandboxes that put their seccomp filter on whatever program they start: bubblewrap and firejail.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    cp "$build/tests/guests/filtered" "$open/"
}

teardown() { real_teardown; }

# All is read-only there but the trace, which a recorded program must be able to open.
wrap() { answer bwrap --ro-bind / / --dev /dev --bind "$open/traces" "$open/traces" "$@"; }

# in_filters COMMAND...: in bwrap, under each filter.
in_filters() {
    local list how
    for list in foreign own; do
        for how in errno trap kill; do
            "$open/filtered" filter "$list" "$how" >"$work/filter"
            echo "$list $how"
            wrap --unshare-net --seccomp 9 "$@" 9<"$work/filter"
        done
    done
}

wrapped() {
    wrap "$open/filtered" bind
    wrap --unshare-all --die-with-parent "$open/filtered" bind
    wrap --unshare-all "$python" -c 'import socket
with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    with socket.create_connection(server.getsockname()) as client:
        print(client.getpeername() == server.getsockname())'
    wrap --unshare-net "$open/filtered" missing
    in_filters "$open/filtered" bind
}

@test "bwrap, as root: a program binds under filters that refuse, trap and kill" {
    needs bwrap
    under_all wrapped '^bind 0, listen 0, close 0$'
    assert_equal "$(grep -c '^bind 0, listen 0, close 0$' bare.out)" 8
}

@test "bwrap, as an ordinary user" {
    needs bwrap
    as=("${nobody[@]}")
    under_all wrapped '^bind 0, listen 0, close 0$'
    assert_equal "$(grep -c '^bind 0, listen 0, close 0$' bare.out)" 8
}

# jail WORD...: binds in firejail by these words before it, without rules for the program's files.
jail() {
    answer "$@" --quiet --noprofile "$open/filtered" bind
    answer "$@" --quiet --noprofile --seccomp "$open/filtered" bind
    answer "$@" --quiet --noprofile --seccomp --net=none "$open/filtered" bind
    answer "$@" --quiet --noprofile --seccomp.drop=getsockopt,getsockname,prctl,madvise \
        "$open/filtered" bind
    answer "$@" --quiet --noprofile --caps.drop=all --nonewprivs --noroot --seccomp \
        "$open/filtered" bind
}

jailed() { jail firejail; }

@test "firejail, as root" {
    needs firejail
    under_all jailed '^bind 0, listen 0, close 0$'
}

# Firejail serves only users of the list of users with a number from 1000 on.
jailed_user() {
    { cat /etc/passwd; echo "guest:x:4711:4711::$work/home:/bin/sh"; } >passwd
    { cat /etc/group; echo 'guest:x:4711:'; } >group
    mount --bind passwd /etc/passwd
    mount --bind group /etc/group
    mkdir home
    chown 4711:4711 home
    jail setpriv --reuid 4711 --regid 4711 --clear-groups env HOME="$work/home" firejail
}

@test "firejail, which becomes root by itself, as an ordinary user" {
    needs firejail
    bare jailed_user '^bind 0, listen 0, close 0$'
    like_bare jailed_user --shared
    like_bare jailed_user --shared --policy soonest
}
