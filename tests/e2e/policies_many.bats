# Policies beside a crowd, and in a tree of many processes.

# shellcheck disable=SC2154,SC2030,SC2031 # set by bats or by common.bash
bats_require_minimum_version 1.5.0
load ../common
load policies

setup() { policies_setup; }

@test "quarantine: the same program never loses beside 64 that ask for 20,000 a second" {
    # shellcheck disable=SC2016
    local script='"$1" "$2/crowd.py" 64 20000 $3 & until [ -e asking ]; do sleep 0.05; done
        "$1" "$2/rebind.py" "$REBINDS"; : >enough; wait; rm asking enough'
    under quarantine sh -c "$script" - "$python" "$guests" "" >said
    assert_equal "$(grep "^lost" said)" "lost 0 of $REBINDS"
    [ "$(counted recycled)" -gt 1000 ]
    # Where the crowd reads its numbers the range does not last: the oldest are given, and counted.
    under quarantine sh -c "$script" - "$python" "$guests" read >said
    assert_equal "$(grep "^lost" said)" "lost 0 of $REBINDS"
    [ "$(counted early)" -gt 1000 ]
}

@test "seeded: each run of 50 processes is given the same ports, in the same places" {
    under seeded:7 "$python" "$guests/tree.py" | sort >first
    assert_equal "$(wc -l <first)" 50
    local met
    met=$(counted met)
    for ((i = 1; i < SEEDED_RUNS; i++)); do
        under seeded:7 "$python" "$guests/tree.py" | sort >again
        met=$((met + $(counted met)))
        # Two that met may differ, and nothing else.
        [ "$(diff first again | grep -c '^[<>]')" -le $((2 * met)) ]
        assert_equal "$(counted unplaced)" 0
    done
    echo "# $met meetings" >&3
    under seeded:8 "$python" "$guests/tree.py" | sort >other
    [ "$(diff first other | grep -c '^>')" -ge 49 ]
}
