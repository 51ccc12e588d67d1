"""Sockets and audit events as no ordinary program has them: none may get a frame, run code that would
not run otherwise, or fail."""
import os
import socket
import sys


class Watched(socket.socket):
    def fileno(self):
        print("fileno was called")
        return super().fileno()


def binds():
    watched = Watched()
    watched.bind(("127.0.0.1", 0))  # bind binds


binds()
sys.audit("socket.bind")
sys.audit("socket.bind", None, None)
sys.audit("socket.connect", Watched, 1)
sys.audit("socket.sendto", object())
local = socket.socket(socket.AF_UNIX)
local.bind("\0portwitness-strange")
number = local.fileno()
local.close()
inet = socket.socket()
assert inet.fileno() == number
inet.listen()
closed = socket.socket()
os.close(closed.detach())
try:
    closed.bind(("127.0.0.1", 0))
except OSError as error:
    print(error.errno)
print(sys.gettrace(), sys.exc_info())
