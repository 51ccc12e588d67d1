# A picker makes its number safe: it connects to its own listener and closes the accepted end first, so the port
# stays in TIME_WAIT. No port-0 request is given it for a minute; a server with SO_REUSEADDR can bind it.
import socket, subprocess, sys

SERVER = "import socket, sys; socket.create_server(('127.0.0.1', int(sys.argv[1])))"


def reserve():
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()) as client:
            accepted, _ = listener.accept()
            accepted.close()  # first: the TIME_WAIT is at this end
            client.recv(1)
        return listener.getsockname()[1]


for _ in range(2):
    port = reserve()
    others = [socket.create_server(("127.0.0.1", 0)) for _ in range(20)]
    if port in [other.getsockname()[1] for other in others]:
        sys.exit(99)
    subprocess.run(["python3", "-c", SERVER, str(port)], check=True)
