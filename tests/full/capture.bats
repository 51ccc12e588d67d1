# Programs that the shim is not in, the larger ones and those that are built here: Go in all the ways that it is
# built, setuid, 32 bits, `go test`, Go's own tests, servers written in Go, and Chromium in its sandbox.
# shellcheck disable=SC2154,SC2030,SC2031,SC2034,SC2016 # variables of capture.bash and of subshells, those of jq

bats_require_minimum_version 1.5.0

setup_file() {
    load ../common
    # One cache for all builds of this file; nothing is fetched.
    export GOFLAGS=-mod=mod GOPROXY=off GOCACHE=$BATS_FILE_TMPDIR/go-cache
}

setup() {
    load ../common
    load ../e2e/guests
    load ../e2e/capture
    PATH=$PATH:/usr/lib/go-1.19/bin
    capture_setup
    # Servers and browsers keep things there, and ordinary users get to some.
    open=$(mktemp -d /tmp/portwitness-full.XXXXXX)
    chmod 755 "$open"
    export HOME=$open
}

teardown() {
    guests_teardown
    [ -z "${open-}" ] || rm -rf "$open"
}

needs() {
    local name
    for name; do
        command -v "$name" >/dev/null || skip "$name is not installed; scripts/bootstrap --full"
    done
}

# build_go CGO NAME FLAG...: the guest in Go, built that way, in this folder.
build_go() {
    (cd "$root/tests/guests/capture/go" && CGO_ENABLED=$1 go build -buildvcs=false -o "$BATS_TEST_TMPDIR/$2" "${@:3}" ./ports)
}

go_ways() {
    seen "$1" "./$1" loop 100
    seen "$1" "./$1" dial 20
    seen "$1" "./$1" child 20
    seen_while_held "$1" "./$1" hold 6
}

@test "Go, position independent" {
    build_go 0 pie -buildmode=pie
    readelf -h pie | grep -q 'DYN'
    by_each go_ways pie
}

go_lines() {
    "$PORTWITNESS" run -q -o lines.trace "${options[@]}" -- "./$1" hold 1 < <(sleep 1) >/dev/null
    "$PORTWITNESS" ports lines.trace | grep -q 'main\.go:[0-9]'
    rm lines.trace
}

@test "Go, with C in it, so dynamic: seen, and with its lines, though the shim is in it" {
    build_go 1 cgo
    readelf -d cgo | grep -q 'libc.so.6'
    by_each go_ways cgo
    by_each go_lines cgo
}

# A connect has more functions of Go's library above it than a trace keeps of a stack.
user_lines() {
    "$PORTWITNESS" run -q -o "$trace" "${options[@]}" -- "./$1" dial 20 >said
    "$PORTWITNESS" export --format jsonl "$trace" >records
    assert_equal "$(jq 'select((.kind == "bind" or .kind == "connect") and .source != "shim")
        | [.frames[]? | select(.of == "user")] | length > 0' records | sort -u)" true
}

@test "Go, with and without C in it: the lines of its calls" {
    build_go 1 cgo
    build_go 0 plain
    by seccomp user_lines cgo
    by seccomp user_lines plain
    by_ebpf user_lines cgo
}

@test "Go, stripped of names and debug information" {
    build_go 0 bare -trimpath -ldflags='-s -w'
    assert_equal "$(nm bare 2>/dev/null)" ''
    by_each go_ways bare
}

setuid_seen() {
    options+=(--shared)
    seen ports.setuid setpriv --reuid 65534 --regid 65534 --clear-groups "$open/ports.setuid" loop 100
}

@test "a setuid program of another user" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    cp "$capture/ports" "$open/ports.setuid"
    chmod 4755 "$open/ports.setuid"
    by_ebpf setuid_seen
}

in_32_bits() {
    seen ports.32 ./ports.32 loop "$CAPTURED"
    seen ports.32 ./ports.32 connect 30
    seen_while_held ports.32 ./ports.32 hold 6
}

@test "a program of 32 bits" {
    [ "$(uname -m)" = x86_64 ] || skip 'for x86-64'
    gcc -m32 -static -std=c11 -D_GNU_SOURCE -o ports.32 "$root/tests/guests/capture/ports.c"
    ./ports.32 loop 1 >bare || skip 'this kernel runs no programs of 32 bits'
    by_ebpf in_32_bits
}

go_test() {
    cp -r "$root/tests/guests/capture/go" module
    record sh -c 'cd module && go test -count=1 -v ./web' >said
    rm -r module
    grep -q '^--- PASS: TestServers' said
    # Twenty servers, and a client of each.
    assert_equal "$(said_ports said | wc -l)" 40
    same_ports said
    no_blind_spots
}

@test "go test, whose tests start servers by net/http/httptest" {
    by_each go_test
}

