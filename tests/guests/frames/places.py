"""The first call of the process is made in a thread; then in the standard library, for the user's code,
which is the innermost frame outside of it."""
import asyncio
import http.server
import socket
import threading


def in_thread():
    only = socket.socket()
    only.bind(("127.0.0.1", 0))  # bind in_thread


class Server(http.server.HTTPServer):
    def server_bind(self):
        super().server_bind()  # bind Server.server_bind


async def start():
    server = await asyncio.start_server(None, "127.0.0.1", 0)  # bind start
    server.close()


def connected(port):
    return socket.create_connection(("127.0.0.1", port))  # connect connected


thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
served = Server(("127.0.0.1", 0), None)
asyncio.run(start())
connected(served.server_port)
