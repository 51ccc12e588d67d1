#!/usr/bin/env python3
"""Starts a guest again and again and kills each by SIGKILL at a random moment.

kill_often.py COUNT SEED COMMAND...

Prints the process id of each guest that was killed. The variables GUEST_PRELOAD and GUEST_TRACE
stand for LD_PRELOAD and PORTWITNESS_TRACE of the guests alone.
"""
import os
import random
import signal
import subprocess
import sys
import time

count, seed, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
random.seed(seed)
environment = dict(os.environ)
if "GUEST_TRACE" in environment:
    environment["LD_PRELOAD"] = environment.pop("GUEST_PRELOAD")
    environment["PORTWITNESS_TRACE"] = environment.pop("GUEST_TRACE")
said = open("said", "ab", buffering=0)
for number in range(count):
    before = os.stat("said").st_size
    guest = subprocess.Popen(command, env=environment, stdout=said)
    # One in four is killed in the loader or in the shim's own start, the others while they bind.
    while number % 4 != 0 and os.stat("said").st_size == before:
        time.sleep(0.0002)
    time.sleep(random.choice((0.0, 0.0005, 0.001, 0.003)) + random.random() * 0.004)
    guest.send_signal(signal.SIGKILL)
    status = guest.wait()
    if status != -signal.SIGKILL:
        sys.exit(f"guest {guest.pid} ended with {status} before it was killed")
    print(guest.pid, flush=True)
