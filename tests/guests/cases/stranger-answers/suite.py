# Worker A picks a number and starts its server with it, which ends without ever binding it. Worker B is given the
# number for port 0, and serves. A's test asks "its" server, and is answered by B's.
import socket, subprocess, sys, threading


def serve(server, word):
    while True:
        peer, _ = server.accept()
        peer.sendall(word)
        peer.close()


def take(number):
    held = [socket.create_server(("127.0.0.1", 0))]
    while held[-1].getsockname()[1] != number:
        held.append(socket.create_server(("127.0.0.1", 0)))
    return held


if sys.argv[1] == "B":
    for server in take(int(sys.stdin.readline())):
        threading.Thread(target=serve, args=(server, b"B"), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
elif sys.argv[1] == "A":
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    subprocess.run(["python3", "suite.py", "server", str(port)])
    print(port, flush=True)
    sys.stdin.readline()
    answer = socket.create_connection(("127.0.0.1", port)).recv(9)
    sys.exit(1 if answer == b"B" else 99)
