# Frames of Python's calls: the line and the function of the user, where the interpreter is asked, and
# nothing where it may not be. In the guests the lines that make a call say what is right of them.
# shellcheck disable=SC2154 # variables of common.bash and bats

load ../common
load frames

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$root/tests/guests/frames
}

# framed: "KIND FILE:LINE FUNCTION" of each recorded call that may have a frame, by its innermost one;
# "KIND" alone where it has none.
framed() {
    exported | jq -r '
        select(.kind | IN("bind", "connect", "autobind", "listen"))
        | .frames[0] as $at
        | .kind + if $at == null then "" else " \($at.file):\($at.line) \($at.function)" end'
}

# right FILE: what the comments in it ask for, in the order of the lines.
right() {
    sed -nE '/# (bind|connect|autobind) [A-Za-z_.<>]+$/=' "$1" | while read -r line; do
        sed -n "${line}s|.*# \([a-z]*\) \(.*\)|\1 $1:$line \2|p" "$1"
    done
}

# all_right GUEST: each call that has an event has its frame; the others (listen) have none. Before
# Python 3.11 a function's class is not known.
all_right() {
    diff <(right "$1" | sed "$2" | sort) <(framed | grep -v '^listen$' | sort)
}

@test "binds by number and by 0, connects and sends have the line and the function that made them" {
    record "$python" "$guests/calls.py"
    grep -qx 98 out
    all_right "$guests/calls.py"
    framed | grep -qx listen
    "$PORTWITNESS" export --format jsonl t | jq -se '[.[] | select(.kind == "bind")] | length == 2 and
        all(.frames | length == 2 and all(.of == "user") and .[1].function == "<module>")'
}

@test "in a thread, in socketserver, asyncio and create_connection the line is the user's" {
    record "$python" "$guests/places.py"
    all_right "$guests/places.py"
}

@test "places that differ in one thing alone are told apart, at the first time and again" {
    record "$python" "$guests/alike.py"
    local line
    line=$(right "$guests/alike.py" | sed -n '2s/.*:\([0-9]*\) .*/\1/p')
    { right "$guests/alike.py" && printf 'bind %s\n' '<made>:1 first_name' '<made>:1 second_name' \
        "a_file:$line again" "$guests/alike.py:$line a_name"; } | sed p | sort >expected
    [ "$(wc -l <expected)" -eq 24 ] && diff expected <(framed | sort)
}

@test "children that were forked, spawned or started have frames of their own" {
    record "$python" "$guests/processes.py"
    [ "$(framed | sort | uniq -c | awk '{ print $1 }')" = 4 ]
    all_right "$guests/processes.py" 'p;p;p'
}

@test "development mode, a checking allocator, and an isolated interpreter without site are no matter" {
    local variables
    for variables in PYTHONMALLOC=debug PYTHONMALLOC=malloc PYTHONDEVMODE=1 PYTHONNOUSERSITE=1; do
        record env "$variables" "$python" -I -S "$guests/calls.py"
        all_right "$guests/calls.py"
        record env "$variables" "$python" -W ignore -X dev "$guests/calls.py"
        all_right "$guests/calls.py"
    done
}

@test "the very first bind has a frame, with the standard library's socket and without, in main and in a thread" {
    printf '%s\n' 'import _socket; s = _socket.socket(); s.bind(("127.0.0.1", 0))' >first.py
    record "$python" -I -S first.py
    framed | grep -qx "bind $PWD/first.py:1 <module>"
    printf '%s\n' 'import threading, socket' \
        'threading.Thread(target=lambda: socket.socket().bind(("127.0.0.1", 0))).start()' >thread.py
    record "$python" -I -S thread.py
    framed | grep -qx "bind $PWD/thread.py:2 <lambda>"
    record "$python" -c 'import socket; socket.socket().bind(("127.0.0.1", 0))'
    framed | grep -qx 'bind <string>:1 <module>'
}

@test "a program's own audit hooks see what they saw, may refuse a call, and leave no frame to the next" {
    record "$python" "$guests/hooks.py"
    grep -q "^\['socket.__new__', 'socket.bind'," out
    all_right "$guests/hooks.py"
    framed | grep -qx listen
}

@test "events that a program makes up run no code of it, and a Unix socket's frame goes to nobody" {
    record "$python" "$guests/strange.py"
    all_right "$guests/strange.py"
    framed | grep -qx listen
}

@test "Python code that stands in for the C module of sockets is not run by a bind" {
    record "$python" "$guests/stand_ins.py"
    [ "$(framed | sort | uniq -c | awk '{ print $1, NF }' | xargs)" = '5 2 1 4' ]
}

