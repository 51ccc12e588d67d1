# Picks a port, waits until the other has, serves on it, and waits until the other has tried to.
# shellcheck shell=bash

wait_for() {
    local i
    for ((i = 0; i < 4000; i++)); do
        [ ! -e "$1" ] || return 0
        sleep 0.005
    done
    return 1
}

pick() {
    if [ "${RACY:-1}" = 0 ]; then
        echo 0
    else
        python3 "$BATS_TEST_DIRNAME/free_port.py"
    fi
}

# both_serve ME OTHER
both_serve() {
    local port status=0
    [ "$1" = cart ] || wait_for "picked.$2"
    port=$(pick)
    touch "picked.$1"
    wait_for "picked.$2"
    mkfifo "input.$1"
    python3 "$BATS_TEST_DIRNAME/server.py" "$port" <"input.$1" >"output.$1" 2>&1 3>&- &
    exec 8>"input.$1"
    until grep -q . "output.$1"; do sleep 0.01; done
    touch "served.$1"
    wait_for "served.$2"
    exec 8>&-
    wait $! || status=$?
    return "$status"
}
