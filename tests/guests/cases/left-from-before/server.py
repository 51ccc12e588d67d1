# A test's server. One that an earlier, unrecorded run of the test has left has the number still.
import socket, sys

server = socket.create_server(("127.0.0.1", 8090))
print("ready", flush=True)
sys.stdin.read()
