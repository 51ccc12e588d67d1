"""Picks numbers, and has another program bind them: serve.py, or the command that is named.

pick.py WAY COUNT [COMMAND...]

WAY is how each number is handed on: "fork", "exec" (in the same process), "argument" (of a child), "file"
(read by a child when the picker of the number has ended), or "killed": as a file, but the picker is killed
as soon as it has written, with the socket open. Each is handed on alone, so that time passes.
"""
import os
import signal
import subprocess
import sys

from ports import pick
from serve import serve_all

way, count = sys.argv[1], int(sys.argv[2])
command = sys.argv[3:] or [sys.executable, os.path.join(os.path.dirname(__file__), "serve.py")]


def write_number(port):
    with open("number", "w", encoding="ascii") as file:
        print(port, file=file)


def pick_and_die():
    import socket
    one = socket.socket()
    one.bind(("127.0.0.1", 0))
    write_number(one.getsockname()[1])
    os.kill(os.getpid(), signal.SIGKILL)


def in_child(call, *arguments):
    pid = os.fork()
    if pid == 0:
        try:
            call(*arguments)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def pick_and_execute():
    port = pick()
    os.execvp(command[0], [*command, str(port)])


for _ in range(count):
    sys.stdout.flush()
    if way == "fork":
        in_child(serve_all, [pick()])
    elif way == "exec":
        in_child(pick_and_execute)
    elif way == "argument":
        subprocess.run([*command, str(pick())], check=False)
    else:
        in_child(pick_and_die if way == "killed" else lambda: write_number(pick()))
        with open("number", encoding="ascii") as file:
            subprocess.run([*command, file.read().strip()], check=False)
