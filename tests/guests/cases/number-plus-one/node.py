# A cluster node is given one number and uses the next one as well, its bus. The test picks the first by port 0;
# nobody looks whether the next is free, and here it is the source port of somebody's connection.
import socket, subprocess, sys


def pick(taken):
    probes = []  # kept open, so that each is given another number
    while True:
        probes.append(socket.create_server(("127.0.0.1", 0)))
        port = probes[-1].getsockname()[1]
        if port + 1 in taken:
            return port


if sys.argv[1] == "other":
    hub = socket.create_server(("127.0.0.1", 631), backlog=99)
    connections = [socket.create_connection(("127.0.0.1", 631)) for _ in range(20)]
    print(*(connection.getsockname()[1] for connection in connections), flush=True)
    sys.stdin.read()
elif sys.argv[1] == "node":
    client = socket.create_server(("127.0.0.1", int(sys.argv[2])))
    bus = socket.create_server(("127.0.0.1", int(sys.argv[2]) + 1))
else:
    with subprocess.Popen(["python3", "node.py", "other"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        port = pick([int(word) for word in other.stdout.readline().split()])
        status = subprocess.run(["python3", "node.py", "node", str(port)]).returncode
        other.stdin.close()
    sys.exit(status)
