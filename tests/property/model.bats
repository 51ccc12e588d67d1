# The model of bind against the kernel, on real sockets in a network namespace of its own.
# shellcheck disable=SC2154 # variables of bats

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    against=$build/tests/property/model_against_kernel
}

# agrees ARGUMENT...: the comparison ends with agreement. On a kernel that is known to differ it is
# reported, and the test is skipped.
agrees() {
    run "$against" "$@"
    echo "$output"
    [ "$status" -ne 77 ] || skip "$output"
    case $(uname -r) in
    # Before 6.18 a port's bucket keeps what it remembers until it is empty; the model follows 6.18.
    5.* | 6.[0-9].* | 6.1[0-7].*)
        [ "$status" -eq 0 ] || skip "Linux $(uname -r) is known to differ: $(tail -n 1 <<<"$output")"
        ;;
    esac
    [ "$status" -eq 0 ]
}

@test "random operations: no disagreement, and every rule decides often" {
    agrees --operations "$MODEL_OPERATIONS" --coverage $((MODEL_OPERATIONS / 10000))
}

@test "sequences of four calls on two sockets, all or each Nth: no disagreement" {
    agrees --exhaustive "$EXHAUSTIVE_STEP"
}

@test "a rule that the model does without is noticed, each of them" {
    local first
    first=$("$against" --operations 1) || skip "$first"
    local rule count=0
    for rule in $("$against" --rules); do
        count=$((count + 1))
        [ $((count % RULE_STEP)) -eq 0 ] || continue
        run -1 "$against" --seed 5 --operations 400000 --without "$rule"
        [[ $output == *disagreement* ]]
    done
    [ "$count" -ge 37 ]
}

@test "a disagreement is shown as the shortest sequence, in words and as a C program that compiles" {
    run -1 "$against" --seed 5 --without user
    local words
    words=$(grep -c '^#   ' <<<"$output")
    [ "$words" -ge 5 ]
    [ "$words" -le 12 ]
    grep -q '^# Operation [0-9]*: the kernel says' <<<"$output"
    sed '/^disagreement/d; /^seed/d; /^# /d; /^#   /d' <<<"$output" >"$BATS_TEST_TMPDIR/shown.c"
    gcc -w -o "$BATS_TEST_TMPDIR/shown" "$BATS_TEST_TMPDIR/shown.c"
}
