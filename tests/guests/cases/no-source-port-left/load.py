# A load test opens a connection for each request, and closes it first. Each leaves its source port in TIME_WAIT;
# after as many as there are ports connect fails with "Cannot assign requested address".
import socket

server = socket.create_server(("127.0.0.1", 8000), backlog=99)
for _ in range(99):
    client = socket.create_connection(("127.0.0.1", 8000))
    peer, _ = server.accept()
    client.close()
    peer.recv(1)
    peer.close()
