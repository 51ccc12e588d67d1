# The same tests; the server binds port 0 itself and says which number it was given.
# shellcheck disable=SC2154 # set by bats

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    echo hello >index.html
    python3 "$BATS_TEST_DIRNAME/server.py" >port 3>&- &
    server=$!
    local i
    for ((i = 0; i < 1200; i++)); do
        [ ! -s port ] || break
        sleep 0.05
    done
    port=$(cat port)
}

teardown() {
    kill "$server" 2>/dev/null || true
}

fetch() {
    python3 -c 'import sys, urllib.request
sys.stdout.write(urllib.request.urlopen(sys.argv[1], timeout=60).read().decode())' \
        "http://127.0.0.1:$port/$1"
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
