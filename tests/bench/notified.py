#!/usr/bin/env python3
"""What it costs a static program to be seen: a cycle of socket, bind to port 0, getsockname and close, bare, by
seccomp notifications, under strace, and under the least that a tracer by ptrace(2) does, by turns, so that all see
the same machine. Figures are medians over the rounds; the ratio is that to the bare process of the same round.

  tests/bench/notified.py [--rounds N]
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

CYCLES = 1000
FOUR = "trace=bind,listen,connect,getsockname"


def ways_of(build, folder):
    """By name: what stands before the program."""
    trace = f"{folder}/trace"
    ways = {
        "bare": [],
        "--capture=seccomp": [f"{build}/portwitness", "run", "-q", "-o", trace, "--capture=seccomp", "--"],
        "a loop of ptrace": [f"{build}/tests/bench/ptraced"],
    }
    if shutil.which("strace") is not None:
        ways["strace -f --seccomp-bpf, the same calls"] = ["strace", "-f", "--seccomp-bpf", "-e", FOUR,
                                                           "-o", f"{folder}/strace"]
        ways["strace -f"] = ["strace", "-f", "-o", f"{folder}/strace"]
    return ways


def measure(command, trace):
    """Nanoseconds of a cycle."""
    if os.path.exists(trace):
        os.remove(trace)
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def must_record(portwitness, trace, count):
    """A capture that saw nothing would look splendid."""
    exported = subprocess.run([portwitness, "export", "--format", "jsonl", trace], stdout=subprocess.PIPE,
                              text=True, check=True).stdout
    recorded = exported.count('"kind":"bind"')
    if recorded < count:
        sys.exit(f"notified: the trace has {recorded} binds instead of {count}: not measured")


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rounds", type=int, default=11)
    rounds = parser.parse_args().rounds
    os.chdir(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    build = os.path.abspath(os.environ.get("BUILD", "build"))
    program = [f"{build}/tests/guests/bind_cycles.static", str(CYCLES)]
    with tempfile.TemporaryDirectory() as folder:
        trace = f"{folder}/trace"
        ways = ways_of(build, folder)
        figures = {name: [] for name in ways}
        for _ in range(rounds):
            for name, before in ways.items():
                figures[name].append(measure([*before, *program], trace))
                if name == "--capture=seccomp":
                    must_record(f"{build}/portwitness", trace, CYCLES)
    print("\na static program: socket, bind(0), getsockname, close")
    for name, times in figures.items():
        ratio = statistics.median(one / bare for one, bare in zip(times, figures["bare"]))
        print(f"{name:<44} {statistics.median(times):11.0f} ns, {ratio:6.2f} of bare")


if __name__ == "__main__":
    main()
