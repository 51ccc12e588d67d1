# `portwitness run --policy keep` for scripts that pick a number and hand it on: see keep_pickers.bats.

# shellcheck disable=SC2154,SC2034 # set by bats, common.bash or keep.bash; for keep.bash
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() {
    keep_setup
    beside_crowd
    export python guests
}

@test "shell: fork" { none_lost sh "$guests/pick.sh" fork "$PICKS" "$PICKS"; }
@test "shell: exec" { none_lost sh "$guests/pick.sh" exec "$PICKS" "$PICKS"; }
@test "shell: argument" { none_lost sh "$guests/pick.sh" argument "$PICKS" "$PICKS"; }
@test "shell: file" { none_lost sh "$guests/pick.sh" file "$PICKS" "$PICKS"; }
