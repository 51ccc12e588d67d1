"""What the situations of semantics.py are made of: sockets whose rows are told, and proofs by bind."""
import array
import ctypes
import errno
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

IP_BIND_ADDRESS_NO_PORT = 24
HERE = "127.0.0.1"
# Through the loader's global scope, so that these calls pass the same wrappers as a C program's.
libc = ctypes.CDLL(None, use_errno=True)
rows = []
under_run = sys.argv[2:] == ["run"]
# Within this time `run` has read what the kernel reports of the end of a socket or a process.
NOTICED = 3_000_000_000


def tell(row, **more):
    """Adds what is to be reported of one request."""
    rows.append({**row, **more})
    return rows[-1]


def must(condition, what):
    if not condition:
        sys.exit(f"the kernel does otherwise: {what}")


def timed(call, *arguments):
    """The result of a call, or the error that it raised, and the time it was made in."""
    begin = time.monotonic_ns()
    try:
        result = call(*arguments)
    except OSError as error:
        result = error
    return result, [begin, time.monotonic_ns()]


def tcp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_STREAM)


def udp(family=socket.AF_INET):
    return socket.socket(family, socket.SOCK_DGRAM)


def about(made, requested=0, pid=None):
    """What is known of a socket's address, as a row has it."""
    address, port = made.getsockname()[:2]
    kind = {socket.SOCK_STREAM: "tcp", socket.SOCK_DGRAM: "udp"}[made.type]
    if made.family == socket.AF_INET6 and made.getsockname()[3] and "%" not in address:
        address += "%" + socket.if_indextoname(made.getsockname()[3])
    return {
        "port": port,
        "protocol": kind,
        "address": address,
        "requested_port": requested,
        "pid": pid or os.getpid(),
        "end_known_by": "not seen",
        "to": None,
        "error": None,
    }


def request(made, call, *arguments, requested=0):
    """Makes a call that binds a socket and reports it. Returns the row, whose end is still open."""
    result, when = timed(call, *arguments)
    must(not isinstance(result, OSError), f"{call.__name__}: {result}")
    row = tell(about(made, requested))
    must(row["port"] != 0, f"{call.__name__} assigned no port")
    row["from"] = when
    row["call"] = call.__name__
    return row


def bound(made=None, host=HERE):
    """A socket bound by port 0, and its row."""
    made = made or tcp()
    return made, request(made, made.bind, (host, 0))


def ends(row, how, call, *arguments):
    """Makes the call that ends a binding."""
    result, row["to"] = timed(call, *arguments)
    row["end_known_by"] = how
    return result


def close(made, row):
    ends(row, "closed", made.close)


def destroyed(row, call, *arguments):
    """A call after which only the kernel knows that the socket has gone: `run` hears of it."""
    result, when = timed(call, *arguments)
    if under_run:
        row.update(end_known_by="destroyed", to=[when[0], when[1] + NOTICED])
    return result


def try_number(port, kind=socket.SOCK_STREAM, reuse=False, host=HERE):
    """Whether another socket may have the number. What it asks for is told like everything else."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
        result, when = timed(probe.bind, (host, port))
        row = tell({**about(probe, port), "address": host, "call": "bind"})
        if isinstance(result, OSError):
            row.update(port=None, error=errno.errorcode[result.errno], end_known_by=None)
            return False
        row["from"] = when
        close(probe, row)
    return True


def is_free(port, **how):
    must(try_number(port, **how), f"{port} is taken")


def is_taken(port, **how):
    must(not try_number(port, **how), f"{port} is free")


def closed_port():
    """A port at which nobody listens; known because the socket that has it does not."""
    holder, row = bound()
    return holder, row


def dissolve(made):
    """connect(AF_UNSPEC), which Python has no words for."""
    nowhere = struct.pack("H14x", socket.AF_UNSPEC)
    if libc.connect(made.fileno(), nowhere, len(nowhere)) != 0:
        raise OSError(ctypes.get_errno(), "connect(AF_UNSPEC)")


def listener(reuse=False):
    made = tcp()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(reuse))
    made, row = bound(made)
    made.listen(8)
    return made, row


def connected(reuse=False):
    """A listener, a connected client whose port the connect assigned, and the accepted side."""
    server, server_row = listener(reuse)
    client = tcp()
    client_row = request(client, client.connect, server.getsockname())
    accepted, _ = server.accept()
    return server, server_row, client, client_row, accepted


def settle(port):
    """Waits for what goes on without us: until no socket but a TIME_WAIT has the port."""
    for _ in range(6000):
        with open("/proc/net/tcp") as table:
            lines = [line.split() for line in table.readlines()[1:]]
        if not any(int(line[1].split(":")[1], 16) == port and line[3] != "06" for line in lines):
            return
        time.sleep(0.01)
    must(False, f"{port} never settles")


def reset(made):
    """Closes with an RST, which leaves no TIME_WAIT."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    made.close()


def told():
    return "".join(json.dumps(row) + "\n" for row in rows)
