"""A stranger that takes what is left of the range, of both protocols, and holds it: fill.py READY.

As fill.py READY LOW HIGH it holds the TCP ports of that range at ::1, but for those that somebody has
at 127.0.0.1. It serves at port 9000, and makes the file READY when it has all.
"""
import socket
import sys
import time

HERE = "127.0.0.1"
held = []


def hold(kind, port, family=socket.AF_INET, host=HERE):
    held.append(socket.socket(family, kind))
    held[-1].bind((host, port))
    return held[-1]


def is_free(port):
    with socket.socket() as one:
        try:
            one.bind((HERE, port))
        except OSError:
            return False
        return True


hold(socket.SOCK_STREAM, 9000).listen(64)
hold(socket.SOCK_DGRAM, 9000)
if len(sys.argv) > 2:
    for port in filter(is_free, range(int(sys.argv[2]), int(sys.argv[3]) + 1)):
        hold(socket.SOCK_STREAM, port, socket.AF_INET6, "::1")
else:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            while True:
                hold(kind, 0)
        except OSError:
            pass
open(sys.argv[1], "w").close()
time.sleep(100)
