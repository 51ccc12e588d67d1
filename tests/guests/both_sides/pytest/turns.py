"""Waiting for the other test: a file for each thing that a test has done."""
import os
import time


def done(what, me):
    open(f"{what}.{me}", "w").close()


def wait_for(what, who, seconds=20):
    until = time.monotonic() + seconds
    while not os.path.exists(f"{what}.{who}") and time.monotonic() < until:
        time.sleep(0.005)


def both(what, me, other):
    done(what, me)
    wait_for(what, other)
