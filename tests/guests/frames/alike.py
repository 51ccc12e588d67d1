"""Places that are alike in all but one thing, some in the memory of others that are gone. Each is passed
twice. Lines that bind say what is right, as in calls.py; those of compiled text have names of their own."""
import gc
import socket
import sys
import types

ANY = ("127.0.0.1", 0)
probes = []


def probe():
    probes.append(socket.socket())
    return probes[-1]


def do_twice(function):
    function()
    function()


def again():
    probe().bind(ANY)  # bind again


do_twice(again)


def again():  # the same text, further down
    probe().bind(ANY)  # bind again


do_twice(again)


def two_binds():
    probe().bind(ANY)  # bind two_binds
    probe().bind(ANY)  # bind two_binds


do_twice(two_binds)
do_twice(lambda: probe().bind(ANY))  # bind <lambda>
do_twice(lambda: probe().bind(ANY))  # bind <lambda>

TEXT = """
def one_of_two():
    probe().bind(ANY)  # bind one_of_two
    probe().bind(ANY)  # bind one_of_two
"""
with open(__file__, encoding="utf-8") as file:
    LINES = file.read().splitlines()
BEGIN = LINES.index('TEXT = """')

# The same name, first line and instructions; the line alone differs.
for left_out in 3, 2:
    kept = [line if at != left_out else "" for at, line in enumerate(TEXT.splitlines())]
    space = {"probe": probe, "ANY": ANY}
    exec(compile("\n" * BEGIN + "\n".join(kept), __file__, "exec"), space)
    do_twice(space["one_of_two"])
    del space
    gc.collect()

# One place of two functions: their names alone differ.
for name in "first_name", "second_name":
    code = compile(f"def {name}(): probe().bind(ANY)", "<made>", "exec")
    space = {"probe": probe, "ANY": ANY}
    exec(code, space)
    do_twice(space[name])
    del code, space
    gc.collect()


class Text(str):
    """Its methods must not be called."""

    def __hash__(self):
        print("hash")
        return 1


name = "co_qualname" if sys.version_info >= (3, 11) else "co_name"
for field, text in ("co_filename", "a_file"), (name, "a_name"):
    code = again.__code__.replace(**{field: Text(text)})
    do_twice(types.FunctionType(code, globals()))
