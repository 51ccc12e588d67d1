# env holds many numbers, e.g. SSH_CLIENT="1.2.3.4 50000 22": a fixed port that happens to stand in the environment
export SSH_CLIENT="10.0.0.1 18981 22" PORT=18981
for _ in 1 2 3; do python3 -c 'import socket; s=socket.create_server(("127.0.0.1",18981)); c=socket.create_connection(("127.0.0.1",18981))'; done
