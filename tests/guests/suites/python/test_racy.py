"""A web service's tests as they are often written: the port is chosen by a helper beforehand."""
import socket
import subprocess
import sys
import time
import unittest
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.port = free_port()
        self.server = subprocess.Popen(
            [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)

    def get(self, path):
        for _ in range(1200):
            self.assertIsNone(self.server.poll(), "the server did not come up")
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5)
            except OSError:
                time.sleep(0.05)
        self.fail("the server does not answer")

    def test_index(self):
        self.assertEqual(self.get("/").status, 200)

    def test_two_requests(self):
        for _ in range(2):
            self.assertIn("text/html", self.get("/").headers["Content-Type"])


if __name__ == "__main__":
    unittest.main()
