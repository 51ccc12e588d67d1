# Lines of PHP: the innermost one, where a script runs. In the guests the lines that make a call say what is
# right of them.
# shellcheck disable=SC2154,SC2034 # variables of common.bash and bats; those for frames.bash

load ../common
load frames

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$root/tests/guests/frames/php
    options=()
}

@test "servers, refused binds, destructors, generators, fibers, handlers, children and shutdown have their lines" {
    record php "$guests/places.php"
    all_right "$guests/places.php" 17
    exported | jq -se '[.[] | select(.frames)] | all(.frames | length == 1 and .[0].of == "user")'
}

@test "compiled code has the same lines" {
    record php -d opcache.enable_cli=1 -d opcache.jit_buffer_size=16M -d opcache.jit=1205 "$guests/places.php"
    all_right "$guests/places.php" 17
}

@test "evaluated code and that of the command line say so, a package is a dependency" {
    record php -r 'eval("\nstream_socket_server(\"tcp://127.0.0.1:0\");");'
    [ "$(framed)" = "bind Command line code(1) : eval()'d code:2 -
listen Command line code(1) : eval()'d code:2 -" ]
    mkdir -p vendor/react/socket
    # shellcheck disable=SC2016 # PHP's variables
    echo '<?php function listens() { return stream_socket_server("tcp://127.0.0.1:0"); }' >vendor/react/socket/a.php
    echo '<?php require "vendor/react/socket/a.php"; listens();' >main.php
    record php main.php
    exported | jq -se '[.[] | select(.frames)] | length == 2 and all(.frames[0].of == "dependency")'
}

@test "the web server for development has no line where no script runs, and its script has" {
    echo '<?php stream_socket_server("tcp://127.0.0.1:0"); echo "served";' >page.php
    PORTWITNESS_QUIET=1 "$PORTWITNESS" run --quiet -o t -- php -S 127.0.0.1:0 >log 2>&1 3>&- &
    server=$!
    wait_for grep -q started log
    port=$(sed -nE 's,.*http://127.0.0.1:([0-9]+).*,\1,p' log | head -1)
    [ "$(curl -s "http://127.0.0.1:$port/page.php")" = served ]
    kill "$server"
    wait "$server" || true
    [ "$(framed | grep -v '^connect')" = "bind none
listen none
bind $PWD/page.php:1 -
listen $PWD/page.php:1 -" ]
}

@test "a program that binds often does not grow" {
    record php "$guests/often.php" "$PHP_BINDS"
    grep -qx 'as large as before' out
    [ "$(framed | sort -u)" = "$(right "$guests/often.php")" ]
}

@test "--no-frames keeps none" {
    options=(--no-frames)
    record php "$guests/places.php"
    [ "$(framed | cut -d' ' -f2- | sort -u)" = none ]
}