# as_traced PATTERN COMMAND...: a program that says nothing of its ports, under strace as a whole, which does not
# change what is seen of it: each port that Go's library read by getsockname is in the trace. PATTERN
# is what it prints when it is through; at least AT_LEAST ports.
as_traced() {
    "${in_namespace[@]}" strace -f -qq -e trace=getsockname -e signal=none -o calls \
        "$PORTWITNESS" run -o "$trace" "${options[@]}" -- "${@:3}" >said 2>"$summary" 3>&-
    grep -q "$1" said || { tail -n 30 said; return 1; }
    sed -nE 's/.*getsockname(\([0-9]+, | resumed>)\{sa_family=AF_INET6?, sin6?_port=htons\(([0-9]+)\).* = 0$/\2/p' calls |
        grep -vx 0 | sort -u >expected
    [ "$(wc -l <expected)" -ge "$2" ]
    rows '.[] | select(.port != null) | .port' | sort -u >found
    comm -23 expected found >missing
    [ ! -s missing ] || { echo 'missing:'; head missing; return 1; }
    no_blind_spots
}

own_tests() {
    as_traced '^PASS$' 20 ./httptest.test -test.count=1
    rm "$trace"
    as_traced '^PASS$' 100 ./net.test -test.short -test.count=1 \
        -test.run '^Test(TCP|UDP|Listen|Dual|Dial.*(Local|Loopback|Stopped|Closed)|Close|Accept|Read|Write|Conn|Packet)'
}

@test "Go's own tests of net/http/httptest and of net, as far as they need no network" {
    needs strace
    go test -c -o httptest.test net/http/httptest
    go test -c -o net.test net
    # They read files beside their sources.
    cp -r "$(go env GOROOT)/src/net/testdata" .
    by_each own_tests
}

# server COUNT COMMAND...: a server with at least so many sockets that listen, or wait for packets: the trace has
# those that the kernel has, with their owners.
server() {
    start "${@:2}"
    listening() { agrees '.call != "connect"' && [ "$(grep -c . <<<"$held")" -ge "$at_least" ]; }
    local at_least=$1
    wait_for listening || { cat differs "$summary"; return 1; }
    printf '# %s\n' "$held"
    # What it prints about its end is of no interest here.
    kill -TERM "$guest"
    finish || [ $? -lt 160 ]
    no_blind_spots
    rm -rf tsdb data
}

@test "caddy" {
    needs caddy
    printf ':18080 {\n respond "words"\n}\n' >Caddyfile
    by_each server 2 caddy run --config Caddyfile --adapter caddyfile
}

@test "etcd" {
    needs etcd
    by_each server 2 etcd --data-dir data
}

@test "prometheus" {
    needs prometheus
    echo 'global: {}' >prometheus.yml
    by_each server 1 prometheus --config.file=prometheus.yml --storage.tsdb.path=tsdb --web.listen-address=127.0.0.1:0
}

@test "prometheus-node-exporter" {
    needs prometheus-node-exporter
    by_each server 1 prometheus-node-exporter --web.listen-address=127.0.0.1:0
}

@test "nats-server" {
    needs nats-server
    by_each server 2 nats-server -a 127.0.0.1 -p -1 -m 18222
}

@test "syncthing" {
    needs syncthing
    by_each server 7 syncthing serve --no-browser --home=data --gui-address=127.0.0.1:18384
}

@test "rclone serve" {
    needs rclone
    by_each server 1 rclone serve http . --addr 127.0.0.1:0
}

@test "kubectl proxy" {
    needs kubectl
    cat >kubeconfig <<'YAML'
apiVersion: v1
kind: Config
clusters: [{name: here, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: here, context: {cluster: here, user: ""}}]
current-context: here
YAML
    by_each server 1 kubectl proxy --port=0 --kubeconfig kubeconfig
}

chromium_seen() {
    options+=(--shared)
    rm -rf "$open/profile"
    mkdir "$open/profile"
    chown 65534:65534 "$open/profile"
    start setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$open/profile" chromium --headless --disable-gpu \
        --user-data-dir="$open/profile" --remote-debugging-port=0 about:blank
    wait_for test -s "$open/profile/DevToolsActivePort"
    local port
    port=$(head -n 1 "$open/profile/DevToolsActivePort")
    kernel_table >kernel
    grep -q "^tcp 127.0.0.1 $port " kernel
    is_recorded() { [ "$(rows --argjson port "$port" 'map(select(.port == $port and .held_to_ns == null)) | length')" = 1 ]; }
    wait_for is_recorded
    kill -TERM "$guest"
    finish || [ $? -lt 160 ]
    no_blind_spots
}

@test "Chromium in its sandbox: its port is seen, and no program is a blind spot" {
    needs chromium
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    by_ebpf chromium_seen
}
