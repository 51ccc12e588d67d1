import os
import socket


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def kept_port():
    if os.environ.get("RACY", "1") != "0":
        return free_port()
    return 0
