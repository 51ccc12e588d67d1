# A free_port fixture, as many suites have it, and servers in child processes; xdist runs it with two workers.
import socket, subprocess, sys
import pytest

SERVER = """
import http.server, sys
server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None)
print('up', flush=True)
sys.stdin.read()
"""


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("case", range(4))
def test_server_comes_up(free_port, case):
    with subprocess.Popen([sys.executable, "-c", SERVER, str(free_port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        up = server.stdout.readline()
        server.stdin.close()
        assert up == b"up\n", server.stderr.read().decode().splitlines()[-1]
