"""Lets a port go, and then connects to it, again and again: whoever is given that very port is
connected to itself.

self_connect.py TIMES

Prints how often that happened.
"""
import socket
import sys

selves = 0
for _ in range(int(sys.argv[1])):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        first = socket.socket(socket.AF_INET, kind)
        first.bind(("127.0.0.1", 0))
        address = first.getsockname()
        first.close()
        other = socket.socket(socket.AF_INET, kind)
        try:
            other.connect(address)
            selves += other.getsockname() == address
        except ConnectionRefusedError:
            pass
        other.close()
print(f"connected to itself {selves} times")
