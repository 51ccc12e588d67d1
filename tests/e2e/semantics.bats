# What a binding is: a port can be free while a descriptor is open, and taken when none is. Each
# situation of tests/guests/semantics.py proves on the kernel what it shows and tells what must be
# reported; here `ports` is held against that, under `run` and with the shim alone.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of guests.bash, filters of jq

load ../common
load guests

setup() {
    guests_setup
    data_sources=$root/tests/guests
    # Link-local addresses are tried on the loopback.
    in_namespace[4]='ip link set lo up && ip addr add fe80::1/64 dev lo && exec "$@"'
}

teardown() { guests_teardown; }

# make SITUATION run|hand: leaves the trace in $trace and what the situation told in `told`.
make() {
    trace=$BATS_TEST_TMPDIR/trace.$2
    if [ "$2" = run ]; then
        record "$python" "$data_sources/semantics.py" "$1" run >told
    else
        "${in_namespace[@]}" env LD_PRELOAD="$build/libportwitness.so" PORTWITNESS_TRACE="$trace" \
            "$python" "$data_sources/semantics.py" "$1" hand >told
    fi
}

# shows SITUATION: both ways (in a short run one test goes this way, the next that), every request is
# reported as the situation said, and no other.
shows() {
    local way ways=(run hand)
    [ -n "${TESTS_FULL-}" ] || ways=("${ways[BATS_TEST_NUMBER % 2]}")
    for way in "${ways[@]}"; do
        make "$1" "$way"
        "$PORTWITNESS" ports --json "$trace" >reported
        "$PORTWITNESS" ports --json --failed "$trace" >>reported
        "$python" "$data_sources/agrees.py" told reported || { echo "($way)" >&2; return 1; }
    done
}

# The port is free though a descriptor is open.

@test "a refused connect takes the port of a socket that was bound by port 0" { shows refused_connect; }
@test "a refused connect takes the port that it was given itself" { shows refused_autobind; }
@test "a shutdown takes a listener's port" { shows shut_listener; }
@test "a shutdown of the sending side leaves a listener its port" { shows half_shut_listener; }
@test "connect(AF_UNSPEC) takes the port that a connect was given" { shows disconnect; }
@test "connect(AF_UNSPEC) takes a UDP socket's port as well" { shows disconnect_udp; }
@test "a port that was asked for by number is kept in all these cases" { shows kept_by_number; }
@test "after the peer's reset no end is claimed before one is proved" { shows reset_by_peer; }

# The port is taken though no descriptor of that socket is open.

@test "a client's TIME_WAIT: no end is claimed" { shows client_time_wait; }
@test "a client that resets its connection has no TIME_WAIT: the close is the end" { shows client_reset; }
@test "a server's TIME_WAIT: no end of the listener's port is claimed" { shows server_time_wait; }
@test "a server's TIME_WAIT is no matter where SO_REUSEADDR is set" { shows server_time_wait_shared; }
@test "a connection holds the port of the closed listener that accepted it" { shows outlived_listener; }
@test "a reset connection releases it where SO_REUSEADDR is set" { shows outlived_listener_shared; }
@test "a descriptor in flight holds the port" { shows in_flight; }
@test "a descriptor that is lost in flight: only the kernel reports the end" { shows lost_in_flight; }

# Requests that are no bind to port 0, and one that is none though it looks so.

@test "listen on an unbound socket is a request" { shows autobind_by_listen; }
@test "connect on an unbound socket is a request" { shows autobind_by_connect; }
@test "connect on an unbound UDP socket is a request" { shows autobind_by_udp_connect; }
@test "the first send of an unbound UDP socket is a request, the second is none" { shows autobind_by_send; }
@test "a send that fails may have been a request all the same" { shows autobind_by_failing_send; }
@test "with IP_BIND_ADDRESS_NO_PORT the connect is the request, not the bind" { shows bind_address_no_port; }

# One socket, one row, whoever has descriptors of it.

