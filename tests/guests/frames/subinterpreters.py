import _xxsubinterpreters as interpreters

CODE = """
import socket
def inner():
    only = socket.socket()
    only.bind(("127.0.0.1", 0))
inner()
"""
for _ in range(2):
    number = interpreters.create()
    interpreters.run_string(number, CODE)
    interpreters.destroy(number)
import socket


def outer():
    only = socket.socket()
    only.bind(("127.0.0.1", 0))


outer()
