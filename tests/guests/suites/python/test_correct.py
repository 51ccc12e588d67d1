"""The same tests; the server binds port 0 itself and is asked for its number."""
import http.server
import threading
import unittest
import urllib.request


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler)
        self.port = self.server.server_address[1]
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def get(self, path):
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def test_index(self):
        with self.get("/") as answer:
            self.assertEqual(answer.status, 200)

    def test_two_requests(self):
        for _ in range(2):
            with self.get("/") as answer:
                self.assertIn("text/html", answer.headers["Content-Type"])


if __name__ == "__main__":
    unittest.main()
