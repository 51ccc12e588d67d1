"""Takes a port, reads its number, lets it go and binds it again, so many times.

rebind.py TIMES

Prints how often the number was somebody else's by then.
"""
import socket
import sys

times = int(sys.argv[1])
lost = 0
for _ in range(times):
    first = socket.socket()
    first.bind(("127.0.0.1", 0))
    port = first.getsockname()[1]
    first.close()
    again = socket.socket()
    try:
        again.bind(("127.0.0.1", port))
    except OSError:
        lost += 1
    again.close()
print(f"lost {lost} of {times}")
