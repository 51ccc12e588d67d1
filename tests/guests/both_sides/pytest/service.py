import http.server

from conftest import kept_port
from turns import both, wait_for


class Service:
    def __init__(self, me, other):
        self.me, self.other = me, other
        if me == "checkout":
            wait_for("picked", other)
        self.port = kept_port()
        both("picked", me, other)

    def serve(self):
        return http.server.HTTPServer(("127.0.0.1", self.port), None)

    def run(self):
        try:
            with self.serve() as server:
                both("served", self.me, self.other)
                return server.server_address[1]
        finally:
            both("served", self.me, self.other)
