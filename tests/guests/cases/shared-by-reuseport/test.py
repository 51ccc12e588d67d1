# Two test workers: both are up before either asks, and stay until both have asked.
import subprocess, sys

workers = [subprocess.Popen(["python3", "worker.py", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
           for name in ("A", "B")]
for expected in ("up\n", "asked\n"):
    for worker in workers:
        if worker.stdout.readline() != expected:
            sys.exit(99)
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
sys.exit(max([worker.wait() for worker in workers]))
