# A launcher picks a number for each of its engines, closing each probe before the next, and starts the engines
# then. It picks until it has been given a number twice, as happens now and then in a short list.
import os, socket, subprocess, sys


def open_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if len(sys.argv) > 1:  # an engine
    store = socket.create_server(("127.0.0.1", int(os.environ["MASTER_PORT"])))
    print("up", flush=True)
    sys.stdin.read()
else:
    ports = [open_port()]
    while ports[-1] not in ports[:-1]:
        ports.append(open_port())
    engines = []
    for port in ports:  # each is up, or has failed, before the next is started
        engines.append(subprocess.Popen(["python3", "launch.py", "engine"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, env=os.environ | {"MASTER_PORT": str(port)}))
        engines[-1].stdout.readline()
    for engine in engines:
        engine.stdin.close()
    sys.exit(max([engine.wait() for engine in engines]))
