# What the tests of programs that the shim is not in share: by which means they can be seen here, and
# what the guest says beside what the trace and the kernel have. `load ../common`, `load guests`, then this.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of guests.bash, those for the tests, those of jq

# Call it in setup().
capture_setup() {
    guests_setup
    capture=$data/capture
    go=$capture/go/ports
    means=()
    ! has_ebpf || means+=(ebpf)
    means+=(seccomp)
    # By hand: CAPTURE_MEANS=ebpf bats tests/e2e/capture.bats
    [ -z "${CAPTURE_MEANS-}" ] || read -ra means <<<"$CAPTURE_MEANS"
}

# Root, and a cgroup2 in which it may make folders.
has_ebpf() {
    [ "$(id -u)" -eq 0 ] && [ -w "$(unified)" ]
}

unified() {
    awk '{ for (i = 6; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

# Skips the test where eBPF cannot be had.
need_ebpf() {
    has_ebpf || skip 'eBPF needs root and a cgroup2 that may be written'
}

# In place of capture_setup, for the tests of programs that are notified, or that may not be.
notified_setup() {
    guests_setup
    static=$data/notified_calls.static
    go=$data/capture/go/ports
}

# by_ebpf COMMAND...: calls the function or command with eBPF as the means.
by_ebpf() {
    need_ebpf
    by ebpf "$@"
}

# by_each COMMAND...: with each means that there is here. Not to be called where failures are caught.
by_each() {
    local each
    for each in "${means[@]}"; do
        by "$each" "$@"
    done
}

by() {
    echo "# by $1: ${*:2}"
    options=(--capture="$1")
    rm -f "$trace"
    "${@:2}"
}

# Which `source` records of a program have that the shim is not in.
source_of() {
    case ${options[0]} in
    *=seccomp) echo supervisor ;;
    *) echo kernel ;;
    esac
}

# said_ports FILE: "PROTOCOL ADDRESS PORT" of what the guest said, sorted.
said_ports() {
    grep -oE '(tcp|udp) [^ ]+ [0-9]+$' "$1" | sort
}

# In the first call for IPv6 Go's library finds out what the kernel can do: it binds two sockets of IPv6 to
# these addresses and closes them. No guest here uses the addresses for anything else.
go_probes='^tcp (::1|::ffff:127\.0\.0\.1) '

# table_ports: the same lines of what `ports` says.
table_ports() {
    rows '.[] | select(.port != null) | "\(.protocol) \(.address) \(.port)"' >table
    grep -vE "$go_probes" table | sort
}

# exported_ports: "PROTOCOL PORT" of each socket in the records; an address that was read may be all that is
# on record of it, or the same again without a protocol.
exported_ports() {
    jq -r 'select(.assigned.port > 0 and (.kind | IN("bind", "connect", "autobind", "listen", "address-read")))
        | "\(.protocol) \(.assigned.address) \(.assigned.port) \(.cookie)"' records >sockets
    grep -vE "$go_probes" sockets | awk '{ socket = $4 " " $3 }
        !(socket in protocol) || $1 != "null" { protocol[socket] = $1; port[socket] = $3 }
        END { for (socket in protocol) print protocol[socket], port[socket] }' | sort
}

# same_ports FILE: what the guest said is what `ports` says and what `export` has: none is missing, and there is
# nothing else.
same_ports() {
    said_ports "$1" >expected
    [ -s expected ] || { echo 'the guest said nothing'; return 1; }
    table_ports >found
    diff expected found >differs || { echo 'guest (<) and ports (>):'; head -n 20 differs; return 1; }
    "$PORTWITNESS" export --format jsonl "$trace" >records 2>complaints
    exported_ports >found
    cut -d' ' -f1,3 expected | sort | diff - found >differs ||
        { echo 'guest (<) and export (>):'; head -n 20 differs; return 1; }
}

# no_blind_spots: the summary names none, and nothing was lost.
no_blind_spots() {
    if ! grep -q 'no blind spots' "$summary" || ! grep -qx 'portwitness: 0 records lost; 0 torn' "$summary"; then
        cat "$summary" >&2
        return 1
    fi
}

# seen_by_means: the binds of the programs that the shim is not in were seen by the means asked for, and not
# otherwise. Words: their names in the kernel; "-": not to be looked at.
seen_by_means() {
    local name
    for name; do
        [ "$name" != - ] || continue
        assert_equal "$(jq -r --arg name "$name" 'select(.kind == "bind" and .comm == $name) | .source' records |
            sort -u)" "$(source_of)"
    done
}

# seen NAME COMMAND...: runs it; it ends with 0, all its ports are seen, by the means asked for. NAME is in the
# kernel the name of the program, which the shim is not in.
seen() {
    rm -f "$trace"
    record "${@:2}" >said
    same_ports said
    no_blind_spots
    seen_by_means "$1"
}

# agrees [FILTER]: as same_as_kernel; what differs is in the file `differs`.
agrees() { same_as_kernel "$@" 2>differs; }

# seen_while_held NAME COMMAND...: the same of six sockets while it holds them, beside the kernel's table and with
# the owners that the kernel has.
seen_while_held() {
    rm -f "$trace"
    start "${@:2}"
    : >said.held
    until hear && [ "$said" = held ]; do
        echo "$said" >>said.held
    done
    wait_for agrees || { cat differs; return 1; }
    cut -d' ' -f1-3 <<<"$held" | sort | diff <(said_ports said.held) -
    assert_equal "$(wc -l <said.held)" 6
    finish
    same_ports said.held
    no_blind_spots
    seen_by_means "$1"
    # Each came to its end.
    assert_equal "$(rows 'map(select(.held_to_ns == null)) | length')" 0
}