@test "a port is held until the last duplicate is closed" { shows duplicated; }
@test "dup2 over the last descriptor ends the binding" { shows replaced; }
@test "a port is held until the last of parent and child closes it" { shows forked; }
@test "a program that was executed with the descriptor holds the port" { shows executed; }
@test "a descriptor that is close-on-exec goes with the exec" { shows closed_on_exec; }
@test "a port is held by the process that a descriptor was sent to" { shows passed_on; }
@test "the end of a process ends what it held" { shows ends_by_exit; }
@test "a SIGKILL ends what was held: seen under run, claimed by nobody without" { shows killed; }

# What keeps rows apart, and how addresses are written.

@test "equal numbers of other addresses and protocols are rows of their own" { shows equal_numbers; }
@test "equal numbers in other network namespaces are rows of their own" { shows equal_numbers_in_namespaces; }
@test "addresses are written as the socket has them, mapped ones too" { shows addresses; }
@test "a dual-stack socket has one row, that of ::" { shows dual_stack; }
@test "a link-local address has its scope" { shows scoped_address; }
@test "failed requests are rows of --failed alone, with their error" { shows failures; }
@test "a request that found the range full is a failed one" { shows exhausted; }

@test "under run the kernel's notice of each socket's end is recorded, TIME_WAIT distinguished" {
    make client_time_wait run
    "$PORTWITNESS" export --format jsonl "$trace" >records
    jq -s 'map(select(.source == "shim" and .cookie != null) | .cookie) | unique' records >ours
    jq -s 'map(select(.kind == "destroyed") | .cookie) | sort' records >kernels
    [ "$(jq length ours)" -ge 5 ]
    diff ours kernels
    client=$(jq -s '.[] | select(.kind == "connect") | .cookie' records)
    [ "$(jq 'select(.kind == "destroyed" and (.flags | index("time-wait"))) | .cookie' records)" = "$client" ]
    make client_time_wait hand
    [ "$("$PORTWITNESS" export --format jsonl "$trace" | jq -s 'map(select(.kind == "destroyed")) | length')" -eq 0 ]
}

@test "ports picks rows by process, port, program and kind of request" {
    # Each says its process id and the ports that it got; Python asks for one by number as well.
    record sh -c '"$1" -c "$2" >first; perl -e "$3" >second' sh "$python" '
import os, socket
a = socket.create_server(("127.0.0.1", 0))
port = a.getsockname()[1]
b = socket.create_server(("127.0.0.2", port))
print(os.getpid(), port)' '
use Socket;
socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
bind($s, sockaddr_in(0, INADDR_LOOPBACK)) or die;
print "$$ ", (sockaddr_in(getsockname($s)))[0], "\n";
bind($s, sockaddr_in(1, INADDR_LOOPBACK)) and die;'
    read -r python_pid python_port <first
    read -r perl_pid perl_port <second
    picked() { "$PORTWITNESS" ports --json "$@" "$trace" | jq -r '"\(.pid) \(.address) \(.port)"' | xargs; }
    free="$python_pid 127.0.0.1 $python_port"
    number="$python_pid 127.0.0.2 $python_port"
    perls="$perl_pid 127.0.0.1 $perl_port"
    [ "$(picked)" = "$free $number $perls" ]
    [ "$(picked --pid "$python_pid")" = "$free $number" ]
    [ "$(picked --pid "$perl_pid")" = "$perls" ]
    [ "$(picked --program perl)" = "$perls" ]
    [ "$(picked --program "${python##*/}")" = "$free $number" ]
    [ "$(picked --only-ephemeral)" = "$free $perls" ]
    [ "$(picked --only-ephemeral --program "${python##*/}")" = "$free" ]
    [ "$(picked --failed)" = "$perl_pid 127.0.0.1 null" ]
    [ "$(picked --failed --pid "$python_pid")" = '' ]
    [ "$(picked --program per)" = '' ]
    local expected=$free
    [ "$python_port" = "$perl_port" ] && expected+=" $number $perls" || expected+=" $number"
    [ "$(picked --port "$python_port")" = "$expected" ]
    # The table for people shows the same rows.
    "$PORTWITNESS" ports --only-ephemeral "$trace" | awk 'NR > 1 { print $5, $3, $1 }' | xargs >table
    [ "$(cat table)" = "$free $perls" ]
}
