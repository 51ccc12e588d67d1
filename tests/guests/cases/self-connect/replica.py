# A server on a number of the local range is stopped and started again. Its peer tries to connect again and again
# meanwhile; in the end it is given the server's number as its source port, and is connected with itself.
import socket, subprocess, sys

ADDRESS = ("127.0.0.1", 20010)


def peer():
    while True:
        connection = socket.socket()
        if connection.connect_ex(ADDRESS) == 0:
            return connection
        connection.close()


if sys.argv[1] == "peer":
    connection = peer()
    print("connected", flush=True)
    sys.stdin.read()
else:
    socket.create_server(ADDRESS).close()
    with subprocess.Popen(["python3", "replica.py", "peer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        status = 0
        try:
            socket.create_server(ADDRESS)
        except OSError as error:
            status = f"not started again: {error}"
        child.stdin.close()
    sys.exit(status)
