"""An unused socket is inherited by every way of starting a program; each child binds and ends, and the
port is the parent's until it closes too. Prints port, and a time at which it was surely held."""
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time

BIND = "import socket,sys; s=socket.socket(fileno=int(sys.argv[1])); s.bind(('127.0.0.1',0)); s.listen(); print(s.getsockname()[1], flush=True)"


def command(made):
    return [sys.executable, "-c", BIND, str(made.fileno())]


def by_spawn(made):
    read, write = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, write, 1)]
    pid = os.posix_spawn(sys.executable, command(made), os.environ, file_actions=actions)
    os.waitpid(pid, 0)
    return int(os.read(read, 100))


def by_subprocess(made):
    return int(subprocess.check_output(command(made), pass_fds=[made.fileno()]))


def by_shell(made):
    with tempfile.NamedTemporaryFile("r") as said:
        os.system(f"{shlex.join(command(made))} >{said.name}")
        return int(said.read())


for way in (by_spawn, by_subprocess, by_shell):
    with socket.socket() as made:
        made.set_inheritable(True)
        port = way(made)
        time.sleep(0.05)
        print(port, time.monotonic_ns())
