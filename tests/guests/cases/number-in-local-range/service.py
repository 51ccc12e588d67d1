# A service has the number 43110, which lies in the range from which the kernel takes source ports: clients
# connect until one of their connections has been given it.
import socket, sys

NUMBER = 43110
if sys.argv[1] == "clients":
    hub = socket.create_server(("127.0.0.1", 631), backlog=200)
    connections = []
    while not connections or connections[-1].getsockname()[1] != NUMBER:
        connections.append(socket.create_connection(("127.0.0.1", 631)))
    print("ready", flush=True)
    sys.stdin.read()
else:
    socket.create_server(("127.0.0.1", NUMBER))