@test "what is asked leaves no strings in the interpreter's cache of attributes" {
    record "$python" -c '
import gc, socket, sys
def bind(times):
    for _ in range(times):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
bind(10)
gc.collect()
before = sys.getallocatedblocks()
bind(1000)
gc.collect()
print(sys.getallocatedblocks() - before < 50)'
    [ "$(cat out)" = True ]
}

@test "an extension that holds the interpreter's lock has frames, and what went past it has no other's" {
    record "$python" "$guests/extension.py"
    [ "$(framed)" = "$(right "$guests/extension.py")
bind
bind
bind" ]
}

@test "subinterpreters have frames, each time" {
    record "$python" "$guests/subinterpreters.py"
    [ "$(framed)" = "bind <string>:5 inner
bind <string>:5 inner
bind $guests/subinterpreters.py:$(grep -n 'only.bind.*0))$' "$guests/subinterpreters.py" | tail -1 |
            cut -d: -f1) outer" ]
}

# libpython SUFFIX: Debian's library for programs that have an interpreter in them.
libpython() {
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    libpython=$(find /usr/lib/x86_64-linux-gnu /usr/lib/aarch64-linux-gnu -maxdepth 1 \
        -name "libpython$version.$1" 2>/dev/null | head -1)
    [ -n "$libpython" ] || skip "libpython$version.$1 is not installed; scripts/bootstrap --test"
}

embedded='bind <string>:4 embedded'

@test "an interpreter in a C program has frames in each of its lives, and the C code none" {
    libpython so.1.0
    cc -o embeds "$guests/embeds/embeds.c" "$libpython"
    record ./embeds
    grep -qx '3 events' out
    [ "$(framed)" = "$(printf '%s\nbind\n' "$embedded" "$embedded" "$embedded")" ]
}

@test "where the thread that initialised the interpreter waits in C, the others have frames" {
    libpython so.1.0
    cc -o embeds "$guests/embeds/embeds.c" "$libpython"
    record ./embeds blocked
    [ "$(framed)" = "$embedded" ]
}

@test "an interpreter that is linked statically has frames if its names are there, and no warning if not" {
    libpython a
    cc -no-pie -o embeds -Wl,--export-dynamic "$guests/embeds/embeds.c" "$libpython" -lexpat -lz -lm
    record ./embeds
    [ "$(framed)" = "$(printf '%s\nbind\n' "$embedded" "$embedded" "$embedded")" ]
    strip --strip-all embeds
    record ./embeds
    [ "$(framed)" = "$(printf '%s\nbind\n' "$embedded" "$embedded" "$embedded")" ]
    cc -no-pie -o closed "$guests/embeds/embeds.c" "$libpython" -lexpat -lz -lm
    strip --strip-all closed
    record ./closed
    [ "$(framed | sort -u)" = bind ]
    [ ! -s err ]
}

@test "an allocator that makes a system call in its own first steps starts the shim, and both go on" {
    local jemalloc=(/usr/lib/*/libjemalloc.so.2)
    export LD_PRELOAD=${jemalloc[0]}
    record "$python" -c 'import socket; socket.socket().bind(("127.0.0.1", 0))'
    [ "$(framed)" = 'bind <string>:1 <module>' ]
}

@test "with --no-frames, and by hand with PORTWITNESS_FRAMES=0, there are none" {
    options=(--no-frames)
    record "$python" "$guests/calls.py"
    [ "$(framed | sort -u | tr '\n' ' ')" = 'autobind bind connect listen ' ]
    # shellcheck disable=SC2034 # for record, in frames.bash
    options=()
    rm t
    PORTWITNESS_FRAMES=0 PORTWITNESS_TRACE=$PWD/t LD_PRELOAD=$shim "$python" "$guests/calls.py"
    [ "$(framed | sort -u | tr '\n' ' ')" = 'autobind bind connect listen ' ]
}

@test "what is installed, what runs tests and the standard library are told from the user's code" {
    mkdir -p .tox/py/lib/python3.11/site-packages/{picker,_pytest}
    printf '%s\n' 'import socket' 'def pick():' '    s = socket.socket()' \
        '    s.bind(("127.0.0.1", 0))' >.tox/py/lib/python3.11/site-packages/picker/__init__.py
    printf 'def run(test):\n    test()\n' >.tox/py/lib/python3.11/site-packages/_pytest/__init__.py
    printf '%s\n' 'import _pytest, picker' 'def test():' '    picker.pick()' '_pytest.run(test)' >test_it.py
    record env PYTHONPATH=.tox/py/lib/python3.11/site-packages "$python" test_it.py
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "bind").frames[] |
        "\(.of) \(.file | sub(".*/(?<a>[^/]*/)"; .a)):\(.line) \(.function)"' >frames
    diff - frames <<END
dependency picker/__init__.py:4 pick
user ${PWD##*/}/test_it.py:3 test
END
}
