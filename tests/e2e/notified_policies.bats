# Policies in programs that the shim is not in, where `run` makes their calls: the ports that they are given
# are the policy's, as they would be by the shim, and nothing fails that would not fail anyway.
# shellcheck disable=SC2154,SC2034,SC2030,SC2031,SC2016 # variables of guests.bash and of subshells, those of jq

setup() {
    load ../common
    load guests
    load capture
    notified_setup
    means=--capture=seccomp
    in_namespace=(unshare -n sh -c 'ip link set lo up && exec "$@"' sh)
    [ "$(id -u)" -eq 0 ] || skip 'a network namespace of its own needs root'
}

teardown() {
    guests_teardown
}

# under POLICY COMMAND...: what the guest says goes to `said`, and each port that it names to `ports`.
under() {
    options=("$means" --policy "$1")
    shift
    rm -f "$trace"
    record "$@" >said || { cat "$summary" >&2; return 1; }
    grep -oE '[0-9]+$' said >ports
}

# all_within LOW HIGH COUNT: the guest has named so many ports, and no other than those of that range.
all_within() {
    awk -v low="$1" -v high="$2" -v count="$3" '$1 < low || $1 > high { print; wrong = 1 }
        END { exit wrong || NR != count }' ports
}

# by_flag FLAG: the ports that records with that flag have.
by_flag() {
    "$PORTWITNESS" export --format jsonl "$trace" |
        jq -r --arg flag "$1" 'select(.source == "supervisor" and (.flags | index($flag)) != null) | .assigned.port'
}

@test "a range: a static program's binds and listens get ports of it, and the trace says so" {
    under range:40000-40099 "$static" bind 20
    all_within 40000 40099 20
    diff <(sort ports) <(by_flag policy | sort)
    grep -q 'policy range:40000-40099: 20 ports chosen$' "$summary"
    under range:40000-40099 "$static" listen 20
    all_within 40000 40099 20
}

@test "a range outside the kernel's own is given by number, in C and in Go" {
    under range:30000-30099 "$static" bind 20
    all_within 30000 30099 20
    diff <(sort ports) <(by_flag policy-by-number | sort)
    under range:30000-30099 "$go" loop 30
    all_within 30000 30099 30
}

@test "a range: what a Go program dials from lies in it too" {
    under range:40000-40099 "$go" dial 10
    all_within 40000 40099 12
}

@test "a range that is full fails nobody: the kernel chooses" {
    # The two holders have the range; the rest is left to the kernel.
    under range:40000-40001 python3 -c '
import socket, subprocess, sys
held = [socket.create_server(("127.0.0.1", port)) for port in (40000, 40001)]
subprocess.run(sys.argv[1:], check=True)' "$static" bind 5
    [ "$(wc -l <ports)" -eq 5 ]
    [ "$(grep -cE '^4000[01]$' ports)" -eq 0 ]
    diff <(sort ports) <(by_flag policy-left | sort)
}

@test "quarantine: no port comes twice within its time, in C and in Go" {
    under quarantine "$static" bind 300
    [ "$(sort -u ports | wc -l)" -eq 300 ]
    under quarantine,range:40000-40149 "$go" loop 300
    # By protocol, each of 150 once; then the range is too full for it. Two had Go itself, which looks
    # whether there is IPv6; they are given again if the kernel's notice of their end is there by then.
    all_within 40000 40149 300
    [ "$(grep '^tcp' said | awk '{ print $3 }' | head -n 148 | sort -u | wc -l)" -eq 148 ]
}

@test "soonest: the number that such a program released is given next, to it and to others" {
    under soonest sh -c '
        "$1" bind 1; sleep 0.3; "$1" bind 1; sleep 0.3
        exec python3 -c "
import socket
with socket.socket() as s:
    s.bind((\"127.0.0.1\", 0))
    print(\"port\", s.getsockname()[1])"' sh "$static"
    [ "$(sort -u ports | wc -l)" -eq 1 ]
    [ "$(wc -l <ports)" -eq 3 ]
}

@test "soonest: what the shim's program released goes to one that the shim is not in" {
    under soonest sh -c '
        python3 -c "
import socket
with socket.socket() as s:
    s.bind((\"127.0.0.1\", 0))
    print(\"port\", s.getsockname()[1])"
        exec "$1" bind 1' sh "$static"
    [ "$(sort -u ports | wc -l)" -eq 1 ]
}

@test "where eBPF sees programs, they get the policy's ports all the same, and each is recorded once" {
    need_ebpf
    means=--capture=auto
    under range:40000-40099 "$static" bind 20
    all_within 40000 40099 20
    diff <(sort ports) <(rows '.[].port' | sort)
    diff <(sort ports) <(by_flag policy | sort)
    grep -q 'policy range:40000-40099: 20 ports chosen$' "$summary"
    under range:30000-30099 "$go" loop 60
    all_within 30000 30099 60
    same_as_table
    under range:40000-40099 "$go" dial 10
    all_within 40000 40099 12
    under soonest sh -c '"$1" bind 1; sleep 0.3; "$1" bind 1' sh "$static"
    [ "$(sort -u ports | wc -l)" -eq 1 ]
    under quarantine "$static" bind 300
    [ "$(sort -u ports | wc -l)" -eq 300 ]
}

# What Go's library tries out first gets ports of the policy as well.
same_as_table() {
    diff <(said_ports said) <(table_ports)
}

@test "by eBPF alone no policy reaches them, and the summary says how many they were" {
    need_ebpf
    means=--capture=ebpf
    under range:30000-30099 sh -c '"$1" bind 1; "$1" bind 1' sh "$static"
    grep -q ', 2 programs seen by eBPF alone left to the kernel (--capture=seccomp reaches them)$' "$summary"
    means=--capture=auto
    under range:30000-30099 sh -c '"$1" bind 1; "$1" bind 1' sh "$static"
    [ "$(grep -c 'left to the kernel' "$summary")" -eq 0 ]
}

@test "a user without rights: the summary says which programs could gain none so that they are seen" {
    local open
    open=$(mktemp -d /tmp/portwitness-notified.XXXXXX)
    chown 65534 "$open"
    cp "$static" "$PORTWITNESS" "${PORTWITNESS%/*}/libportwitness.so" "$open"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$open/portwitness" run -o "$open/trace" \
        --policy range:40000-40999 -- "$open/${static##*/}" bind 3 >said 2>"$summary" 3>&-
    rm -r "$open"
    grep -qx 'portwitness: 1 program could gain no privileges (no_new_privs), so that it is seen' "$summary"
    [ "$(grep -cE '^port 40[0-9]{3}$' said)" -eq 3 ]
    under range:40000-40099 "$static" bind 1
    [ "$(grep -c no_new_privs "$summary")" -eq 0 ]
}

@test "no call fails where run is killed while a policy chooses, by whichever way" {
    local round killed=0 policies=(range:40000-40999 range:30000-30999)
    for ((round = 0; killed < NOTIFIED_KILLS; round++)); do
        [ "$round" -le $((2 * NOTIFIED_KILLS)) ]
        rm -f "$trace"
        "${in_namespace[@]}" setsid "$PORTWITNESS" run -q -o "$trace" --capture=seccomp \
            --policy "${policies[round % 2]}" -- "$static" loop 2 >said 2>"$summary" 3>&- &
        guest=$!
        wait_for grep -q begins said
        sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
        ! kill -9 "$guest" || killed=$((killed + 1)) # on a busy machine the program may be through
        wait "$guest" || true
        guest=''
        wait_for grep -q loops said
        grep -q 'errors 0' said || { cat said >&2; return 1; }
    done
}
