"""Serves on the port that it is given, until its input ends."""
import http.server
import sys


def serve(port):
    with http.server.HTTPServer(("127.0.0.1", port), None) as server:
        print("up", server.server_address[1], flush=True)
        sys.stdin.read()


serve(int(sys.argv[1]))
