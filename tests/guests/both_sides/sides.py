"""Reads the result of `portwitness check --json` from stdin and says whether its one error names both sides right:

  sides.py PICKED BOUND TEST TEST

PICKED and BOUND are FILE:FUNCTION:TEXT, where TEXT stands in the line of FILE that picks, or binds; the tests are
those that may lose to each other ("-" for both: the tests have no names). Says "right", or what is wrong.
"""
import json
import os
import sys


def line_of(file, text):
    with open(file, encoding="utf-8") as lines:
        found = [number for number, line in enumerate(lines, 1) if text in line]
    assert len(found) == 1, f"{file} has {len(found)} lines with {text}"
    return found[0]


def expected(place):
    file, function, text = place.split(":", 2)
    return os.path.basename(file), line_of(file, text), function


def seen(call):
    if call is None or not call["frames"]:
        return None
    of = [frame["of"] for frame in call["frames"]]
    frame = call["frames"][of.index("user") if "user" in of else 0]
    function = (frame["function"] or "").rsplit(".", 1)[-1]
    return os.path.basename(frame["file"] or ""), frame["line"], function


def without_phase(test):
    return (test or "").replace(" (call)", "").split(" [")[0]


def wrong(result, picked, bound, tests):
    errors = [finding for finding in result["findings"] if finding["severity"] == "error"]
    if [finding["kind"] for finding in errors] != ["lost-race"]:
        return f"errors: {[finding['kind'] for finding in errors]}"
    finding = errors[0]
    for side, place in (("assigned", picked), ("subject", bound), ("other", bound), ("other_assigned", picked)):
        if seen(finding[side]) != place:
            return f"{side} is at {seen(finding[side])}, not {place}"
    if tests == ["-", "-"]:
        return None
    loser, winner = without_phase(finding["test"]), without_phase(finding["other_test"])
    if sorted([loser, winner]) != sorted(tests):
        return f"tests: {loser} lost to {winner}"
    if without_phase(finding["assigned_test"]) != loser or without_phase(finding["other_assigned_test"]) != winner:
        return f"picked in: {finding['assigned_test']} and {finding['other_assigned_test']}"
    return None


problem = wrong(json.load(sys.stdin), expected(sys.argv[1]), expected(sys.argv[2]), sys.argv[3:5])
print("right" if problem is None else problem)
sys.exit(0 if problem is None else 1)
