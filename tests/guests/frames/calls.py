"""Calls in main, each of which takes or asks for a port. Lines that make one say what is right:
`# CALL` where the frame is this line and the function is that around it."""
import socket


def bind_any():
    probe = socket.socket()
    probe.bind(("127.0.0.1", 0))  # bind bind_any
    return probe


def bind_number(port):
    server = socket.socket()
    try:
        server.bind(("127.0.0.1", port))  # bind bind_number
    except OSError as error:
        print(error.errno)


class Client:
    def connects(self, port):
        client = socket.socket()
        client.connect(("127.0.0.1", port))  # connect Client.connects

    def sends(self, port):
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagram.sendto(b"x", ("127.0.0.1", port))  # autobind Client.sends
        message = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        message.sendmsg([b"x"], [], 0, ("127.0.0.1", port))  # autobind Client.sends


holder = bind_any()
holder.listen()
number = holder.getsockname()[1]
bind_number(number)
Client().connects(number)
Client().sends(number)
