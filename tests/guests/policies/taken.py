"""The ports of a range that somebody has: taken.py tcp|udp LOW HIGH. Holds none of them."""
import socket
import sys

protocol, low, high = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for port in range(low, high + 1):
    with socket.socket(type={"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[protocol]) as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            print(port)
