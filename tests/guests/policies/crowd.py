"""Processes that ask for ports together, so many a second if the machine lets them.

crowd.py PROCESSES RATE [read]

Makes a file "asking" in the current folder when they have begun. They end when there is a file "enough"
and they have asked for more ports than there are. Prints how many they asked for.
"""
import os
import socket
import sys
import time

processes, rate = int(sys.argv[1]), int(sys.argv[2])
reads = len(sys.argv) > 3
each = int(os.environ.get("CROWD_ASKS", "80000")) // processes
source, sink = os.pipe()
begin = time.monotonic()
for _ in range(processes):
    if os.fork() == 0:
        asked = 0
        while asked < each or not os.path.exists("enough"):
            now = time.monotonic()
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
            if asked == 1:
                open("asking", "w").close()
        os.write(sink, b"%d\n" % asked)
        os._exit(0)
for _ in range(processes):
    os.wait()
os.close(sink)
print("asked", sum(map(int, os.read(source, 65536).split())))
