"""What a way adds to a cycle beside time: system calls, and instructions in user space, both with one
process. What is counted with one cycle is taken from what is counted with many, so that the start and the
end of programs, and what warms up, are not in it.

System calls are counted by strace (-f -c), which needs no privilege; perf's tracepoints would need root.
What strace does itself is not in its count, so its own ways have none. Those of `portwitness run` and of
the processes that it starts are in it. Instructions are counted by perf (instructions:u), where the
processor has a counter that may be used: many virtual machines have none.

Where the stack lies decides how many calls the shim makes: it reads what is on its own page without one. The
kernel places the stack at random; here (setarch -R) it does not, and the programs are run with it at
several places in its page. A figure is the mean over these, that is over many programs.
"""
import os
import shutil
import subprocess

SECONDS = 120
PAGE = 4096


def ends_well(command):
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
                              timeout=SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def strace(file):
    return ["strace", "-f", "-c", "-o", file]


def calls_of(text):
    """The calls of a summary of strace, or None: the fourth column of each line that names a call."""
    rows = [line.split() for line in text.splitlines()]
    calls = [int(row[3]) for row in rows if len(row) >= 5 and row[3].isdecimal() and row[-1] != "total"]
    return sum(calls) if calls else None


def perf(file):
    return ["perf", "stat", "-x,", "-e", "instructions:u", "-o", file, "--"]


def instructions_of(text):
    """The instructions of perf's comma-separated lines (one for each kind of processor), or None."""
    numbers = [line.split(",")[0] for line in text.splitlines() if "instructions" in line]
    numbers = [int(number) for number in numbers if number.isdecimal()]
    return sum(numbers) if numbers else None


COUNTERS = {"system_calls": ("strace", strace, calls_of),
            "instructions": ("perf", perf, instructions_of)}


def count(counter, command, folder):
    """What a counter says of a command, which begins a new trace; or None."""
    _, words, number_of = COUNTERS[counter]
    file = f"{folder}/{counter}"
    for old in (file, f"{folder}/trace"):
        if os.path.exists(old):
            os.remove(old)
    well = ends_well([*words(file), *command])
    return number_of(read(file)) if well and os.path.exists(file) else None


def why_not(counter, folder):
    """Why a counter cannot be had here, or None."""
    program = COUNTERS[counter][0]
    if not shutil.which(program):
        return f"{program} is not installed"
    if count(counter, ["true"], folder) is None:
        return f"{program} cannot count them here"
    return None


def placed(place):
    """Words before a command: its stack lies so many bytes lower, where that can be had."""
    fixed = ["setarch", "-R"] if shutil.which("setarch") and ends_well(["setarch", "-R", "true"]) else []
    return [*fixed, "env", f"BENCH_PLACE={'x' * place}"]


def of_a_cycle(counter, prefix, cycles, number, places, folder):
    """Counted a cycle of the way with this prefix, or None. CYCLES(n) is the command for n cycles."""
    figures = []
    for place in places:
        one, many = (count(counter, [*placed(place), *prefix, *cycles(n)], folder) for n in (1, 1 + number))
        if one is None or many is None:
            return None
        figures.append((many - one) / number)
    return sum(figures) / len(figures)


def all_added(prefixes, cycles, number, places, folder):
    """What each way adds, by counter and name, and why a counter is left out. PREFIXES gives for each
    name the words before the command; that of "bare" is what the others are held against, and its figure
    is its own. PLACES is in how many places in its page the stack lies."""
    added, left_out = {}, {}
    places = range(0, PAGE, PAGE // places)
    for counter, (program, _, _) in COUNTERS.items():
        reason = why_not(counter, folder)
        if reason:
            left_out[counter] = reason
            continue
        bare = of_a_cycle(counter, prefixes["bare"], cycles, number, places, folder)
        if bare is None:
            left_out[counter] = f"{program} could not count the bare processes"
            continue
        figures = added[counter] = {"bare": bare}
        for name, prefix in prefixes.items():
            # One process has one tracer.
            if name == "bare" or (program == "strace" and "strace" in prefix):
                continue
            one = of_a_cycle(counter, prefix, cycles, number, places, folder)
            if one is not None:
                figures[name] = one - bare
    return added, left_out
