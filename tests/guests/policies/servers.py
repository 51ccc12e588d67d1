"""A correct program: servers that bind port 0 themselves and clients that are told the number.

servers.py TIMES

Ends with an error unless every client got its own answer back, from every kind of address.
"""
import socket
import sys
import threading


def serve(listener):
    connection, _ = listener.accept()
    with connection:
        connection.sendall(connection.recv(100))


for turn in range(int(sys.argv[1])):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as listener, socket.socket(family) as client:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, turn % 2)
            listener.bind((address, 0))
            listener.listen()
            thread = threading.Thread(target=serve, args=(listener,))
            thread.start()
            client.connect(listener.getsockname())
            client.sendall(b"hello %d" % turn)
            assert client.recv(100) == b"hello %d" % turn
            thread.join()
            assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == turn % 2
        with socket.socket(family, socket.SOCK_DGRAM) as one, \
                socket.socket(family, socket.SOCK_DGRAM) as two:
            one.bind((address, 0))
            two.sendto(b"x", one.getsockname())
            data, source = one.recvfrom(10)
            assert source[:2] == (address, two.getsockname()[1])
print("served")
