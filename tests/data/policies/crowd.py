"""Processes that ask for ports together, so many a second, for so long.

crowd.py PROCESSES RATE SECONDS [read]

Prints how many they asked for.
"""
import os
import socket
import sys
import time

processes, rate, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
reads = len(sys.argv) > 4
source, sink = os.pipe()
begin = time.monotonic()
for _ in range(processes):
    if os.fork() == 0:
        asked = 0
        while (now := time.monotonic()) < begin + seconds:
            due = (now - begin) * rate / processes
            if asked > due:
                time.sleep((asked - due) * processes / rate)
                continue
            one = socket.socket()
            one.bind(("127.0.0.1", 0))
            if reads:
                one.getsockname()
            one.close()
            asked += 1
        os.write(sink, b"%d\n" % asked)
        os._exit(0)
for _ in range(processes):
    os.wait()
os.close(sink)
print("asked", sum(map(int, os.read(source, 65536).split())))
