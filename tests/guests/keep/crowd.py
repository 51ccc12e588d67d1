"""Strangers outside the run: runs COMMAND, and asks for ports all the time meanwhile.

crowd.py HELD COMMAND...

Two processes ask for port 0, TCP and UDP, on one address and on all, with SO_REUSEADDR and without, and
read the number. They hold HELD ports of each protocol in all and give up the oldest for the next; where
they find none, half of what they hold. Ends as the command does.
"""
import collections
import os
import signal
import socket
import subprocess
import sys

PROCESSES = 2


def make(turn):
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if turn % 2 else socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, turn // 2 % 2)
    try:
        one.bind(("127.0.0.1" if turn // 4 % 4 else "0.0.0.0", 0))
    except OSError:
        one.close()
        return None
    if turn // 16 % 2 and not turn % 2:
        one.listen()
    one.getsockname()
    return one


def ask(parent, most):
    held = collections.deque()
    turn = 0
    while os.getppid() == parent:
        one = make(turn)
        turn += 1
        if one is not None:
            held.append(one)
        while len(held) > (most if one is not None else most // 2):
            held.popleft().close()
        if turn == 2 * most:
            os.write(1, b".")  # it has come to hold so many


own = os.getpid()
ready, told = os.pipe()
strangers = []
for _ in range(PROCESSES):
    pid = os.fork()
    if pid == 0:
        os.dup2(told, 1)
        ask(own, int(sys.argv[1]) * 2 // PROCESSES)
        os._exit(0)
    strangers.append(pid)
for _ in strangers:
    os.read(ready, 1)
status = subprocess.run(sys.argv[2:], check=False).returncode
for pid in strangers:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
sys.exit(status)
