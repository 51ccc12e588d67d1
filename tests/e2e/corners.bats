# Rare ways of using wrapped calls: what the guest gets is what it would get without the shim.

# shellcheck disable=SC2154,SC2034 # variables of bats, common.bash and unchanged.bash
bats_require_minimum_version 1.5.0
load ../common
load unchanged

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
    corners=$data/corners
}

@test "a signal handler that jumps out of a connect: no crash, no torn record, the port is recorded" {
    run -0 "$PORTWITNESS" run -q -o "$trace" -- "$corners" jump
    local port=${output##* }
    "$PORTWITNESS" ports --json --port "$port" "$trace" >rows 2>evidence
    assert_equal "$(jq -s 'map(select(.call == "connect")) | length' rows)" 1
    assert_equal "$(cat evidence)" ''
}

@test "syscall(2) is no cancellation point" {
    unchanged "$corners" by-number
    assert_equal "$(cat bare.out)" 'accept by syscall: -1'
}

@test "a shell command as long as the kernel takes, in a cleared environment" {
    unchanged env -i "$corners" long-command
    assert_equal "$(cat bare.out)" 'shell: 5'
}

@test "a vfork child on a small stack executes a program with thousands of variables" {
    unchanged "$corners" small-vfork
    assert_equal "$(cat bare.out)" 'vfork: 0'
}

@test "a user who may lock 8 MiB may still lock all memory" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    local open
    open=$(mktemp -d /tmp/portwitness-lock.XXXXXX)
    chmod 777 "$open"
    cp "$corners" "$PORTWITNESS" "$(dirname "$PORTWITNESS")/libportwitness.so" "$open/"
    ulimit -l 8192
    run -0 setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$open/portwitness" run -q -o "$open/t" -- "$open/corners" lock
    rm -r "$open"
    assert_equal "$output" 'mlockall: 0'
}

@test "a program named in a folder that is not the current one, and by a descriptor, is looked at" {
    mkdir folder
    cp "$data/bind_once.static" folder/guest
    local way
    for way in in-folder by-descriptor; do
        rm -f "$trace"
        "$PORTWITNESS" run --capture=preload -o "$trace" -- "$corners" "$way" folder guest 2>summary
        grep -q '1 blind spot: .*/folder/guest (static program)' summary
    done
}

@test "a cleared environment is clean for programs that the shim cannot enter" {
    ldd "$(command -v busybox)" >/dev/null 2>&1 && skip 'this busybox is dynamic'
    run -0 "$PORTWITNESS" run -q -o "$trace" -- env -i A=1 "$(command -v busybox)" env
    assert_equal "$output" 'A=1'
}

@test "an empty PORTWITNESS_TRACE leaves a program's environment alone" {
    run -0 "$PORTWITNESS" run -q -o "$trace" -- \
        env -i PORTWITNESS_TRACE= "$data/show_environment"
    assert_equal "$(grep -c -e LD_PRELOAD -e RESTORED <<<"$output")" 0
}

@test "where the shim cannot be read it is not preloaded, and that is reported" {
    [ "$(id -u)" -eq 0 ] || skip 'another user needs root'
    mkdir -m 700 closed
    cp "$PORTWITNESS" "$(dirname "$PORTWITNESS")/libportwitness.so" closed/
    run -0 --separate-stderr closed/portwitness run --shared -o "$trace" -- \
        setpriv --reuid 65534 --regid 65534 --clear-groups /bin/sh -c '/bin/echo a; /bin/echo b'
    assert_equal "$output" $'a\nb'
    grep -q 'blind spot' <<<"$stderr"
    ! grep -q 'cannot be preloaded' <<<"$stderr" || return 1
}

@test "an unused socket that a program inherits is its parent's too" {
    "$PORTWITNESS" run -q -o "$trace" -- "$python" "$root/tests/guests/inherits.py" >held
    assert_equal "$(wc -l <held)" 3
    local port moment
    while read -r port moment; do
        "$PORTWITNESS" ports --json --port "$port" "$trace" |
            jq -e --argjson moment "$moment" '.held_to_ns > $moment' >/dev/null || {
            echo "port $port ended before it was released" >&2
            return 1
        }
    done <held
}
