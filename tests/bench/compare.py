#!/usr/bin/env python3
"""What a change costs: this build and that of another revision, by turns, so that both see the same
machine.

  tests/bench/compare.py [--rounds N] [--count N] REV

  --rounds N   N rounds instead of 15
  --count N    cycles in each process instead of 20000

REV is built in a worktree of its own, $BUILD/compare/tree, which stays: the next comparison compiles only
what differs (`git worktree remove --force` and `make clean` take it away). Then whole processes
(tests/bench/whole.py, with this tree's tests/bench/cycles for both) are run bare, with the shim by hand
and under `run`, with one build and with the other. In each round a way of this build is divided by the
same of REV's, as ratios to the bare run of that round: the ratio of ratios. A build is better where the
quartiles of the two ratios do not overlap; else there is "no difference" that so few rounds could show.

Status 2 where REV does not exist, does not build or does not record.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

import whole

WAYS = ("by hand", "run")
FOLDER = f"{whole.BUILD}/compare"
# Of a make that started this one: its flags and folders are not REV's.
NOT_INHERITED = ("MAKEFLAGS", "MFLAGS", "GNUMAKEFLAGS", "MAKELEVEL", "BUILD", "SANITIZE", "WERROR", "REV")


def fail(message):
    print(f"bench-compare: {message}", file=sys.stderr)
    sys.exit(2)


def git(*words):
    done = subprocess.run(["git", "-c", "core.hooksPath=/dev/null", *words], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def commit_of(revision):
    if not revision:
        fail("say which revision: make bench-compare REV=HEAD~1")
    status, commit, _ = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if status != 0:
        fail(f"no such revision: '{revision}'")
    return commit


def check_out(commit):
    tree = f"{FOLDER}/tree"
    os.makedirs(FOLDER, exist_ok=True)
    if os.path.exists(f"{tree}/.git") and git("-C", tree, "checkout", "--quiet", "--force", "--detach",
                                              commit)[0] == 0:
        return tree
    shutil.rmtree(tree, ignore_errors=True)
    git("worktree", "prune")
    status, _, said = git("worktree", "add", "--quiet", "--detach", tree, commit)
    if status != 0:
        fail(f"git could not check out {commit}: {said}")
    return tree


def build(revision, commit):
    """The folder of REV's build."""
    tree, log = check_out(commit), f"{FOLDER}/log"
    environment = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    print(f"building {revision} ({commit[:12]})", flush=True)
    with open(log, "w", encoding="utf-8") as file:
        status = subprocess.run(["make", f"-j{os.cpu_count()}", "-C", tree, "BUILD=build", "all"], stdout=file,
                                stderr=subprocess.STDOUT, env=environment, check=False).returncode
    if status != 0:
        with open(log, encoding="utf-8", errors="replace") as file:
            print("".join(file.readlines()[-20:]), end="", file=sys.stderr)
        fail(f"{revision} does not build, see {log}")
    return f"{tree}/build"


class Side:
    """One build, with traces of its own, and its times by way."""
    def __init__(self, name, folder, build_folder):
        os.mkdir(folder)
        self.name, self.folder, self.build = name, folder, build_folder
        self.ways = {way[0]: way for way in whole.ways(folder, build_folder) if way[0] in ("bare", *WAYS)}

    def measure(self, name, processes, count):
        try:
            return whole.measure(self.ways[name], processes, count)
        except (OSError, subprocess.CalledProcessError, ValueError) as error:
            return fail(f"{self.name}: '{name}' cannot be measured: {error}")

    def must_record(self, processes):
        """A build that records nothing would be the better one."""
        for name in WAYS:
            self.measure(name, processes, 1000)
            try:
                binds = whole.binds_in_trace(self.folder, self.build)
            except (OSError, subprocess.CalledProcessError) as error:
                fail(f"{self.name}: '{name}' left no trace that can be read: {error}")
            if binds < processes * 1000:
                fail(f"{self.name}: '{name}' left {binds} binds in its trace instead of {processes * 1000}")


def rounds_of(sides, processes, arguments):
    """For each way, the ratios to bare of each side, a pair for each round."""
    pairs = {name: [] for name in WAYS}
    for number in range(arguments.rounds):
        bare = sides[0].measure("bare", processes, arguments.count)
        order = sides if number % 2 == 0 else sides[::-1]  # neither is always the first
        for name in WAYS:
            times = {side.name: side.measure(name, processes, arguments.count) for side in order}
            pairs[name].append(tuple(times[side.name] / bare for side in sides))
    return pairs


def verdict(this, other, name):
    """The two as (median, lower quartile, upper quartile)."""
    if this[2] < other[1]:
        return "this tree is better"
    if other[2] < this[1]:
        return f"{name} is better"
    return "no difference"


def show(figures):
    return f"{figures[0]:.2f} ({figures[1]:.2f} to {figures[2]:.2f})"


def print_pairs(processes, pairs, name):
    for way, ratios in pairs.items():
        this, other = (whole.spread(list(side)) for side in zip(*ratios))
        both = whole.spread([one / two for one, two in ratios])
        print(f"{way:<10}{processes:>10}{show(this):>24}{show(other):>24}{show(both):>24}"
              f"  {verdict(this, other, name)}", flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--rounds", type=whole.positive, default=15)
    parser.add_argument("--count", type=whole.positive, default=20000)
    parser.add_argument("revision")
    arguments = parser.parse_args()
    commit = commit_of(arguments.revision)
    whole.go_alone()
    other = build(arguments.revision, commit)
    with tempfile.TemporaryDirectory() as folder:
        sides = (Side("this tree", f"{folder}/this", whole.BUILD),
                 Side(arguments.revision, f"{folder}/other", other))
        print(f"Linux {os.uname().release}, {os.cpu_count()} CPUs, {arguments.rounds} rounds of"
              f" {arguments.count} cycles, of bare: medians (quartiles)\n")
        print(f"{'':<10}{'processes':>10}{'this tree':>24}{arguments.revision[:22]:>24}{'ratio of ratios':>24}")
        for processes in whole.process_counts():
            for side in sides:
                side.must_record(processes)
            print_pairs(processes, rounds_of(sides, processes, arguments), arguments.revision)
    return 0


if __name__ == "__main__":
    sys.exit(main())
