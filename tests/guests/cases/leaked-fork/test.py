# The app forks a background job and stops; the job has a copy of its listener, so the next test cannot start
# the app. The job ends when the test does, which it hears by a pipe.
import json, os, socket, sys

wait_end, end = os.pipe()
wait_gone, gone = os.pipe()


def job():
    os.close(end)
    os.read(wait_end, 1)
    os._exit(0)


def app():
    listener = socket.create_server(("127.0.0.1", 8110))
    pid = os.fork() or job()
    with open("agents.json", "w") as text:
        json.dump({"job": pid}, text)
    listener.close()
    os._exit(0)


os.waitpid(os.fork() or app(), 0)
status = 0
try:
    socket.create_server(("127.0.0.1", 8110))
except OSError as error:
    status = f"test failed: {error}"
os.close(end)
os.close(gone)
os.read(wait_gone, 1)
sys.exit(status)
