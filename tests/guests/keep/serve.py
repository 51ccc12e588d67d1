"""Binds each number of the arguments, and says "bound" or "lost" for each.

serve.py [udp] PORT...
"""
import errno
import os
import socket
import sys


def serve_all(ports, kind=socket.SOCK_STREAM):
    for port in ports:
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", int(port)))
                if kind == socket.SOCK_STREAM:
                    one.listen()
                os.write(1, b"bound\n")
            except OSError as problem:
                assert problem.errno == errno.EADDRINUSE, problem
                os.write(1, b"lost\n")


if __name__ == "__main__":
    if sys.argv[1] == "udp":
        serve_all(sys.argv[2:], socket.SOCK_DGRAM)
    else:
        serve_all(sys.argv[1:])
