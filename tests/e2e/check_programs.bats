# Programs that use ports rightly, in unusual ways, and programs with a race each: the first are told
# nothing wrong, the others what happened. tests/guests/correct and racy say what may be found.

# shellcheck disable=SC2154,SC2016 # variables of common.bash; jq's
bats_require_minimum_version 1.5.0
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    [ "$(id -u)" -eq 0 ] || skip 'needs root: some make network namespaces of their own'
    # The programs call the interpreter by its plain name.
    PATH=${python%/*}:$PATH
    correct=$root/tests/guests/correct
    racy=$root/tests/guests/racy
}

# program PATH: leaves how to run it in ${program[@]}.
program() {
    case $1 in
    *.py) program=("$python" "$1") ;;
    *.sh) program=(bash "$1") ;;
    *.js) program=(node "$1") ;;
    *.pl) program=(perl "$1") ;;
    *.c) program=("$build/${1#"$root/"}") && program[0]=${program[0]%.c} ;;
    esac
}

# recorded PATH OPTION...: runs the program into the trace t, in a network namespace of its own; what
# it prints goes to out, its status to status.
recorded() {
    program "$1"
    rm -f t
    "${namespace[@]}" timeout 60 "$PORTWITNESS" run -q -o t "${@:2}" -- "${program[@]}" >out 2>err && echo 0 >status || echo $? >status
}

# The kinds that a list allows for a program.
allowed() { sed -n "s/^$1 //p" "$2/findings" | sed 's/ *#.*//'; }

# Ends the process that took the port, where the program has left it.
end_taker() {
    [ ! -e taker.flag ] || kill "$(cat taker.flag)" 2>/dev/null || true
    rm -f taker.flag
}

# clean_under POLICY: each correct program (each CORRECT_STEP-th) prints and ends as bare, and is told
# nothing but what the list allows.
clean_under() {
    local path name wrong=0 count=0 kinds namespace=("${in_namespace[@]}")
    for path in "$correct"/[0-9]*; do
        [ $((count++ % CORRECT_STEP)) -eq 0 ] || continue
        name=$(basename "$path")
        program "$path"
        "${namespace[@]}" timeout 60 "${program[@]}" >bare.out 2>bare.err && echo 0 >bare.status ||
            echo $? >bare.status
        recorded "$path" --policy "$1"
        kinds=$("$PORTWITNESS" check --json t | jq -r '.findings[] |
            select(.severity != "note") | if .severity == "error" then "error: " else "" end + .kind' |
            sort -u | grep -vxF "$(allowed "$name" "$correct")" || true)
        if ! cmp -s out bare.out || ! cmp -s status bare.status || [ -n "$kinds" ]; then
            echo "$name under $1: status $(cat status), bare $(cat bare.status); found: $kinds" >&2
            diff bare.out out >&2 || true
            wrong=$((wrong + 1))
        fi
    done
    [ "$count" -ge 40 ]
    assert_equal "$wrong" 0
}

@test "correct programs stay as they are, and are told nothing wrong: kernel" { clean_under kernel; }
@test "the same under soonest" { clean_under soonest; }
@test "the same under quarantine" { clean_under quarantine:1; }
@test "the same under seeded" { clean_under seeded:7; }
@test "the same under keep" { clean_under keep; }
@test "the same under a range" { clean_under range:40000-40999; }

@test "racy programs: the race is found, both sides are named, and what is not seen is possible" {
    local name kind certainty wrong=0 count=0 found
    local namespace=(unshare -n sh -c 'ip link set lo up
        echo "20000 20001" >/proc/sys/net/ipv4/ip_local_port_range; exec "$@"' sh)
    export PYTHONPATH=$racy PYTHONDONTWRITEBYTECODE=1
    while read -r name kind certainty; do
        # Now and then the taker is given the other port that there is.
        for _ in {1..20}; do
            recorded "$racy/$name"
            [ "$kind" = lost-race ] && ! grep -q LOST out || break
            end_taker
        done
        count=$((count + 1))
        found=$("$PORTWITNESS" check --json t | jq -r --arg kind "$kind" \
            '[.findings[] | select(.kind == $kind)][0] |
            "\(if .certain then "certain" else "possible" end) \(if .kind != "lost-race" or
            (.assigned.seq != .other.seq and (.other.command | test("taker.flag")))
            then "both" else "one" end)"')
        end_taker
        [ "$certainty" != any ] || certainty=${found% *}
        [ "$found" = "$certainty both" ] || {
            echo "$name: $kind $certainty; found: $found" >&2
            wrong=$((wrong + 1))
        }
    done < <(grep '^[0-9]' "$racy/findings")
    assert_equal "$count" 20
    assert_equal "$wrong" 0
}
