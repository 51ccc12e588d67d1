# A free_port fixture, as many suites have it, and servers in child processes; xdist runs it with two workers. They
# take turns, so that both have picked before either starts its server, and both servers are up at one time.
import os, socket, subprocess, sys, time
import pytest

SERVER = """
import http.server, sys
server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None)
print('up', flush=True)
sys.stdin.read()
"""
ME = os.environ["PYTEST_XDIST_WORKER"]
OTHER = {"gw0": "gw1", "gw1": "gw0"}[ME]
BOUND = 20  # seconds to wait for the other worker; only one that has ended keeps it waiting
turns = {"picks": 0, "tries": 0}


def done(what):
    turns[what] += 1
    open(f"{what}.{ME}.{turns[what]}", "w").close()


def wait_for_other(what, turn):
    until = time.monotonic() + BOUND
    while not os.path.exists(f"{what}.{OTHER}.{turn}") and time.monotonic() < until:
        time.sleep(0.005)


@pytest.fixture
def free_port():
    if ME == "gw1":
        wait_for_other("picks", turns["picks"] + 1)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    done("picks")
    wait_for_other("picks", turns["picks"])
    yield port


@pytest.mark.parametrize("case", range(4))
def test_server_comes_up(free_port, case):
    with subprocess.Popen([sys.executable, "-c", SERVER, str(free_port)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        up = server.stdout.readline()
        done("tries")
        wait_for_other("tries", turns["tries"])
        server.stdin.close()
        assert up == b"up\n", server.stderr.read().decode().splitlines()[-1]
