"""Fifty processes in a tree: by fork, by fork and exec, by posix_spawn, by system and by popen.

Each asks for five ports: bind of TCP and of UDP, over IPv4 and IPv6, listen without bind, connect of
UDP, and a send of UDP. Prints a line for each process: its place, and the ports that it was given.
"""
import os
import socket
import subprocess
import sys


def ask(place):
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sockets = [sink]
    sink.bind(("127.0.0.1", 0))
    six = socket.socket(socket.AF_INET6)
    six.bind(("::", 0))
    listener = socket.socket()
    listener.listen()
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.connect(sink.getsockname())
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.sendto(b"x", sink.getsockname())
    sockets += [six, listener, connected, sender]
    ports = [str(one.getsockname()[1]) for one in sockets]
    os.write(1, (" ".join([place] + ports) + "\n").encode())


def leaf(place):
    return [sys.executable, __file__, place]


if len(sys.argv) > 1:
    ask(sys.argv[1])
    sys.exit()
ask("root")
for i in range(20):
    child = os.fork()
    if child == 0:
        ask(f"fork-{i}")
        os._exit(0)
    os.waitpid(child, 0)
together = [subprocess.Popen(leaf(f"exec-{i}")) for i in range(10)]
for child in together:
    child.wait()
for child in [os.posix_spawn(sys.executable, leaf(f"spawn-{i}"), os.environ) for i in range(10)]:
    os.waitpid(child, 0)
for i in range(5):
    os.system(" ".join(leaf(f"system-{i}")))
for stream in [os.popen(" ".join(leaf(f"popen-{i}"))) for i in range(4)]:
    os.write(1, stream.read().encode())
    stream.close()
