#!/usr/bin/env python3
"""What a user pays: whole processes, bare and watched by turns, so that all see the same machine.

  tests/bench/whole.py [--rounds N] [--count N] [--json FILE] [--only WORD] [--check]

  --rounds N   N rounds instead of 15; a figure is the median of its ratios to the bare run of the same
               round, with the quartiles beside it
  --count N    cycles in each process instead of 20000
  --json FILE  the same figures, for comparison
  --only WORD  the ways that begin with it
  --check      status 1 if a bar is missed: by hand 1.15 of bare, under run 1.20 with one process

A cycle is socket, bind to port 0, getsockname and close (tests/bench/cycles.c), in 1, 2, 4, ... processes
at once, up to the number of processors. Each way is as somebody would use it who wants to know which
ports a program gets. What is not installed is left out. Beside the times stand the system calls and the
instructions in user space that a way adds to a cycle with one process (tests/bench/counts.py says how they
are counted).
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

import counts as counted

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
POLICIES = ("soonest", "quarantine", "keep", "seeded:7", "range:40000-49999")
BARS = (("by hand", 1.15), ("run", 1.20))


def find_wrapper():
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"):
        if os.path.exists(f"{folder}/libsocket_wrapper.so"):
            return f"{folder}/libsocket_wrapper.so"
    return None


def ways(folder, build=BUILD):
    """Name, words before the command, variables, share of the cycles that it makes."""
    portwitness, shim, trace = f"{build}/portwitness", f"{build}/libportwitness.so", f"{folder}/trace"
    run = [portwitness, "run", "--quiet", "-o", trace]
    yield "bare", [], {}, 1
    yield "by hand", [], {"LD_PRELOAD": shim, "PORTWITNESS_TRACE": trace}, 1
    yield "run", [*run, "--"], {}, 1
    yield "run --capture=preload", [*run, "--capture=preload", "--"], {}, 1
    yield "run --capture=seccomp", [*run, "--capture=seccomp", "--"], {}, 1
    yield "run --stacks", [*run, "--stacks", "--"], {}, 1
    for policy in POLICIES:
        yield f"run --policy {policy}", [*run, "--policy", policy, "--"], {}, 0.2
    if shutil.which("strace"):
        calls = "trace=socket,bind,getsockname,close"
        yield "strace -f", ["strace", "-f", "-o", f"{folder}/strace"], {}, 0.05
        yield ("strace -f --seccomp-bpf",
               ["strace", "-f", "--seccomp-bpf", "-e", calls, "-o", f"{folder}/strace"], {}, 0.05)
    if find_wrapper():
        os.mkdir(f"{folder}/wrapped")
        yield ("socket_wrapper", [],
               {"LD_PRELOAD": find_wrapper(), "SOCKET_WRAPPER_DIR": f"{folder}/wrapped"}, 0.05)


def cycles(processes, count):
    return [f"{BUILD}/tests/bench/cycles", str(processes), str(max(1, count))]


def measure(way, processes, count):
    """Nanoseconds of a cycle."""
    _, words, variables, share = way
    environment = {**os.environ, **variables}
    trace = variables.get("PORTWITNESS_TRACE") or (words[words.index("-o") + 1] if "-o" in words else "")
    if os.path.exists(trace):
        os.remove(trace)
    command = [*words, *cycles(processes, int(count * share))]
    return float(subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True,
                                check=True).stdout)


def binds_in_trace(folder, build=BUILD):
    said = subprocess.run([f"{build}/portwitness", "export", "--format", "jsonl", f"{folder}/trace"],
                          stdout=subprocess.PIPE, check=True).stdout
    return said.count(b'"kind":"bind"')


def must_record(folder, processes, count):
    """A benchmark of a shim that was not there would look splendid."""
    binds = binds_in_trace(folder)
    if binds < processes * count:
        sys.exit(f"whole: the trace has {binds} binds instead of {processes * count}: not measured")


def spread(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def process_counts():
    counts, processes = [], 1
    while processes <= os.cpu_count():
        counts.append(processes)
        processes *= 2
    return counts


def count_all(folder, chosen, arguments):
    """What each way adds beside time."""
    prefixes = {name: ["env", *(f"{key}={value}" for key, value in variables.items()), *words]
                for name, words, variables, _ in chosen}
    return counted.all_added(prefixes, lambda number: cycles(1, number), min(arguments.count, 1000),
                             min(arguments.rounds, 4), folder)


def measure_all(folder, chosen, arguments):
    table = {}
    for processes in process_counts():
        figures = {way[0]: [] for way in chosen}
        for _ in range(arguments.rounds):
            for way in chosen:
                figures[way[0]].append(measure(way, processes, arguments.count))
        for way in chosen:
            if way[0] in ("by hand", "run"):
                measure(way, processes, 1000)
                must_record(folder, processes, 1000)
        for name, times in figures.items():
            ratio, low, high = spread([one / bare for one, bare in zip(times, figures["bare"])])
            table.setdefault(name, {})[processes] = {
                "ns": statistics.median(times), "ratio": ratio, "low": low, "high": high}
    return table


def print_table(table, added, left_out, arguments):
    counts = process_counts()
    print(f"Linux {os.uname().release}, {os.cpu_count()} CPUs, {arguments.rounds} rounds of"
          f" {arguments.count} cycles, medians (quartiles)\n")
    print(f"{'of bare, with processes:':<31}" + "".join(f"{count:>24}" for count in counts) +
          "".join(f"{name.replace('_', ' '):>16}" for name in added))
    for name, figures in table.items():
        cells = []
        for count in counts:
            one = figures[count]
            cells.append(f"{one['ns']:.0f} ns" if name == "bare" else
                         f"{one['ratio']:.2f} ({one['low']:.2f} to {one['high']:.2f})")
        print(f"{name:<31}" + "".join(f"{cell:>24}" for cell in cells) +
              "".join(f"{added_cell(name, figures):>16}" for figures in added.values()))
    if added:
        print("\nThe last columns: of a cycle of one process, bare in all, else what is added")
    for name, reason in left_out.items():
        print(f"left out: {name.replace('_', ' ')} ({reason})")


def added_cell(name, figures):
    if name not in figures:
        return "-"
    digits = 2 if figures["bare"] < 100 else 0
    return f"{figures[name]:{'' if name == 'bare' else '+'}.{digits}f}"


def missed(table):
    bad = False
    for name, bar in BARS:
        if name in table and table[name][1]["ratio"] > bar:
            print(f"bench: {name}: {table[name][1]['ratio']:.3f} of bare, the bar is {bar}", file=sys.stderr)
            bad = True
    return bad


def positive(text):
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"not a number above 0: '{text}'")
    return int(text)


def go_alone():
    """Alone in a network namespace no other socket is in the way."""
    if "BENCH_ALONE" not in os.environ and subprocess.run(
            ["unshare", "--net", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        os.execvp("unshare", ["unshare", "--net", "sh", "-c", 'ip link set lo up; exec "$@"', "sh",
                              "env", "BENCH_ALONE=yes", *sys.argv])


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rounds", type=positive, default=15)
    parser.add_argument("--count", type=positive, default=20000)
    parser.add_argument("--json")
    parser.add_argument("--only", default="")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    go_alone()
    with tempfile.TemporaryDirectory() as folder:
        chosen = [way for way in ways(folder) if way[0] == "bare" or way[0].startswith(arguments.only)]
        table = measure_all(folder, chosen, arguments)
        added, left_out = count_all(folder, chosen, arguments)
    print_table(table, added, left_out, arguments)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"kernel": os.uname().release, "cpus": os.cpu_count(), "rounds": arguments.rounds,
                       "count": arguments.count, "ways": table, "added": added, "left_out": left_out},
                      file, indent=2)
    return missed(table) if arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
