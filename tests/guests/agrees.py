"""Whether `portwitness ports` says what a situation told, no more and no less.

    agrees.py TOLD REPORTED

Both are files of JSON objects, one a line; of TOLD each key that stands there must agree. A time is
an interval [earliest, latest], or null for none; a list of words is one of them. `netns` in TOLD is a
name: equal names are equal namespaces, other names are others.
"""
import json
import sys

TIMES = {"from": "held_from_ns", "to": "held_to_ns"}


def read(path):
    with open(path) as lines:
        return [json.loads(line) for line in lines]


def agrees(key, told, reported):
    if key in TIMES:
        if told is None:
            return reported is None
        return reported is not None and told[0] <= reported <= told[1]
    return reported in told if isinstance(told, list) else reported == told


def differences(told, row):
    return [
        f"{TIMES.get(key, key)} is {row[TIMES.get(key, key)]}, told was {value}"
        for key, value in told.items()
        if key != "netns" and not agrees(key, value, row[TIMES.get(key, key)])
    ]


def main():
    left = read(sys.argv[2])
    namespaces = {}
    wrong = []
    for told in read(sys.argv[1]):
        match = min(left, key=lambda row: len(differences(told, row)), default=None)
        if match is None:
            wrong.append(f"not reported: {told}")
            continue
        left.remove(match)
        wrong += [f"of {told['call']} {told.get('port')}: {text}" for text in differences(told, match)]
        if namespaces.setdefault(told.get("netns"), match["netns"]) != match["netns"]:
            wrong.append(f"of {told['call']} {told.get('port')}: netns is {match['netns']}")
    if len(set(namespaces.values())) != len(namespaces):
        wrong.append(f"one network namespace for several: {namespaces}")
    wrong += [f"reported, but never asked for: {row}" for row in left]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    sys.exit(1 if wrong else 0)


main()
