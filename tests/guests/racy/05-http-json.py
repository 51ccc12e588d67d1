# port server over HTTP with JSON: the asker is a sibling of the port server
from common import *
import http.server, urllib.request
r, w = os.pipe()
if os.fork() == 0:
    class H(http.server.BaseHTTPRequestHandler):
        def do_GET(self): b = json.dumps({'port': pick()}).encode(); self.send_response(200); self.send_header('content-length', str(len(b))); self.end_headers(); self.wfile.write(b)
        def log_message(self, *a): pass
    h = http.server.HTTPServer(('127.0.0.1', 18701), H); os.write(w, b'x'); h.handle_request(); os._exit(0)
os.read(r, 1)
if os.fork() == 0:
    s = socket.socket(); s.bind(('127.0.0.1', 18702)); s.connect(('127.0.0.1', 18701)); s.sendall(b'GET / HTTP/1.0\r\n\r\n'); d = b''
    while x := s.recv(999): d += x
    p = json.loads(d.split(b'\r\n\r\n')[1])['port']; taker(); use(p); done(); os._exit(0)
os.wait(); os.wait()
