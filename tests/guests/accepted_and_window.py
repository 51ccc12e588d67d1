"""Connections that are accepted, so that their sockets lie in a list of the trace, and a race window."""
import socket

with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
    callers = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    served = [server.accept()[0] for _ in range(3)]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    number = probe.getsockname()[1]
socket.create_server(("127.0.0.1", number)).close()
