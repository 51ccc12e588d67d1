# Calls with bad, short, unaligned and NULL pointers: results and errors are the kernel's own, under
# every policy, and no signal comes.

# shellcheck disable=SC2154,SC2016,SC2034 # variables of bats, common.bash and unchanged.bash; other shells'
bats_require_minimum_version 1.5.0
load ../common
load ../e2e/unchanged

policies=(soonest quarantine:1 seeded:7 range:40000-40999)

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
}

# alone COMMAND...: in a network namespace where nobody else takes ports.
alone() {
    "${in_namespace[@]}" "$@"
}

# fuzz SEED COMMAND...: the guest behind a command that starts it.
fuzz() {
    local calls=$FUZZ_CALLS seed=$1
    shift
    run -0 alone "$@" "$data/fuzz_calls" --calls "$calls" --seed "$seed"
    assert_matches "$output" "$calls calls, 0 differences"
    rm -f "$trace"
}

@test "each wrapped call is fuzzed, or the reason why not is given" {
    run -0 "$data/fuzz_calls" --list
    assert_equal "${#lines[@]}" "$(grep -c '^CALL' "$root/shim/shared/calls.def")"
    assert_equal "$(grep -c ': ' <<<"$output")" 10
    run -0 alone "$data/fuzz_calls" --calls 100000
    # Every one is made.
    assert_equal "$(grep -c ' 0$' <<<"$output" || true)" 0
}

@test "calls recorded, with the results of the bare ones beside them" {
    fuzz "${FUZZ_SEED:-2}" "$PORTWITNESS" run -q -o "$trace" --policy kernel --
}

@test "calls under each other policy, with the results of the bare ones beside them" {
    for policy in "${policies[@]}"; do
        fuzz "${FUZZ_SEED:-3}" "$PORTWITNESS" run -q -o "$trace" --policy "$policy" --
    done
}

@test "the same where no memory can be copied but through a pipe" {
    fuzz "${FUZZ_SEED:-4}" "$data/without_vm_readv" "$PORTWITNESS" run -q -o "$trace" --
}

@test "bad pointers, one by one: the same results and errors under every policy" {
    unchanged "$data/bad_pointers"
    [ "$(wc -l <bare.out)" -gt 40 ]
    assert_equal "$(grep -c status bare.out || true)" 0
    for policy in "${policies[@]}" range:20000-20999; do
        rm -f "$trace"
        capture run "$PORTWITNESS" run -q -o "$trace" --policy "$policy" -- "$data/bad_pointers"
        like_bare run 0
    done
}
