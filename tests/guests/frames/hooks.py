"""A program with audit hooks of its own, which refuse a bind to 127.0.0.2, add no event but those that
are right, and raise at a port of their own."""
import socket
import sys

seen = []


def hook(event, arguments):
    if event.startswith("socket.") or event == "sys.addaudithook":
        seen.append(event)
    if event == "socket.bind" and arguments[1][0] == "127.0.0.2":
        raise PermissionError("not here")


def refused(probe):
    try:
        probe.bind(("127.0.0.2", 0))
    except PermissionError as error:
        print(error)


def binds(probe):
    probe.bind(("127.0.0.1", 0))  # bind binds


sys.addaudithook(hook)
probe = socket.socket()
refused(probe)
probe.listen()  # a port of its own, and no event
probe.close()
again = socket.socket()
refused(again)
binds(again)
print(seen)
