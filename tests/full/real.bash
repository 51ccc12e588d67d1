# What the tests with large real programs share: a scenario is a function of the test file that starts
# programs, uses and ends them, and prints what a user would see of them. It runs bare and then as a
# whole under portwitness run, each time in namespaces of its own; it must print the same and end alike.
# `load real`, and call real_setup in setup() and real_teardown in teardown().
# shellcheck disable=SC2154,SC2034 # variables of bats and common.bash, those for the scenarios

load ../common

real_setup() {
    PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:$PATH
    # The namespaces, the privileges that servers drop and the other users need root.
    [ "$(id -u)" -eq 0 ] || skip 'needs root'
    # The checkout and the folders of bats may be closed to other users.
    open=$(mktemp -d /tmp/portwitness-full.XXXXXX)
    chmod 755 "$open"
    cp "$build/portwitness" "$build/libportwitness.so" "$open/"
    mkdir -m 1777 "$open/traces"
    work=$open/work
    trace=$open/traces/trace
    cd "$open" || return
}

real_teardown() {
    [ -z "${open-}" ] || rm -rf "$open"
}

# needs COMMAND...: skips where one is not installed.
needs() {
    local name
    for name; do
        command -v "$name" >/dev/null || skip "$name is not installed; scripts/bootstrap --full"
    done
}

# Words before a scenario: the user it runs as.
as=()
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)

# in_namespaces COMMAND...: with a network of its own whose loopback is up, its own /run, and the end
# of every process in it when it is over or its time is.
in_namespaces() {
    # shellcheck disable=SC2016 # for the shell inside
    timeout -k 10 "${limit:-400}" \
        unshare --net --mount --pid --fork --kill-child --mount-proc \
        sh -c 'ip link set lo up && mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"' sh \
        "${as[@]}" env -i PATH="$PATH" HOME="$work" LC_ALL=C.UTF-8 TZ=UTC \
        "$@" </dev/null 3>&-
}

# play NAME SCENARIO WORD...: runs a scenario in a new folder, behind the words if there are any, and
# keeps what it prints and its status in NAME.out, NAME.err and NAME.status.
play() {
    local name=$1 scenario=$2 status=0
    shift 2
    rm -rf "$work"
    mkdir -m 755 "$work"
    [ ${#as[@]} -eq 0 ] || chown 65534:65534 "$work"
    {
        declare -f
        declare -p open work python nobody
        echo "cd '$work' && $scenario"
    } >scenario
    in_namespaces "$@" bash "$open/scenario" >"$name.out" 2>"$name.err" || status=$?
    echo "$status" >"$name.status"
}

# bare SCENARIO TEXT: plays it bare. It must end with 0 and print a line that matches the text, or
# there is nothing to compare.
bare() {
    play bare "$1"
    if [ "$(cat bare.status)" != 0 ] || ! grep -Eq -- "$2" bare.out; then
        echo "bare, with status $(cat bare.status), it prints:" >&2
        cat bare.out bare.err >&2
        return 1
    fi
}

# like_bare SCENARIO OPTION...: plays it under `run` with these options; everything is as it was bare.
like_bare() {
    local scenario=$1
    shift
    rm -f "$trace"
    play recorded "$scenario" "$open/portwitness" run --quiet -o "$trace" "$@" --
    local part
    for part in out err status; do
        if ! diff -a "bare.$part" "recorded.$part" >differs; then
            echo "run $*: its $part differs from what it was bare:" >&2
            head -n 80 differs >&2
            return 1
        fi
    done
}

# under_all SCENARIO TEXT: bare, under the kernel's own choice, under the adversary, and with a trace
# that all users may write to.
under_all() {
    bare "$1" "$2" && like_bare "$1" && like_bare "$1" --policy soonest && like_bare "$1" --shared
}

# recorded_port PORT: the last trace has a bind of that number: the program was recorded.
recorded_port() {
    "$PORTWITNESS" ports --json "$trace" 2>evidence |
        jq -se --argjson port "$1" 'any(.requested_port == $port and .port == $port)' >/dev/null ||
        { echo "nothing recorded of port $1" >&2; return 1; }
}

# Here begins what the scenarios call.

# until_true COMMAND...: asks again until the command succeeds, for a minute.
until_true() {
    local begin=$SECONDS
    until "$@"; do
        if [ $((SECONDS - begin)) -gt 60 ]; then
            echo "in vain: $*"
            return 1
        fi
        sleep 0.05
    done
}

listens() { [ -n "$(ss -Hnltu "sport = :$1")" ]; }

# serve PORT COMMAND...: starts a server, its output into server.log, and waits for its port.
serve() {
    local port=$1
    shift
    "$@" >server.log 2>&1 &
    server=$!
    until_true listens "$port"
}

# served: ends the server and prints its status.
served() {
    local status=0
    kill "$server" || echo 'the server is gone'
    wait "$server" || status=$?
    echo "server: status $status"
}

# answer COMMAND...: runs a client; prints what it says and its status.
answer() {
    local status=0
    timeout 120 "$@" || status=$?
    echo "${1##*/}: status $status"
}
