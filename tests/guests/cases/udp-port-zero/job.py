# A QUIC-like listener on port 0 with SO_REUSEPORT set. What it sends to itself may come to the other socket that
# was given the number.
import socket, sys

listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("127.0.0.1", 0))
print("up", flush=True)
sys.stdin.readline()
listener.sendto(b"hello", listener.getsockname())
try:
    listener.recv(9, socket.MSG_DONTWAIT)
    status = 0
except BlockingIOError:
    status = "a datagram went astray"
print("asked", flush=True)
sys.stdin.readline()
sys.exit(status)
