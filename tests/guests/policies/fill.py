"""A stranger that takes what is left of the range, of both protocols, and holds it: fill.py READY.

It serves at port 9000, and makes the file READY when it has all.
"""
import socket
import sys
import time

HERE = "127.0.0.1"
held = []
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    held.append(socket.socket(type=kind))
    held[-1].bind((HERE, 9000))
    if kind == socket.SOCK_STREAM:
        held[-1].listen(64)
    try:
        while True:
            held.append(socket.socket(type=kind))
            held[-1].bind((HERE, 0))
    except OSError:
        pass
open(sys.argv[1], "w").close()
time.sleep(100)
