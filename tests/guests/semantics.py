"""Situations in which a port is bound or free, each made and proved on the kernel at once.

    semantics.py SITUATION run|hand      under `portwitness run`, or under the shim alone

Every request for a port that is made here is also told on stdout, as a JSON object a line, in the
terms of `portwitness ports`: what must be reported of it, no more and no less. `from` and `to` are
[earliest, latest] in nanoseconds of CLOCK_MONOTONIC, `to` null where no end may be claimed, a list
of words one of them. What the
kernel does is not taken for granted: where it differs from what a situation is to show, the program
fails. It is meant for a network namespace of its own.
"""
import errno
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # the folder of the tests stays as it is
from situation import *  # noqa: E402,F403

# Left side of the table: the port is free though a descriptor is open.


def refused_connect():
    target, target_row = closed_port()
    made, row = bound()
    refusal = ends(row, "connect-failed", made.connect, target.getsockname())
    must(isinstance(refusal, ConnectionRefusedError), f"the connect ended with {refusal}")
    is_free(row["port"])
    close(target, target_row)


def refused_autobind():
    target, target_row = closed_port()
    made = tcp()
    refusal, when = timed(made.connect, target.getsockname())
    must(isinstance(refusal, ConnectionRefusedError), f"the connect ended with {refusal}")
    row = tell(about(made), call="connect", end_known_by="connect-failed", to=when)
    row["from"] = when
    must(row["port"] != 0, "getsockname does not tell the lost port any more")
    is_free(row["port"])
    close(target, target_row)


def shut_listener():
    made, row = listener()
    is_taken(row["port"])
    ends(row, "shutdown", made.shutdown, socket.SHUT_RDWR)
    is_free(row["port"])


def half_shut_listener():
    """SHUT_WR does nothing to a listener."""
    made, row = listener()
    timed(made.shutdown, socket.SHUT_WR)
    is_taken(row["port"])
    close(made, row)
    is_free(row["port"])


def disconnect():
    server, server_row, client, client_row, accepted = connected(reuse=True)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    ends(client_row, "disconnect", dissolve, client)
    is_free(client_row["port"])
    accepted.close()
    close(server, server_row)


def disconnect_udp():
    made, row = bound(udp())
    made.connect((HERE, 9))
    ends(row, "disconnect", dissolve, made)
    is_free(row["port"], kind=socket.SOCK_DGRAM)


def kept_by_number():
    """A port that was asked for by number stays with its socket in all these cases."""
    spare, spare_row = bound()
    port = spare_row["port"]
    close(spare, spare_row)
    made = tcp()
    row = request(made, made.bind, (HERE, port), requested=port)
    made.listen(1)
    made.shutdown(socket.SHUT_RDWR)
    is_taken(port)
    target, target_row = closed_port()
    timed(made.connect, target.getsockname())
    is_taken(port)
    dissolve(made)
    is_taken(port)
    close(made, row)
    is_free(port)
    close(target, target_row)


def reset_by_peer():
    server, server_row, client, client_row, accepted = connected(reuse=True)
    is_taken(client_row["port"])
    _, when = timed(reset, accepted)
    timed(client.recv, 1)
    is_free(client_row["port"])
    # Nobody reports the reset to the shim, to which the close proves the end; eBPF sees that itself.
    destroyed(client_row, client.close)
    if under_run:
        client_row["to"][0] = when[0]
    close(server, server_row)


# Right side: the port is taken though nobody has a descriptor of the socket.


def client_time_wait():
    server, server_row, client, client_row, accepted = connected(reuse=True)
    client.close()
    accepted.recv(1)
    accepted.close()
    is_taken(client_row["port"])
    is_taken(client_row["port"], reuse=True)
    close(server, server_row)


def client_reset():
    """The opposite: a client that resets leaves nothing behind."""
    server, server_row, client, client_row, accepted = connected(reuse=True)
    ends(client_row, "closed", reset, client)
    is_free(client_row["port"])
    accepted.close()
    close(server, server_row)


def server_time_wait():
    """TIME_WAIT at the other side holds the listener's port, also against SO_REUSEADDR."""
    server, server_row, client, client_row, accepted = connected()
    server.close()
    accepted.close()
    client.recv(1)
    destroyed(client_row, client.close)
    settle(client_row["port"])
    is_free(client_row["port"])
    is_taken(server_row["port"])
    is_taken(server_row["port"], reuse=True)


def server_time_wait_shared():
    """Where the listener had set SO_REUSEADDR another one that sets it takes the port at once."""
    server, server_row, client, client_row, accepted = connected(reuse=True)
    server.close()
    close(accepted, server_row)
    client.recv(1)
    destroyed(client_row, client.close)
    settle(client_row["port"])
    is_taken(server_row["port"])
    is_free(server_row["port"], reuse=True)


