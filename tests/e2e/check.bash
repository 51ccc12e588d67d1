# What the tests of the checker share. `load check`, after common: programs that pass a number on, a
# namespace with one port, and questions to the JSON form.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of common.bash and bats, those of jq

check_setup() {
    cd "$BATS_TEST_TMPDIR" || return
    cat >pick.py <<'PYTHON'
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1])
PYTHON
    cat >serve.py <<'PYTHON'
import os, socket, sys
port = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PORT") or sys.stdin.readline()
with socket.socket() as server:
    server.bind(("127.0.0.1", int(port)))
    server.listen()
PYTHON
    # One race window that goes well.
    cat >pick_and_bind.py <<'PYTHON'
import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
with socket.socket() as server:
    server.bind(("127.0.0.1", port))
PYTHON
    # A stranger that takes any port, says so, and keeps it until its input ends.
    cat >taker.py <<'PYTHON'
import socket, sys
with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen()
    print(server.getsockname()[1], flush=True)
    sys.stdin.readline()
PYTHON
}

# Before a command: it runs in a network namespace with that port and no other to give.
one_port() {
    local port=$1
    shift
    "${in_namespace[@]}" sh -c 'echo "$0 $0" >/proc/sys/net/ipv4/ip_local_port_range
        exec "$@"' "$port" "$@"
}

# record COMMAND...: into the trace t, which must not exist.
record() { "$PORTWITNESS" run --quiet -o t -- "$@"; }

# The same by the shim alone, which has blind spots.
record_by_shim() { "$PORTWITNESS" run --quiet --capture=preload -o t -- "$@"; }

# found JQ: the answer to a question about the findings of t, without the limits of the evidence.
found() {
    local status=0
    "$PORTWITNESS" check --json t >t.json || status=$?
    [ "$status" -le 1 ] || return "$status"
    jq -r "[.findings[] | select(.kind != \"blind-spot\" and .kind != \"inferred-release\")] | $1" t.json
}

# kinds: each finding's kind, severity and certainty, one a line.
kinds() { found '.[] | "\(.kind) \(.severity) \(if .certain then "certain" else "possible" end)"'; }
