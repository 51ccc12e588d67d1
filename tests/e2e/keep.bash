# What the tests of `run --policy keep` share. `load keep`, after common.
# shellcheck disable=SC2154,SC2034 # variables of bats and common.bash; for the tests

keep_setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$root/tests/guests/keep
    export PYTHONPATH=$guests PYTHONDONTWRITEBYTECODE=1
    [ "$(id -u)" -eq 0 ] || skip 'a network namespace with a port range of its own needs root'
    namespace_of '32768 60999'
}

# namespace_of "LOW HIGH": what puts a command into a network namespace with that port range.
namespace_of() {
    in_range=(unshare -n sh -c "ip link set lo up
        echo '$1' >/proc/sys/net/ipv4/ip_local_port_range; exec \"\$@\"" sh)
}

# What runs beside the command of `under`, and outside the run; more options of `run`.
beside=()
options=()

# under POLICY COMMAND...: runs it under portwitness run, into t.trace; the summary goes to `summary`.
under() {
    rm -f t.trace
    "${in_range[@]}" "${beside[@]}" "$PORTWITNESS" run -o t.trace --policy "$1" "${options[@]}" -- \
        "${@:2}" 2>summary 3>&- || { cat summary >&2; return 1; }
}

# summary_says TEXT: the summary's line on the policy, behind its name.
summary_says() {
    assert_equal "$(sed -n 's/^portwitness: policy [^ ]*: //p' summary)" "$1"
}

# counted KEY: how many the policy counted, by the name that it has in the JSON of check.
counted() {
    "$PORTWITNESS" check --json --fail-on never t.trace | jq ".policies[0].$1"
}

# Strangers hold 600 of 1,024 ports and ask for others all the time.
beside_crowd() {
    namespace_of '40000 41023'
    beside=("$python" "$guests/crowd.py" 600)
}

# none_lost COMMAND... COUNT: the command says "bound" for each of so many numbers.
none_lost() {
    under keep "${@:1:$# - 1}" >said
    assert_equal "$(sort said | uniq -c | xargs)" "${*: -1} bound"
    assert_equal "$(counted kept_bound)" "${*: -1}"
}
