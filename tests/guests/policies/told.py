"""Does what it is told, a line each, and answers with a line: what came of it, or the name of the error.

What it is told is in the functions below. Sockets that are made stay open to the end.
"""
import errno
import os
import socket
import struct
import sys

HERE = "127.0.0.1"
SERVER = (HERE, 9000)  # outside the range: of fill.py
TYPES = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}
made = []


own_range = []


def narrow(low, high):
    """From then on each socket has that range of its own."""
    own_range.append(struct.pack("=HH", int(low), int(high)))
    return "narrow"


def new(protocol):
    made.append(socket.socket(type=TYPES[protocol]))
    for wanted in own_range:
        made[-1].setsockopt(socket.IPPROTO_IP, 51, wanted)  # IP_LOCAL_PORT_RANGE, Linux 6.3
    return made[-1]


def pick(protocol):
    """A port that is given for port 0, read and released."""
    with new(protocol) as one:
        one.bind((HERE, 0))
        return one.getsockname()[1]


def keep_open(protocol):
    """As pick, but the socket stays open."""
    one = new(protocol)
    one.bind((HERE, 0))
    return one.getsockname()[1]


def bind(protocol, port):
    new(protocol).bind((HERE, int(port)))
    return "bound"


def listen():
    """What was bound last."""
    made[-1].listen()
    socket.create_connection(made[-1].getsockname()).close()
    return "listens"


def hold():
    """How many bind is given for port 0 until it is refused, of each protocol."""
    held = dict.fromkeys(TYPES, 0)
    for protocol in TYPES:
        try:
            while True:
                new(protocol).bind((HERE, 0))
                held[protocol] += 1
        except OSError:
            pass
    return "{tcp} {udp}".format(**held)


def ask(call, protocol):
    """A request for port 0, by each of the calls."""
    one = new(protocol)
    if call == "bind":
        one.bind((HERE, 0))
    elif call == "listen":
        one.listen()
    elif call == "connect":
        one.connect(SERVER)
    else:
        one.sendto(b"x", SERVER)
    return "given"


orders = {order.__name__: order for order in (narrow, pick, keep_open, bind, listen, hold, ask)}
for line in sys.stdin:
    name, *rest = line.split()
    if name == "end":
        os._exit(0)  # else Python reads the number of each open socket, for a warning that it does not show
    try:
        answer = orders[name](*rest)
    except OSError as error:
        answer = errno.errorcode[error.errno]
    print(answer, flush=True)
