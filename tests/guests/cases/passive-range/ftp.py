# An FTP server opens each data port out of a small range, without SO_REUSEADDR, and closes the data connection
# first: each number stays in TIME_WAIT, and after as many transfers as there are numbers none is left.
import socket, sys


def passive():
    for port in range(22000, 22005):
        data = socket.socket()
        try:
            data.bind(("127.0.0.1", port))
        except OSError:
            data.close()
            continue
        data.listen(1)
        return data
    sys.exit("425 no passive port is left")


for transfer in range(6):
    data = passive()
    client = socket.create_connection(data.getsockname())
    peer, _ = data.accept()
    data.close()
    peer.close()
    client.recv(1)
    client.close()
sys.exit(99)
