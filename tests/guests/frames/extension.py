"""Calls that go past the socket module, as an extension module makes them: with the interpreter's lock
held (PyDLL), where the stack may be walked, and without (CDLL), where nobody may look at it."""
import ctypes
import signal
import socket
import sys

holding, released = ctypes.PyDLL(None), ctypes.CDLL(None)
LOOPBACK = (socket.AF_INET.to_bytes(2, "little") + bytes(2) + socket.inet_aton("127.0.0.1") + bytes(8))


def refuse(event, arguments):
    if event == "socket.bind":
        raise PermissionError


def bind_held():
    fd = socket.socket().detach()
    holding.bind(fd, LOOPBACK, 16)  # bind bind_held


def bind_released():
    fd = socket.socket().detach()
    released.bind(fd, LOOPBACK, 16)


def bind_as_a_handler_would():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    fd = socket.socket().detach()
    holding.bind(fd, LOOPBACK, 16)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])


def bind_with_the_number_of_a_refused_one():
    with socket.socket() as probe:
        number = probe.fileno()
        try:
            probe.bind(("127.0.0.1", 0))
        except PermissionError:
            pass
    fd = socket.socket().detach()
    assert fd == number
    released.bind(fd, LOOPBACK, 16)


bind_held()
bind_released()
bind_as_a_handler_would()
sys.addaudithook(refuse)
bind_with_the_number_of_a_refused_one()
