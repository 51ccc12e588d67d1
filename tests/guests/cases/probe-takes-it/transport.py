# Two test programs, each with a counter of its own that starts at 21000. Before it uses a number, a program binds
# it to see whether it is free; just then the other one starts its server there.
import socket, subprocess, sys

if sys.argv[1] == "server":
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        server.bind(("127.0.0.1", 21003))
    except OSError as error:
        print(error, flush=True)
        sys.exit(1)
    sys.exit(99)
elif sys.argv[1] == "prober":
    for port in range(21000, 21006):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            if port == 21003:
                print("bound", flush=True)
                sys.stdin.readline()
else:
    prober, server = [subprocess.Popen(["python3", "transport.py", name], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE) for name in ("prober", "server")]
    server.stdout.readline()
    prober.stdout.readline()
    server.stdin.close()
    server.stdout.readline()
    prober.stdin.close()
    prober.wait()
    sys.exit(server.wait())
