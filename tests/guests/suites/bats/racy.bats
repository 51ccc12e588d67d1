# Tests of a command-line server, whose port a helper chooses beforehand.
# shellcheck disable=SC2154 # set by bats

bats_require_minimum_version 1.5.0

free_port() {
    python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1]); s.close()'
}

setup() {
    port=$(free_port)
    cd "$BATS_TEST_TMPDIR" || return
    echo hello >index.html
    python3 -m http.server --bind 127.0.0.1 "$port" >log 2>&1 3>&- &
    server=$!
}

teardown() {
    kill "$server" 2>/dev/null || true
}

fetch() {
    local i
    for ((i = 0; i < 1200; i++)); do
        kill -0 "$server" || return
        python3 -c 'import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=5).read().decode())' \
            "http://127.0.0.1:$port/$1" 2>/dev/null && return
        sleep 0.05
    done
    return 1
}

@test "it serves the index" {
    run fetch index.html
    [ "$status" -eq 0 ]
    [ "$output" = hello ]
}

@test "it serves a new file" {
    echo new >new.txt
    run fetch new.txt
    [ "$output" = new ]
}
