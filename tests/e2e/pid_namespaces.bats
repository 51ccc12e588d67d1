# Programs in PID namespaces that the command makes: their pids are not those that `run` sees.
# shellcheck disable=SC2154,SC2016 # variables of capture.bash, those of the guests' shells

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    has_ebpf || skip 'eBPF needs root and a cgroup2 that may be written'
    options=(--capture=ebpf)
}

teardown() { guests_teardown; }

# `run` is the first of a PID namespace of its own, so that pids here and in the next are the same small numbers.
in_low_pids() {
    unshare -n -pf --mount-proc bash -c 'ip link set lo up; "$@"; exit $?' bash \
        "$PORTWITNESS" run -o "$trace" "${options[@]}" -- "$@" 2>"$summary" 3>&-
}

@test "a pid of another PID namespace is not taken for that of a program here" {
    cat >beside.sh <<'SHELL'
"$1" loop 40000 &
server=$!
# Forks in the other namespace, which go past that number while it works.
unshare -pf bash -c 'for ((i = 0; i < $1 + 20; i++)); do (:); done' bash "$server"
[ -e "/proc/$server" ] && echo >worked
wait "$server"
SHELL
    in_low_pids bash beside.sh "$capture/ports.static" >/dev/null
    [ -e worked ]
    assert_equal "$(rows '.[].comm' | sort | uniq -c | xargs)" '40000 ports.static'
}
