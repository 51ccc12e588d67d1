load "$PORTWITNESS_BATS"

@test "good" { true; }
@test "bad" { false; }
@test "left out" { skip 'not now'; }
@test "binds" { python3 -c 'import socket; socket.create_server(("127.0.0.1", 0))'; }
