# `portwitness run --policy keep`: whoever binds a number beside other sockets gets the answer, errno by errno,
# that there is without the policy, and reads SO_REUSEADDR back as it was set. tests/guests/keep_answers.c has
# the situations: open sockets, listeners, connections, TIME_WAIT, sockets beside two others with
# SO_REUSEADDR, SO_REUSEPORT groups, a listen after shutdown, a connect after one that was refused, dup and
# fork; on 127.0.0.1, 127.0.0.2, 0.0.0.0, ::1 and ::, TCP and UDP.

# shellcheck disable=SC2154,SC2034 # set by bats, common.bash or keep.bash; for keep.bash
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() { keep_setup; }

# differs_under GUEST POLICY: leaves in `differs` what the guest says under the policy and not bare.
differs_under() {
    under "$2" "$data/$1" "$ANSWERS_STEP" >said
    assert_equal "$(wc -l <said)" "$(wc -l <bare)"
    grep -vxFf bare said >differs || true
}

# same_answers GUEST POLICY: what the guest says under the policy is what it says bare. Whoever looks into
# /proc/PID/fd, as `run` does after a refusal, holds the file that it looks at for a moment, and a close
# in it comes late: once in some 100,000 situations that is an answer. So one must differ twice.
same_answers() {
    "${in_range[@]}" "$data/$1" "$ANSWERS_STEP" >bare
    [ "$(wc -l <bare)" -ge 1000 ]
    differs_under "$@"
    [ -s differs ] || return 0
    sed 's/: bind.*//' differs | sort >first
    differs_under "$@"
    sed 's/: bind.*//' differs | sort | comm -12 first - >twice
    [ ! -s twice ] || { grep -Ff twice bare differs; return 1; }
}

# The policy was there: it kept numbers, and some were bound. (check would take longer than the guest.)
has_kept() {
    assert_matches "$(cat summary)" 'policy keep:30: ([0-9]+) ports kept, ([0-9]+) of them bound by number'
    [ "${BASH_REMATCH[1]}" -ge 1000 ]
    [ "${BASH_REMATCH[2]}" -ge 700 ]
    if grep -E 'did not answer|ended early' summary; then return 1; fi
}

@test "binds by number are answered as bare under kernel" { same_answers keep_answers kernel; }

@test "... and under keep" {
    same_answers keep_answers keep
    has_kept
}

@test "... and in a static program, which is notified" {
    options=(--capture=seccomp)
    same_answers keep_answers.static keep
    has_kept
}

@test "the situations are refused and allowed, each often enough to be compared" {
    "${in_range[@]}" "$data/keep_answers" "$ANSWERS_STEP" >bare
    [ "$(grep -oE 'by-number:(ok|EADDRINUSE)' bare | sort | uniq -c | awk '$1 >= 100' | wc -l)" -eq 2 ]
    assert_equal "$(grep -oE '^(tcp|udp) [a-z-]+' bare | sort -u | wc -l)" 17
}
