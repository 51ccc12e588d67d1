# One of two files that run at one time.
# shellcheck disable=SC2154 # set by bats

bats_require_minimum_version 1.5.0

load turns

@test "the checkout takes the money" {
    both_serve checkout cart
}
