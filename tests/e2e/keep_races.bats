# `run --policy keep` beside strangers that ask for 20,000 ports a second, as scripts/races measures it.

# shellcheck disable=SC2154,SC2016 # variables of bats and common.bash; programs in single quotes
bats_require_minimum_version 1.5.0
load ../common

setup() {
    "${in_namespace[@]}" true || skip 'no network namespace of its own'
    cd "$BATS_TEST_TMPDIR" || return
}

races() {
    BUILD=$build "$root/scripts/races" --times "$RACES" "$@"
}

# row POLICY: the numbers of its row in the table: lost by TCP and by UDP, and what strangers were given
# a second. Fails where that is not one row of four numbers.
row() {
    local numbers
    numbers=$(awk -v policy="$1" '$1 == policy { $1 = ""; print }' <<<"$output")
    assert_matches "$numbers" '^ [0-9]+ [0-9]+ [1-9][0-9]* [1-9][0-9]*$' || return
    echo "$numbers"
}

# built_with PROGRAM: a folder of what was built, in which another program, from standard input, stands
# for this one: portwitness, picker or strangers.
built_with() {
    local path
    mkdir -p built/tests/guests/policies
    for path in portwitness libportwitness.so tests/guests/policies/{picker,strangers}; do
        ln -sf "$build/$path" "built/$path"
    done
    path=built/portwitness
    [ "$1" = portwitness ] || path=built/tests/guests/policies/$1
    rm "$path"
    { echo '#!/bin/bash'; cat; } >"$path"
    chmod +x "$path"
}

# nothing_measured MESSAGE: the script ends with 3, by that message, and has no row.
nothing_measured() {
    run -3 --separate-stderr env BUILD="$PWD/built" "$root/scripts/races" --times 3 --policy kernel --policy keep
    assert_equal "$stderr" "races: $1"
    [[ $output != *kernel* ]]
}

@test "keep loses no port to strangers, by TCP nor by UDP, and the kernel alone loses some" {
    run -0 races --policy kernel --policy keep
    echo "$output"
    local tcp udp
    # That strangers were there each time, and were given ports, is in the pattern of a row.
    read -r tcp udp _ <<<"$(row keep)"
    assert_equal "$tcp $udp" '0 0'
    read -r tcp _ <<<"$(row kernel)"
    [ "$tcp" -gt 0 ]
}

@test "a port that is lost under keep ends the script with 1" {
    run -0 races --policy keep,range:20000-20999
    # Of two ports a quarter is none: nothing is kept.
    run -1 races --policy keep,range:20000-20001
    local tcp
    read -r tcp _ <<<"$(row keep,range:20000-20001)"
    [ "$tcp" -gt 0 ]
}

@test "a picker that fails, or says anything but what it lost, ends the script with 3" {
    built_with picker <<<'exit 1'
    nothing_measured 'picker (kernel, tcp): status 1'
    built_with picker <<<'exit 0'
    nothing_measured "picker (kernel, tcp): said ''"
    built_with picker <<<'echo "lost  of $2, asked again 0"'
    nothing_measured "picker (kernel, tcp): said 'lost  of 3, asked again 0'"
    built_with picker <<<'echo "lost 0 of 2, asked again 0"'
    nothing_measured "picker (kernel, tcp): said 'lost 0 of 2, asked again 0'"
    built_with picker <<<'[ "$1" = tcp ] && echo "lost 1 of $2, asked again 0"'
    nothing_measured 'picker (kernel, udp): status 1'
}

@test "so do strangers that fail, are not there to the end or are given nothing, and a portwitness that fails" {
    built_with strangers <<<'exit 1'
    nothing_measured 'strangers: ended before they asked'
    built_with strangers <<<'echo asking'
    nothing_measured 'strangers: ended before the picker did'
    built_with strangers <<<'trap "exit 1" TERM; echo asking; while sleep 0.1; do :; done'
    nothing_measured 'strangers: status 1'
    built_with strangers <<<'trap "echo 0; exit" TERM; echo asking; while sleep 0.1; do :; done'
    nothing_measured "strangers: given no ports: '0'"
    # Of the real ones one asker is killed.
    built_with picker <<END
script=\$(ps -o ppid= "\$PPID" | xargs)
kill -KILL "\$(pgrep -n -P "\$(pgrep -P "\$script" -x strangers)")"
echo "lost 0 of \$2, asked again 0"
END
    nothing_measured 'strangers: status 1'
    built_with portwitness <<<'exit 125'
    nothing_measured 'picker (kernel, tcp): status 125'
}

@test "no network namespace of its own ends the script with 3" {
    mkdir bin
    ln -s "$(type -P false)" bin/unshare
    PATH=$PWD/bin:$PATH run -3 races --policy keep
    assert_equal "$output" 'races: no network namespace of its own'
}

@test "how often no port was left for the picker stands below the table" {
    built_with picker <<<'[ "$1" = tcp ] && again=7; echo "lost 1 of $2, asked again ${again-0}"'
    run -0 env BUILD="$PWD/built" "$root/scripts/races" --times 3 --policy kernel
    assert_equal "$(row kernel | cut -d' ' -f2,3)" '1 1'
    assert_equal "${lines[-1]}" 'No port was left for the picker, which asked again: kernel, tcp: 7 times'
}

# picker_where_all_are_held: the only port of a namespace is held until the picker sleeps, which it
# does not before it was refused it; or, with "for good", to the end.
picker_where_all_are_held() {
    "${in_namespace[@]}" sh -c 'echo 20000 20000 >/proc/sys/net/ipv4/ip_local_port_range; exec "$@"' sh \
        "$python" - "$build/tests/guests/policies/picker" "$@" <<'HOLDER'
import socket, subprocess, sys
CLOCK_NANOSLEEP = "230"
held = socket.socket()
held.bind(("127.0.0.1", 20000))
picker = subprocess.Popen([sys.argv[1], "tcp", "1", "0"])
def sleeps():
    try:
        return open(f"/proc/{picker.pid}/syscall").read().split()[0] == CLOCK_NANOSLEEP
    except ProcessLookupError:
        return False
while sys.argv[2:] == [] and picker.poll() is None and not sleeps():
    pass
if sys.argv[2:] == []:
    held.close()
sys.exit(picker.wait())
HOLDER
}

@test "a picker that is given no port asks again, so many times" {
    run -0 picker_where_all_are_held
    assert_matches "$output" '^lost 0 of 1, asked again [1-9][0-9]*$'
    run -1 picker_where_all_are_held for good
    assert_equal "$output" 'bind to port 0: Address already in use'
}

@test "an invalid number of times, and any other option, is refused with the usage" {
    for words in '--times 0' '--times x' '--times' '--policy' '--other 1'; do
        # shellcheck disable=SC2086 # words
        run -2 "$root/scripts/races" $words
        [[ $output == *'scripts/races [--times N]'* ]]
    done
}
