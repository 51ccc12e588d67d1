# A trace that others may write to, while it is written: whatever words they put there, the guests and
# `run` go on as if nothing were, and `check` comes to an end.

# shellcheck disable=SC2154,SC2034 # set by bats or by common.bash; for scribbled.bash
bats_require_minimum_version 1.5.0
load ../common
load scribbled

# The full test leaves out none of them under any policy.
parts=(header units counters places stamps rings spaces config all)
of_the_header=(capacity fill next_unit next_unit_wrap populated_to policy_offset policy_size stacks
    questions config_soonest next_process last_process)
of_keep=(keep keep_head keep_slots)
words_of_keep=(keep_filling keep_asked keep_answered keep_cookies keep_gone keep_nowhere)
of_the_spaces=(stamps_far ringmask ring0mask head lowhigh used)

@test "random words in any part, kernel" {
    all_of kernel "$words" header counters config spaces units all
}

@test "random words in any part, soonest" {
    all_of soonest "$words" "${parts[@]:few*4}"
}

@test "random words in any part, quarantine" {
    all_of quarantine:1 "$words" "${parts[@]}"
}

@test "random words in any part, seeded" {
    all_of seeded:7 "$words" "${parts[@]:few*6}"
}

@test "random words in any part, range" {
    all_of range:41000-41999 "$words" "${parts[@]:few*6}"
}

@test "random words in any part, keep" {
    all_of keep:1 "$words" "${parts[@]:few*6}" "${of_keep[@]}"
}

@test "each exact word of what keep has" {
    all_of keep:1 1 "${words_of_keep[@]}"
    all_of keep:1 200 "${words_of_keep[@]:0:4}" # again and again
}

@test "each exact word of the header" {
    all_of kernel 1 "${of_the_header[@]}"
}

@test "each exact word of a policy's spaces, and of the header under a policy" {
    all_of soonest 1 "${of_the_spaces[@]}" policy_offset policy_size
    all_of quarantine:1 1 "${of_the_spaces[@]}"
}
