# A launcher asks by connect whether a number is free. Nobody answers; but somebody has bound it and does not listen
# yet, a server that loads its model first. So the start fails.
import socket, subprocess, sys


def free(port):
    with socket.socket() as asks:
        return asks.connect_ex(("127.0.0.1", port)) != 0


def start():
    port = next(port for port in range(30000, 30010) if free(port))
    try:
        socket.create_server(("127.0.0.1", port))
    except OSError as error:
        return f"{port}: {error}"
    return 99


if len(sys.argv) > 1:
    slow = socket.socket()
    slow.bind(("127.0.0.1", 30000))
    print("bound", flush=True)
    sys.stdin.read()
    slow.listen()
else:
    with subprocess.Popen(["python3", "start.py", "slow"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as slow:
        slow.stdout.readline()
        status = start()
        slow.stdin.close()
    sys.exit(status)
