# A number is picked on one endpoint and bound on another, where somebody has all numbers all the time:
#   udp:       picked over TCP, bound over UDP
#   wildcard:  picked on 127.0.0.1, bound on 0.0.0.0, while a sidecar listens on 127.0.0.2
#   six:       picked on 127.0.0.1, bound on ::1
import socket, subprocess, sys

TCP, UDP, IP4, IP6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
HELD = {"udp": (IP4, UDP, "127.0.0.1"), "wildcard": (IP4, TCP, "127.0.0.2"), "six": (IP6, TCP, "::1")}
BOUND = {"udp": (IP4, UDP, "127.0.0.1"), "wildcard": (IP4, TCP, "0.0.0.0"), "six": (IP6, TCP, "::1")}


def bind(family, kind, address, port):
    one = socket.socket(family, kind)
    one.bind((address, port))
    if kind == TCP:
        one.listen()
    return one


def pick_and_bind():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        bind(*BOUND[sys.argv[1]], port)
    except OSError as error:
        return f"{port}: {error}"
    return 99


if len(sys.argv) > 2:  # somebody else
    held = [bind(*HELD[sys.argv[1]], port) for port in range(20000, 20004)]
    print("ready", flush=True)
    sys.stdin.read()
else:
    with subprocess.Popen(["python3", "pick.py", sys.argv[1], "other"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        status = pick_and_bind()
        other.stdin.close()
    sys.exit(status)
