"""Children, forked and spawned by multiprocessing, and by subprocess."""
import multiprocessing
import socket
import subprocess
import sys


def child():
    only = socket.socket()
    only.bind(("127.0.0.1", 0))  # bind child


if __name__ == "__main__" and sys.argv[1:] == ["again"]:
    child()
elif __name__ == "__main__":
    for way in ("fork", "spawn", "forkserver"):
        process = multiprocessing.get_context(way).Process(target=child)
        process.start()
        process.join()
    subprocess.run([sys.executable, __file__, "again"], check=True, close_fds=True)
