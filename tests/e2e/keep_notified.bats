# `portwitness run --policy keep` for programs that the shim is not in, whose calls `run` makes: they pick numbers
# and bind numbers as others do, beside strangers as in keep_pickers.bats.

# shellcheck disable=SC2154,SC2034,SC2016 # set by bats, common.bash or keep.bash; for keep.bash; those of sh
bats_require_minimum_version 1.5.0
load ../common
load keep

setup() {
    keep_setup
    beside_crowd
    static=$data/capture/ports.static
    go=$data/capture/go/ports
    options=(--capture=seccomp)
    export python guests
}

# picked_by COMMAND...: what the guest of tests/guests/capture picks, TCP on 127.0.0.1 and UDP there, and TCP
# on :: between them, is bound by serve.py.
picked_by() {
    under keep sh -c '"$@" loop 60 >picked && sleep 0.2 &&
        "$python" "$guests/serve.py" $(awk "\$1 == \"tcp\" && !/::/ { print \$3 }" picked) &&
        "$python" "$guests/serve.py" udp $(awk "\$1 == \"udp\" { print \$3 }" picked)' sh "$@" >said
    assert_equal "$(sort said | uniq -c | xargs)" '40 bound'
    assert_equal "$(counted kept_bound)" 40
}

@test "a static program picks, which is notified" { picked_by "$static"; }
@test "a Go program picks, which is notified" { picked_by "$go"; }

@test "the same by default, where eBPF may see it as well" {
    options=()
    picked_by "$static"
}

# bound_by COMMAND...: it binds what Python has picked.
bound_by() {
    under keep "$python" "$guests/pick.py" argument 20 "$@" >said
    assert_equal "$(grep -cE '^tcp 127\.0\.0\.1 4[01][0-9]{3}$' said)" 20
}

@test "a static program binds what Python has picked" {
    bound_by "$static" number
    assert_equal "$(counted kept_bound)" 20
}

@test "a Go program binds what Python has picked" {
    bound_by "$go" number
    assert_equal "$(counted kept_bound)" 20
}

@test "a Go program that nobody sees binds it all the same, as it sets SO_REUSEADDR" {
    options=(--capture=preload)
    bound_by "$go" number
    assert_equal "$(counted kept) $(counted kept_bound)" '20 0'
}
