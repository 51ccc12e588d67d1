# A forking server without SO_REUSEADDR closes its listener in each child, as it should; but a child still serves a
# long connection when the server is restarted, and that keeps the number.
import json, os, socket, sys


def serve():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 9200))
    listener.listen()
    return listener


listener = serve()
client = socket.create_connection(("127.0.0.1", 9200))
peer, _ = listener.accept()
wait_ready, ready = os.pipe()
wait_end, end = os.pipe()
child = os.fork()
if child == 0:
    listener.close()
    client.close()
    os.close(end)
    os.write(ready, b"x")
    os.read(wait_end, 1)  # a long download
    os._exit(0)
with open("agents.json", "w") as text:
    json.dump({"child": child}, text)
peer.close()
listener.close()  # stopped, to be started again
os.read(wait_ready, 1)
status = 99
try:
    serve()
except OSError as error:
    status = f"not started again: {error}"
os.close(end)
os.waitpid(child, 0)
sys.exit(status)
