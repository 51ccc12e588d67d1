# A server on "localhost", any port: it is given a number on 127.0.0.1, holds it, and wants the same one on ::1,
# where another server has been given it. The other one has all numbers there are, so it is each time.
import socket, sys


def listen(family, address, port):
    server = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    server.bind((address, port))
    server.listen()
    return server


if sys.argv[1] == "other":
    others = [listen(socket.AF_INET6, "::1", 0) for _ in range(4)]
    print("ready", flush=True)
    sys.stdin.read()
else:
    four = listen(socket.AF_INET, "127.0.0.1", 0)
    six = listen(socket.AF_INET6, "::1", four.getsockname()[1])
