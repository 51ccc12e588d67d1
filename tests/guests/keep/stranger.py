"""Somebody outside the run: runs COMMAND, and does meanwhile what it is asked at ./stranger.

stranger.py COMMAND...

It is asked a line over that socket, and answers with one:

    bind PORT   takes the number, on 127.0.0.1: "ok", or the name of the error
    all         takes each port that it can get for port 0, on 127.0.0.1: the numbers
    free        closes them

Ends as the command does.
"""
import errno
import os
import socket
import subprocess
import sys
import threading

held = []


def take(port):
    one = socket.socket()
    one.bind(("127.0.0.1", port))
    held.append(one)
    return one.getsockname()[1]


def take_all():
    ports = []
    while True:
        try:
            ports.append(str(take(0)))
        except OSError:
            return " ".join(ports)


def answer(words):
    if words[0] == "all":
        return take_all()
    if words[0] == "free":
        while held:
            held.pop().close()
        return "ok"
    try:
        take(int(words[1]))
        return "ok"
    except OSError as problem:
        return errno.errorcode[problem.errno]


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                print(answer(line.split()), file=lines, flush=True)


if os.path.exists("stranger"):
    os.unlink("stranger")
door = socket.socket(socket.AF_UNIX)
door.bind("stranger")
door.listen()
threading.Thread(target=serve, args=(door,), daemon=True).start()
sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)
