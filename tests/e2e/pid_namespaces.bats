# Programs in PID namespaces that the command makes: their pids are not those that `run` sees.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of capture.bash, those of the guests' shells and of tests

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load guests
    load capture
    capture_setup
    need_ebpf
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

# seen_once PROGRAMS COMMAND...: in a PID namespace that the command makes.
seen_once() {
    local programs=$1
    shift
    rm -f "$trace"
    "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- unshare -pf "$@" >said 2>"$summary" 3>&-
    grep -qE "^portwitness: $programs programs and [0-9]+ forks? seen, (1 by eBPF alone, )?no blind spots(; raw system calls .*)?$" "$summary"
    grep -qx 'portwitness: 0 records lost; 0 torn' "$summary"
    run -0 "$PORTWITNESS" check --json "$trace"
    assert_equal "$(jq -r .verdict <<<"$output")" clean
    same_ports said
}

@test "a program in another PID namespace is seen once, and so is its end" {
    seen_once 2 "$capture/ports.static" loop 3
    seen_once 2 "$capture/ports" loop 3
    seen_once 3 bash -c '"$@"; true' bash "$capture/ports.static" loop 3
    seen_once 3 bash -c '"$@"; true' bash "$capture/ports" loop 3
    seen_once 4 unshare -pf bash -c '"$@"; true' bash "$capture/ports.static" loop 3
}

@test "... without eBPF, too" {
    options=(--capture=preload)
    seen_once 2 "$capture/ports" loop 3
    seen_once 3 bash -c '"$@"; true' bash "$capture/ports" loop 3
}

@test "hundreds of programs in another PID namespace: the end of each is known" {
    local count=300
    seen_once $((2 * count + 3)) bash -c 'for ((i = 0; i < $1; i++)); do env true; done; shift; "$@"' bash \
        "$count" "$capture/ports" loop 3
    "$PORTWITNESS" export -f jsonl "$trace" >records
    jq -r 'select(.kind == "process-start" and .arguments == ["true"]) | .serial' records | sort -u >begun
    jq -r 'select(.kind == "process-exit") | .process' records | sort -u >ended
    assert_equal "$(wc -l <begun)" "$count"
    assert_equal "$(comm -23 begun ended)" ''
}