def outlived_listener():
    server, row, client, client_row, accepted = connected()
    server.close()
    is_taken(row["port"])
    client.close()
    accepted.recv(1)
    is_taken(row["port"])
    destroyed(row, accepted.close)
    settle(row["port"])
    is_free(row["port"])


def outlived_listener_shared():
    """With SO_REUSEADDR it is enough that the accepted connection was closed, whoever was first."""
    server, row, client, client_row, accepted = connected(reuse=True)
    server.close()
    is_taken(row["port"])
    ends(client_row, "closed", reset, client)
    close(accepted, row)
    is_free(row["port"])


def in_flight():
    made, row = bound()
    here, there = socket.socketpair()
    socket.send_fds(here, [b"x"], [made.fileno()])
    made.close()
    is_taken(row["port"])
    _, numbers, _, _ = socket.recv_fds(there, 1, 1)
    is_taken(row["port"])
    ends(row, "closed", os.close, numbers[0])
    is_free(row["port"])


def lost_in_flight():
    """Nobody ever receives it: the kernel destroys it with the message."""
    made, row = bound()
    here, there = socket.socketpair()
    socket.send_fds(here, [b"x"], [made.fileno()])
    made.close()
    is_taken(row["port"])
    here.close()
    destroyed(row, there.close)
    is_free(row["port"])


# Requests for a port that are no bind.


def autobind_by_listen():
    made = tcp()
    row = request(made, made.listen, 1)
    must(row["address"] == "0.0.0.0", "an unbound listener has all addresses")
    is_taken(row["port"])
    close(made, row)
    is_free(row["port"])


def autobind_by_connect():
    server, server_row, client, client_row, accepted = connected(reuse=True)
    is_taken(client_row["port"])
    ends(client_row, "closed", reset, client)
    accepted.close()
    close(server, server_row)


def autobind_by_udp_connect():
    made = udp()
    row = request(made, made.connect, (HERE, 9))
    is_taken(row["port"], kind=socket.SOCK_DGRAM)
    close(made, row)


def autobind_by_send():
    made = udp()
    row = request(made, made.sendto, b"x", (HERE, 9))
    made.sendto(b"y", (HERE, 9))
    is_taken(row["port"], kind=socket.SOCK_DGRAM)
    close(made, row)
    is_free(row["port"], kind=socket.SOCK_DGRAM)


def autobind_by_failing_send():
    """The socket is bound before the way to the destination is looked for, and stays bound."""
    made = udp()
    error, when = timed(made.sendto, b"x", ("203.0.113.1", 9))
    must(isinstance(error, OSError), "there is a way to 203.0.113.1")
    row = tell(about(made), call="sendto")
    row["from"] = when
    is_taken(row["port"], kind=socket.SOCK_DGRAM)
    close(made, row)


def bind_address_no_port():
    """The bind asks for no port; the connect does."""
    server, server_row = listener()
    made = tcp()
    made.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    made.bind((HERE, 0))
    must(made.getsockname()[1] == 0, "bind assigned a port all the same")
    row = request(made, made.connect, server.getsockname())
    is_taken(row["port"])
    ends(row, "closed", reset, made)
    close(server, server_row)


# One socket, one row, whoever has descriptors of it.


def duplicated():
    made, row = bound()
    others = [made.dup(), socket.socket(fileno=os.dup2(made.fileno(), 200))]
    made.close()
    others[0].close()
    is_taken(row["port"])
    close(others[1], row)
    is_free(row["port"])


def replaced():
    """dup2 over the last descriptor closes the socket."""
    made, row = bound()
    null = os.open(os.devnull, os.O_RDONLY)
    ends(row, "closed", os.dup2, null, made.fileno())
    is_free(row["port"])
    made.close()


def in_child(action):
    """A forked child that acts when told to. Returns how to tell it."""
    to_child, from_parent = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(from_parent)
        os.read(to_child, 1)
        action()
        os._exit(0)
    os.close(to_child)

    def go():
        os.close(from_parent)
        must(os.waitpid(child, 0)[1] == 0, "the child ended with success")

    return go


def forked():
    made, row = bound()
    go = in_child(made.close)
    made.close()
    is_taken(row["port"])
    ends(row, "closed", go)
    is_free(row["port"])


def executed():
    """A program started with the descriptor holds the port until it closes it."""
    made, row = bound()
    program = "import os, sys; sys.stdin.read(); os.close(int(sys.argv[1]))"
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(made.fileno())],
        pass_fds=[made.fileno()],
        stdin=subprocess.PIPE,
    )
    made.close()
    is_taken(row["port"])
    ends(row, "closed", child.communicate)
    is_free(row["port"])


def closed_on_exec():
    """A descriptor that is close-on-exec goes with the exec, whatever the program does later."""
    made, row = bound()
    begin = time.monotonic_ns()
    row.update(end_known_by="closed", to=[begin, begin + NOTICED])
    program = "import sys; sys.stdout.write(sys.argv[1])"
    os.execv(sys.executable, [sys.executable, "-c", program, told()])


