# A suite with one racy helper, free_port; with RACY=no the server takes what it gets. $MEETING is a folder
# in which the tests wait for each other: what else may take hours to happen.
# shellcheck disable=SC2154 # set by bats

load "$PORTWITNESS_BATS"

free_port() {
    python3 -c 'import socket
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    print(probe.getsockname()[1])'
}

wait_for() {
    local try
    for ((try = 0; try < 1000; try++)); do
        [ ! -e "$MEETING/$1" ] || return 0
        sleep 0.02
    done
}

# serve PORT NAME OTHER: until the other test has tried to.
serve() {
    python3 -c 'import os, socket, sys, time
port, me, other = sys.argv[1:]
try:
    server = socket.create_server(("127.0.0.1", int(port)))
finally:
    open(me + "-tried", "w").close()
while not os.path.exists(other + "-tried"):
    time.sleep(0.02)' "$1" "$MEETING/$2" "$MEETING/$3"
}

@test "the cart adds" {
    port=0
    [ "${RACY-}" = no ] || port=$(free_port)
    touch "$MEETING/cart-picked"
    wait_for checkout-picked
    serve "$port" cart checkout
}

@test "the checkout pays" {
    wait_for cart-picked
    port=0
    [ "${RACY-}" = no ] || port=$(free_port)
    touch "$MEETING/checkout-picked"
    wait_for cart-tried
    serve "$port" checkout cart
}
