"""Serves the current folder on a port that nobody had to choose, and writes its number to stdout."""
import http.server


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


with http.server.ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler) as server:
    print(server.server_address[1], flush=True)
    server.serve_forever()