def passed_on():
    """Another process receives it and closes it last."""
    made, row = bound()
    here, there = socket.socketpair()

    def receive():
        _, numbers, _, _ = socket.recv_fds(there, 1, 1)
        must(numbers[0] != -1, "the descriptor arrived")
        os.close(numbers[0])

    made_elsewhere = made.dup()
    go = in_child(lambda: (made.close(), made_elsewhere.close(), receive()))
    socket.send_fds(here, [b"x"], [made.fileno()])
    made.close()
    made_elsewhere.close()
    is_taken(row["port"])
    ends(row, "closed", go)
    is_free(row["port"])


# How an end is known.


def ends_by_exit():
    made, row = bound()
    made.detach()  # Python closes what it knows of at its end
    begin = time.monotonic_ns()
    row.update(end_known_by=["exit", "destroyed"] if under_run else "exit", to=[begin, begin + NOTICED])


def killed():
    """By hand nobody is left to report a SIGKILL."""
    made = tcp()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        row = request(made, made.bind, (HERE, 0))
        os.write(writing, json.dumps(row).encode())
        signal.pause()
    row = tell(json.loads(os.read(reading, 4096)))
    made.close()
    is_taken(row["port"])
    begin = time.monotonic_ns()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    is_free(row["port"])
    if under_run:
        row.update(end_known_by=["exit", "destroyed"], to=[begin, begin + NOTICED])


# What keeps rows apart, and how addresses are written.


def equal_numbers():
    """One number, five sockets."""
    made, row = bound()
    port = row["port"]
    kept = [(made, row)]
    for other, host in (
        (tcp(), "127.0.0.2"),
        (udp(), HERE),
        (udp(), "127.0.0.2"),
        (tcp(socket.AF_INET6), "::1"),
    ):
        kept.append((other, request(other, other.bind, (host, port), requested=port)))
    for other, its_row in kept:
        close(other, its_row)


def equal_numbers_in_namespaces():
    made, row = bound()
    port = row["port"]
    must(libc.unshare(0x40000000) == 0, "unshare(CLONE_NEWNET)")  # its loopback is down: use all
    other = tcp()
    other_row = request(other, other.bind, ("0.0.0.0", port), requested=port)
    close(other, other_row)
    # The first one stayed where it was made, and is released here.
    row["netns"], other_row["netns"] = "one", "other"
    close(made, row)


def addresses():
    for made, host in (
        (tcp(), "0.0.0.0"),
        (tcp(), "127.0.0.9"),
        (tcp(socket.AF_INET6), "::1"),
        (tcp(socket.AF_INET6), "::ffff:127.0.0.1"),
        (udp(socket.AF_INET6), "::"),
    ):
        made, row = bound(made, host)
        must(row["address"] == host, f"{row['address']} is not {host}")
        close(made, row)


def dual_stack():
    """One row, that of ::, which takes the number for IPv4 as well unless IPV6_V6ONLY is set."""
    made, row = bound(tcp(socket.AF_INET6), "::")
    is_taken(row["port"], host="0.0.0.0")
    close(made, row)
    alone = tcp(socket.AF_INET6)
    alone.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    alone, row = bound(alone, "::")
    is_free(row["port"], host="0.0.0.0")
    close(alone, row)


def scoped_address():
    """The same link-local address is another one on another link."""
    index = socket.if_nametoindex("lo")
    made = tcp(socket.AF_INET6)
    row = request(made, made.bind, ("fe80::1", 0, 0, index))
    row["address"] = f"fe80::1%{index}"
    close(made, row)


def failures():
    """Requests that got no port, each with its error."""
    made, row = bound()
    is_taken(row["port"])
    for host, number, error in (("203.0.113.1", 0, "EADDRNOTAVAIL"), (HERE, row["port"], "EADDRINUSE")):
        other = tcp()
        failure, _ = timed(other.bind, (host, number))
        must(errno.errorcode[failure.errno] == error, f"{host} {number}: {failure}")
        tell(
            {**about(other, number), "address": host, "port": None, "call": "bind"},
            error=error,
            end_known_by=None,
        )
        other.close()
    close(made, row)


def exhausted():
    """A range that is full: the request for any port fails."""
    kept = []
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as limits:
        limits.write("40000 40007")
    while True:
        made = tcp()
        result, when = timed(made.bind, (HERE, 0))
        row = tell(about(made), call="bind")
        if isinstance(result, OSError):
            row.update(
                address=HERE, port=None, error=errno.errorcode[result.errno], end_known_by=None
            )
            break
        row["from"] = when
        kept.append((made, row))
    must(len(kept) == 8, f"the range of 8 gave {len(kept)}")
    for made, row in kept:
        close(made, row)


def main():
    situation = globals()[sys.argv[1]]
    situation()
    sys.stdout.write(told())


main()
