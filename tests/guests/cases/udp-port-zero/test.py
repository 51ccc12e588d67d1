# Two test jobs, on a machine of which one UDP port is free: both are up before either asks, and stay until both have asked.
import subprocess, sys

jobs = [subprocess.Popen(["python3", "job.py", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
           for name in ("A", "B")]
for expected in ("up\n", "asked\n"):
    for job in jobs:
        if job.stdout.readline() != expected:
            sys.exit(99)
    for job in jobs:
        job.stdin.write("go\n")
        job.stdin.flush()
sys.exit(max([job.wait() for job in jobs]))
