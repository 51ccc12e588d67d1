"""A small suite that binds ports, as many do: servers on port 0, each asked once. Run by programs.py, with
a name that pytest collects only where it is told to."""
import http.server
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest


@pytest.fixture(name="server")
def started_server():
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", ["/", "/no-such-page"] * 10)
def test_a_server_answers(server, path):
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    if path == "/":
        with urllib.request.urlopen(url) as answer:
            assert answer.status == 200
    else:
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(url)


@pytest.mark.parametrize("number", range(200))
def test_a_port_is_given(number):
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            client.sendall(str(number).encode())
        with server.accept()[0] as accepted:
            assert accepted.recv(10) == str(number).encode()


@pytest.mark.parametrize("number", range(8))
def test_a_program_names_its_port(number):
    code = "import socket; print(socket.create_server(('127.0.0.1', 0)).getsockname()[1])"
    said = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout
    assert int(said) > number
