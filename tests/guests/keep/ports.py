"""What the programs in Python share that pick ports and bind them."""
import errno
import socket


def ask_stranger(*words):
    """What the stranger (stranger.py) answers."""
    with socket.socket(socket.AF_UNIX) as door:
        door.connect("stranger")
        with door.makefile("rw") as lines:
            print(*words, file=lines, flush=True)
            return lines.readline().strip()


def pick(host="127.0.0.1", kind=socket.SOCK_STREAM):
    """A number that was free: as a test suite takes it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as one:
        one.bind((host, 0))
        return one.getsockname()[1]


def answer(call, *arguments):
    """ok, or the name of the error."""
    try:
        call(*arguments)
    except OSError as problem:
        return errno.errorcode[problem.errno]
    return "ok"


def serve(port, host="127.0.0.1"):
    """A server at that number which answers one client."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.bind((host, port))
        listener.listen()
        with socket.create_connection((host, port)) as client:
            accepted, _ = listener.accept()
            client.sendall(b"x")
            assert accepted.recv(1) == b"x"
            client.close()
            assert accepted.recv(1) == b""
            accepted.close()
