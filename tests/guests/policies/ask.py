"""Asks for ports, one after the other, until it is killed or SECONDS have passed.

ask.py SECONDS [PAUSE [read | keep]]

Holds each port for PAUSE seconds (0) and, if told so, reads its number; or keeps each to the end, and
appends its number to a file "given" in the current folder. Makes a file "asking" in the
current folder when it has begun.
"""
import socket
import sys
import time

end = time.monotonic() + float(sys.argv[1])
pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0
reads = "read" in sys.argv
keeps = "keep" in sys.argv
kept = []
socket.socket().bind(("127.0.0.1", 0))
open("asking", "w").close()
while time.monotonic() < end:
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    if reads:
        one.getsockname()
    if keeps:
        kept.append(one)
        with open("given", "a", encoding="utf-8") as given:
            print(one.getsockname()[1], file=given)
    if pause:
        time.sleep(pause)
    if not keeps:
        one.close()
