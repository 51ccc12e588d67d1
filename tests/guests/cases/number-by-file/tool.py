# A setup step picks a number, which comes to the server by a file, by its arguments, or from a port server by
# HTTP. Meanwhile another test asks for port 0 until it has been given that number; its input names it.
import json, socket, sys, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer


def pick():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Give(BaseHTTPRequestHandler):
    log_message = lambda *words: None

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(pick()).encode())


def take(number):
    held = [socket.socket()]
    held[0].bind(("127.0.0.1", 0))
    while held[-1].getsockname()[1] != number:
        held.append(socket.socket())
        held[-1].bind(("127.0.0.1", 0))
    return held


def ask():
    with urllib.request.urlopen("http://127.0.0.1:9000/") as answer:
        return int(answer.read())


what = sys.argv[1]
if what == "pick":
    print(json.dumps({"port": pick()}))
elif what == "portserver":
    server = HTTPServer(("127.0.0.1", 9000), Give)
    print("up", flush=True)
    server.handle_request()
    sys.stdin.readline()
elif what == "busy":
    held = take(json.loads(sys.stdin.readline())["port"])
    print("taken", flush=True)
    sys.stdin.readline()
else:
    port = json.load(open(sys.argv[2]))["port"] if what == "file" else int(sys.argv[2]) if what == "words" else ask()
    if what == "http":
        print(json.dumps({"port": port}), flush=True)
        sys.stdin.readline()
    socket.create_server(("127.0.0.1", port))
