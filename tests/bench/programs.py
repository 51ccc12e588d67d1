#!/usr/bin/env python3
"""What whole programs pay: each bare and under `portwitness run` by turns, in pairs.

  tests/bench/programs.py [--rounds N] [--size N] [--json FILE] [--only WORD]

  --rounds N   N pairs instead of 15
  --size N     N per cent of the work
  --json FILE  the same figures, for comparison
  --only WORD  the programs that begin with it

Printed is the median difference of the pairs in per cent of bare (more is slower) and an interval for it by
order statistics: from the Kth smallest difference to the Kth largest, K as large as can be with the
median of all pairs in between in 95 of 100 such benches; with less than six pairs it is the whole
range, and the confidence that is printed is smaller. No shape of the noise is assumed. A program's own figure
is taken where it prints one (the time of a request under load), else the time of the command. What is
not installed is left out.
"""
import argparse
import json
import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import whole

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 300
os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"

# A server and its load, all in one command that is recorded as a whole: "$1" is the folder, "$2" the port.
# The server is asked to end by its pid, and waited for.
SERVE = """
cd "$1" || exit
{server} &
server=$!
trap 'kill -TERM $server; wait $server' EXIT
tries=0
until {ready}; do
    tries=$((tries + 1))
    [ $tries -lt 200 ] && kill -0 $server || exit 1
    sleep 0.05
done
{load}
"""
NGINX = """daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error_log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 100;
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


class Left(Exception):
    """Why a program is left out."""


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        raise Left(f"{' and '.join(missing)} not installed")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def served(folder, port, server, ready, load):
    script = SERVE.format(server=server, ready=ready, load=load)
    return ["sh", "-c", script, "sh", folder, str(port)]


def seconds_a_request(pattern):
    """From what a load generator prints: requests a second, of each of its tests."""
    def figure(said, _):
        rates = [float(rate) for rate in re.findall(pattern, said)]
        if not rates or min(rates) <= 0:
            raise Left(f"its load generator did not say how many requests a second it made: {said[-300:]}")
        return sum(1 / rate for rate in rates)
    return figure


def seconds_of_command(_, seconds):
    return seconds


def nginx(folder, size):
    needs("nginx", "curl")
    port = free_port()
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(NGINX.format(folder=folder, port=port))
    with open(f"{folder}/page", "w", encoding="utf-8") as file:
        file.write("a page\n" * 100)
    os.chmod(folder, 0o755)  # its workers are another user's
    url = f"http://127.0.0.1:{port}/page"
    if shutil.which("wrk"):
        load = f"wrk -t 1 -c 16 -d {max(1, math.ceil(2 * size))}s {url}"
        pattern = r"Requests/sec:\s*([\d.]+)"
    elif shutil.which("ab"):
        load, pattern = f"ab -q -n {max(100, int(20000 * size))} -c 16 {url}", r"Requests per second:\s*([\d.]+)"
    else:
        raise Left("neither wrk nor ab installed")
    return served(folder, port, 'nginx -p "$1" -e "$1/error_log" -c "$1/nginx.conf"',
                  f"curl -s -o /dev/null {url}", load), seconds_a_request(pattern)


def redis(folder, size):
    needs("redis-server", "redis-benchmark", "redis-cli")
    port = free_port()
    return served(folder, port, 'redis-server --bind 127.0.0.1 --port "$2" --save "" --appendonly no >redis_log',
                  f"redis-cli -p {port} ping >/dev/null 2>&1",
                  f"redis-benchmark -p {port} -n {max(100, int(30000 * size))} -c 20 --csv -t get,set,incr"
                  ), seconds_a_request(r'(?m)^"(?:GET|SET|INCR)","([\d.]+)"')


def make(folder, _):
    """A part of this tree, compiled again each time: its own make, sh and compilers are recorded."""
    needs("make", "cc")
    command = 'rm -rf "$1/built" && make --no-print-directory BUILD="$1/built" "$1/built/shared.a"'
    return ["env", "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKELEVEL", "-u", "BUILD", "sh", "-c",
            f'cd "{HERE}/../.." && {command}', "sh", folder], seconds_of_command


def pytest(folder, size):
    if subprocess.run([PYTHON, "-c", "import pytest"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        raise Left(f"{PYTHON} has no pytest")
    chosen = [] if size >= 1 else ["-k", "names_its_port"]
    return ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder, PYTHON, "-B", "-m", "pytest", "-q",
            "-p", "no:cacheprovider", *chosen, f"{HERE}/ports_suite.py"], seconds_of_command


PROGRAMS = (("nginx under load", nginx), ("redis-benchmark", redis), ("make of a part", make),
            ("pytest with ports", pytest))


def timed(command, figure):
    begin = time.monotonic()
    # In a session of its own all of it can be ended: none of the programs makes another.
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Left(f"it did not end within {SECONDS} s") from None
    seconds = time.monotonic() - begin
    if process.returncode != 0:
        raise Left(f"status {process.returncode}: {said[-300:].strip()}")
    return figure(said, seconds)


def recorded(folder, command):
    trace = f"{folder}/trace"
    if os.path.exists(trace):
        os.remove(trace)
    return [f"{whole.BUILD}/portwitness", "run", "--quiet", "-o", trace, "--", *command]


def must_have_recorded(folder):
    """A program that was not recorded would pay nothing."""
    said = subprocess.run([f"{whole.BUILD}/portwitness", "export", "--format", "jsonl", f"{folder}/trace"],
                          stdout=subprocess.PIPE, check=True).stdout
    if said.count(b"\n") < 4:
        raise Left("its trace is empty")


def pairs_of(prepare, folder, arguments):
    """(bare, recorded) for each round, in an order that changes."""
    command, figure = prepare(folder, arguments.size / 100)
    timed(command, figure)  # warms up what it reads
    pairs = []
    for number in range(arguments.rounds):
        runs = {}
        for name in ("bare", "run") if number % 2 == 0 else ("run", "bare"):
            runs[name] = timed(command if name == "bare" else recorded(folder, command), figure)
        must_have_recorded(folder)
        pairs.append((runs["bare"], runs["run"]))
    return pairs


def interval(values):
    """An interval for the median by order statistics, and the share of benches in which it has it."""
    values, count = sorted(values), len(values)

    def outside(rank):
        """The share in which the median is not between the RANKth smallest and the RANKth largest."""
        return 2 * sum(math.comb(count, low) for low in range(rank)) / 2 ** count
    rank = 1
    while 2 * (rank + 1) <= count and outside(rank + 1) <= 0.05:
        rank += 1
    return values[rank - 1], values[-rank], max(0.0, 1 - outside(rank))


def measure(name, prepare, arguments):
    with tempfile.TemporaryDirectory() as folder:
        pairs = pairs_of(prepare, folder, arguments)
    differences = [100 * (run / bare - 1) for bare, run in pairs]
    low, high, share = interval(differences)
    median = statistics.median(differences)
    print(f"{name:<20}{median:>+8.1f} %   ({low:+.1f} to {high:+.1f} %, confidence {100 * share:.0f} %)",
          flush=True)
    return {"median": median, "low": low, "high": high, "share": share, "pairs": pairs}


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rounds", type=whole.positive, default=15)
    parser.add_argument("--size", type=whole.positive, default=100)
    parser.add_argument("--json")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    whole.go_alone()
    print(f"whole programs under run beside bare: median difference of {arguments.rounds} pairs, and an interval"
          " by order statistics")
    table, left_out = {}, {}
    for name, prepare in PROGRAMS:
        if not name.startswith(arguments.only):
            continue
        try:
            table[name] = measure(name, prepare, arguments)
        except Left as reason:
            left_out[name] = str(reason)
            print(f"{name:<20}left out: {reason}", flush=True)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"kernel": os.uname().release, "cpus": os.cpu_count(), "programs": table,
                       "left_out": left_out}, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
