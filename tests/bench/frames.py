#!/usr/bin/env python3
"""What it costs to ask an interpreter for its frames: the same guest under `portwitness run` with them
and with --no-frames, by turns, so that both see the same machine.

  tests/bench/frames.py [--rounds N] [--only WORD] [--check]

  --rounds N  N rounds instead of 15; figures are medians over them
  --only WORD the rows that begin with it (the interpreter's name, say)
  --check     status 1 if a bar is missed: a bind with frames at most 1.5 of one without, importing 500
              modules at most 1.02

Each guest prints one number, the processor time in ns of what it measures. A language is one more row of GUESTS; one
that is not installed is left out.
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

MODULES = 500

PYTHON_BINDS = """
import socket, time
def cycles(count):
    for _ in range(count):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            probe.getsockname()
cycles(100)
begin = time.process_time_ns()
cycles(4000)
print((time.process_time_ns() - begin) // 4000)
"""

PYTHON_BIND_ALONE = """
import socket, time
def bind(probes):
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
bind([socket.socket()])
used = 0
for _ in range(20):
    probes = [socket.socket() for _ in range(200)]
    begin = time.process_time_ns()
    bind(probes)
    used += time.process_time_ns() - begin
    for probe in probes:
        probe.close()
print(used // 4000)
"""

PYTHON_DEEP_BINDS = PYTHON_BINDS + """
def deep(left):
    if left == 0:
        cycles(4000)
    else:
        deep(left - 1)
begin = time.process_time_ns()
deep(40)
print((time.process_time_ns() - begin) // 4000)
"""

PYTHON_IMPORTS = f"""
import importlib, sys, time
sys.path.insert(0, "modules")
import module_0  # the hook is in place
begin = time.process_time_ns()
for number in range(1, {MODULES} + 1):
    importlib.import_module("module_%d" % number)
print(time.process_time_ns() - begin)
"""

NODE_BINDS = """
const net = require('net');
function cycles(count, done) {
  if (count === 0) return done();
  const server = net.createServer();
  server.listen(0, '127.0.0.1', () => server.close(() => cycles(count - 1, done)));
}
const used = () => { const { user, system } = process.cpuUsage(); return (user + system) * 1000; };
cycles(2000, () => {
  const begin = used();
  cycles(6000, () => console.log(Math.round((used() - begin) / 6000)));
});
"""

JAVA_BINDS = """
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;

class Binds {
    static void cycles(int count) throws Exception {
        for (int i = 0; i < count; i++)
            try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                probe.getLocalPort();
            }
    }

    public static void main(String[] arguments) throws Exception {
        var threads = ManagementFactory.getThreadMXBean();
        cycles(20000);
        long begin = threads.getCurrentThreadCpuTime();
        cycles(20000);
        System.out.println((threads.getCurrentThreadCpuTime() - begin) / 20000);
    }
}
"""

RUBY_BINDS = """
require "socket"
ANY = Addrinfo.tcp("127.0.0.1", 0)
def cycles(count)
  count.times do
    probe = Socket.new(:INET, :STREAM)
    probe.bind(ANY)
    probe.local_address
    probe.close
  end
end
cycles(100)
begin_ = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID, :nanosecond)
cycles(4000)
puts (Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID, :nanosecond) - begin_) / 4000
"""

PHP_BINDS = """<?php
function cycles($count) {
    for (; $count > 0; $count--) {
        $probe = stream_socket_server("udp://127.0.0.1:0", $code, $text, STREAM_SERVER_BIND);
        stream_socket_get_name($probe, false);
        fclose($probe);
    }
}
function used() {
    $usage = getrusage();
    return ($usage["ru_utime.tv_sec"] + $usage["ru_stime.tv_sec"]) * 1000000000
        + ($usage["ru_utime.tv_usec"] + $usage["ru_stime.tv_usec"]) * 1000;
}
cycles(100);
$begin = used();
cycles(4000);
echo intdiv(used() - $begin, 4000), "\\n";
"""

# What is measured, the bar, the interpreter, the file, its text, and whether it makes sockets.
GUESTS = [
    ("Python: bind(0) alone", 1.5, "python3", "alone.py", PYTHON_BIND_ALONE, True),
    ("Python: socket, bind(0), getsockname, close", 1.5, "python3", "binds.py", PYTHON_BINDS, True),
    ("Python: the same below 40 functions", 1.5, "python3", "deep.py", PYTHON_DEEP_BINDS, True),
    ("Node: server.listen(0), close", 1.5, "node", "binds.js", NODE_BINDS, True),
    ("Java: new ServerSocket(0), close", 1.5, "java", "Binds.java", JAVA_BINDS, True),
    ("Ruby: socket, bind(0), getsockname, close", 1.5, "ruby", "binds.rb", RUBY_BINDS, True),
    ("PHP: server for datagrams, its name, close", 1.5, "php", "binds.php", PHP_BINDS, True),
    (f"Python: import of {MODULES} modules", 1.02, "python3", "imports.py", PYTHON_IMPORTS, False),
]
WAYS = {"bare": None, "without": ["--no-frames"], "with": []}


def write_modules(folder):
    os.mkdir(f"{folder}/modules")
    for number in range(MODULES + 1):
        with open(f"{folder}/modules/module_{number}.py", "w", encoding="ascii") as module:
            module.write(f"VALUE = {number}\n\n\ndef value():\n    return VALUE\n")


def must_have(trace, portwitness, wanted):
    """A measurement of frames that nobody asked for would look splendid."""
    exported = subprocess.run([portwitness, "export", "--format", "jsonl", trace], text=True,
                              stdout=subprocess.PIPE, check=False).stdout
    binds = [line for line in exported.splitlines() if '"kind":"bind"' in line]
    framed = sum('"frames":[' in line for line in binds)
    if framed != (len(binds) if wanted else 0):
        sys.exit(f"bench: {framed} of {len(binds)} binds have frames: not measured")


def measure(folder, portwitness, way, guest):
    _, _, interpreter, file, _, binds = guest
    command, trace = [interpreter, file], f"{folder}/trace"
    if os.path.exists(trace):
        os.remove(trace)
    if WAYS[way] is not None:
        command = [portwitness, "run", "--quiet", *WAYS[way], "-o", trace, "--", *command]
    printed = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
    if binds and WAYS[way] is not None:
        must_have(trace, portwitness, way == "with")
    return int(printed.split()[-1])


def measure_guest(folder, portwitness, guest, rounds):
    """The medians of each way, and the median ratio of with to without."""
    with open(f"{folder}/{guest[3]}", "w", encoding="ascii") as file:
        file.write(guest[4])
    figures = {way: [] for way in WAYS}
    measure(folder, portwitness, "bare", guest)
    for round_ in range(rounds):
        ways = list(WAYS)
        for way in ways if round_ % 2 == 0 else reversed(ways):
            figures[way].append(measure(folder, portwitness, way, guest))
    medians = [statistics.median(figures[way]) for way in WAYS]
    return medians, statistics.median(one / other for one, other in
                                      zip(figures["with"], figures["without"]))


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    portwitness = os.path.join(root, os.environ.get("BUILD", "build"), "portwitness")
    status = 0
    layout = "{:<46} {:>12} {:>12} {:>12} {:>6}"
    print(layout.format("frames of the language", "bare ns", "--no-frames", "with frames", "ratio"))
    with tempfile.TemporaryDirectory() as folder:
        write_modules(folder)
        for guest in GUESTS:
            if not guest[0].startswith(arguments.only):
                continue
            if shutil.which(guest[2]) is None:
                print(f"{guest[0]}: {guest[2]} is not installed")
                continue
            medians, ratio = measure_guest(folder, portwitness, guest, arguments.rounds)
            print(layout.format(guest[0], *(f"{median:.0f}" for median in medians), f"{ratio:.3f}"),
                  flush=True)
            if ratio > guest[1]:
                print(f"bench: {guest[0]}: {ratio:.4f}, the bar is {guest[1]}", file=sys.stderr)
                status = 1
    return status if arguments.check else 0


sys.exit(main())
