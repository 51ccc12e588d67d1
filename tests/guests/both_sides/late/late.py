"""Two processes are given one number in turn, both bind it, and then both listen on it in turn."""
import http.server
import os
import socket


class Other:
    """The other process: each waits for what it says."""

    def __init__(self, reads, writes):
        self.reads, self.writes = reads, writes

    def wait(self):
        os.read(self.reads, 1)

    def tell(self):
        os.write(self.writes, b".")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def serve(port, before_listen):
    class Server(http.server.HTTPServer):
        def server_activate(self):
            before_listen()
            super().server_activate()

    return Server(("127.0.0.1", port), None)


def cart(other):
    port = free_port()
    other.tell()
    other.wait()

    def both_have_bound():
        other.tell()
        other.wait()

    with serve(port, both_have_bound):
        other.tell()
        other.wait()


def checkout(other):
    other.wait()
    port = free_port()
    other.tell()

    def the_other_listens():
        other.wait()
        other.tell()
        other.wait()

    try:
        serve(port, the_other_listens).server_close()
    except OSError as error:
        print(error)
    other.tell()


def main():
    one, two = os.pipe(), os.pipe()
    for side, other in ((cart, Other(one[0], two[1])), (checkout, Other(two[0], one[1]))):
        if os.fork() == 0:
            side(other)
            os._exit(0)
    for _ in range(2):
        os.wait()


main()
