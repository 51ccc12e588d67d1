#!/usr/bin/env bats
# What the benches print and write, and what they refuse; no figure is asserted, but for counts that are
# the same each time.
# shellcheck disable=SC2154 # variables of common.bash and of bats

bats_require_minimum_version 1.5.0

load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    # By the name that the tree was built with: another would build all of it again.
    folder=${BUILD:-build}
    make -s -C "$root" BUILD="$folder" "$folder/tests/bench/cycles" 3>&-
    export BUILD=$build
    export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a \
        GIT_COMMITTER_EMAIL=a@b
}

# A program of this name, the first in the PATH, with the script on stdin.
stand_in() {
    mkdir -p bin
    { echo '#!/bin/sh' && cat; } >"bin/$1"
    chmod +x "bin/$1"
    PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

# A tree with the benches whose `make all` copies the build that there is; its second revision has a
# program that leaves a mark each time, its third does not build. $BUILD is a build like this one.
tree_to_compare() {
    mkdir -p tree/tests && cd tree || return
    cp -r "$root/tests/bench" tests
    printf 'all:\n\tmkdir -p build && cp -r %s/portwitness* %s/lib* build/\n' "$build" "$build" >Makefile
    git init -q && git add -A && git commit -qm first
    cat >>Makefile <<END
	mv build/portwitness build/portwitness.real
	printf '#!/bin/sh\\necho run >>$BATS_TEST_TMPDIR/marks\\nexec "\$\$0.real" "\$\$@"\\n' >build/portwitness
	chmod +x build/portwitness
END
    git commit -qam second
    echo "\$(error spoilt on purpose)" >>Makefile
    git commit -qam third
    printf 'all:\n' >Makefile
    git commit -qam fourth
    export BUILD=$BATS_TEST_TMPDIR/built
    mkdir "$BUILD"
    cp -r "$build"/portwitness* "$build"/lib*.so "$BUILD"
    mkdir -p "$BUILD/tests/bench"
    cp "$build/tests/bench/cycles" "$BUILD/tests/bench"
}

@test "each way has a ratio with its quartiles, in the table and in JSON, and its calls are counted" {
    run -0 "$root/tests/bench/whole.py" --rounds 2 --count 10 --json figures.json
    ratio='[0-9.]+ \([0-9.]+ to [0-9.]+\)'
    ways=('by hand' run 'run --capture=preload' 'run --capture=seccomp' 'run --stacks' 'run --policy soonest'
        'run --policy quarantine' 'run --policy keep' 'run --policy seeded:7' 'run --policy range:40000-49999')
    for way in "${ways[@]}"; do
        grep -Eq "^$way +$ratio.* [+-][0-9]+\.[0-9]{2}( |\$)" <<<"$output" || {
            echo "no row for '$way', with calls, in: $output" >&2
            return 1
        }
        jq -e --arg way "$way" '(.ways[$way]["1"] | .ratio >= .low and .ratio <= .high and .low > 0) and
            (.added.system_calls[$way] | type == "number")' figures.json
    done
    for way in 'strace -f' 'strace -f --seccomp-bpf'; do
        grep -Eq "^$way +$ratio.* -( |\$)" <<<"$output"
        jq -e --arg way "$way" '.ways[$way]["1"].ratio > 0 and (.added.system_calls | has($way) | not)' figures.json
    done
    # socket, bind, getsockname and close.
    jq -e '.added.system_calls.bare == 4 and .added.system_calls["by hand"] > 0' figures.json
}

@test "instructions are counted where perf can, and what cannot be counted is left out with a word" {
    # Ten instructions for each cycle, seven more with a variable of the shim.
    stand_in perf <<'END'
while [ "$1" != -o ]; do shift; done
file=$2
shift 3
for last; do :; done
[ "$last" -gt 0 ] 2>/dev/null || last=1
case $* in *LD_PRELOAD=*) each=17 ;; *) each=10 ;; esac
echo "$((5000 + last * each)),,instructions:u,1,100.00,," >"$file"
END
    stand_in strace <<<'exit 1'
    run -0 "$root/tests/bench/whole.py" --rounds 1 --count 10 --only 'by hand' --json figures.json
    assert_matches "$output" 'by hand .* \+7\.00'
    assert_matches "$output" 'left out: system calls \(strace cannot count them here\)'
    jq -e '.added == {instructions: {bare: 10, "by hand": 7}} and (.left_out | keys == ["system_calls"])' figures.json

    stand_in perf <<'END'
shift 5
echo '<not supported>,,instructions:u,0,100.00,,' >"$1"
END
    run -0 "$root/tests/bench/whole.py" --rounds 1 --count 10 --only 'by hand' --json figures.json
    assert_matches "$output" 'left out: instructions \(perf cannot count them here\)'
    jq -e '.added == {}' figures.json
}

@test "a comparison refuses a revision that does not exist, and a missing one" {
    cd "$root"
    for revision in no-such-revision --help 'HEAD:Makefile' "a'b"; do
        run -2 --separate-stderr tests/bench/compare.py -- "$revision"
        assert_equal "$stderr" "bench-compare: no such revision: '$revision'"
        assert_equal "$output" ''
    done
    run -2 --separate-stderr tests/bench/compare.py -- ''
    assert_equal "$stderr" 'bench-compare: say which revision: make bench-compare REV=HEAD~1'
    # The argument reaches it as it is.
    run -2 --separate-stderr make -s BUILD="$folder" bench-compare REV="no-such-'revision"
    assert_matches "$stderr" "^bench-compare: no such revision: 'no-such-'revision'"
}

@test "a comparison builds the revision beside the tree, runs both, and says which is better" {
    tree_to_compare
    run -0 tests/bench/compare.py --rounds 2 --count 10 HEAD~2
    spread='[0-9.]+ \([0-9.]+ to [0-9.]+\)'
    for way in 'by hand' run; do
        grep -Eq "^$way +1 +$spread +$spread +$spread  (no difference|this tree is better|HEAD~2 is better)\$" \
            <<<"$output" || {
            echo "no row for '$way' in: $output" >&2
            return 1
        }
    done
    [ -e ../marks ]
    # The tree is as it was; the worktree is used again, and says so of what does not build.
    run -0 git status --short
    assert_equal "$output" ''
    rm ../marks
    run -2 --separate-stderr tests/bench/compare.py --rounds 1 --count 10 HEAD~1
    assert_matches "$stderr" 'spoilt on purpose'
    assert_matches "$stderr" "bench-compare: HEAD~1 does not build, see $BUILD/compare/log\$"
    run -0 tests/bench/compare.py --rounds 1 --count 10 HEAD~3
    [ ! -e ../marks ]
    # A build that records nothing is not compared.
    printf 'all:\n\tmkdir -p build; printf "#!/bin/sh\\n" >build/portwitness; chmod +x build/portwitness\n' >Makefile
    git commit -qam 'records nothing'
    run -2 --separate-stderr tests/bench/compare.py --rounds 1 --count 10 HEAD
    assert_matches "$stderr" "bench-compare: HEAD: 'by hand' left 0 binds in its trace instead of 1000\$"
}

@test "whole programs are run in pairs, with an interval and its confidence, and what is not there is left out" {
    run -0 "$root/tests/bench/programs.py" --rounds 2 --size 1 --only redis --json figures.json
    assert_matches "$output" 'redis-benchmark +[+-][0-9.]+ %   \([+-][0-9.]+ to [+-][0-9.]+ %, confidence 50 %\)'
    jq -e '.programs["redis-benchmark"] | .low <= .median and .median <= .high and (.pairs | length == 2)' figures.json

    stand_in redis-server <<<'exit 1'
    run -0 "$root/tests/bench/programs.py" --rounds 1 --size 1 --only redis --json figures.json
    assert_matches "$output" 'redis-benchmark +left out: status 1'
    jq -e '.programs == {} and (.left_out | has("redis-benchmark"))' figures.json
    rm bin/redis-server

    # One that is not recorded would pay nothing.
    stand_in portwitness <<'END'
[ "$1" = run ] || exit 0
shift 5
exec "$@"
END
    BUILD=$PWD/bin run -0 "$root/tests/bench/programs.py" --rounds 1 --size 1 --only redis
    assert_matches "$output" 'redis-benchmark +left out: its trace is empty'
}

@test "the interval for a median is as narrow as its order statistics allow" {
    PYTHONPATH=$root/tests/bench run -0 "$python" -B -c '
import programs
for count in (1, 2, 5, 6, 9, 15, 30):
    low, high, share = programs.interval(list(range(1, count + 1)))
    print(count, low, high, "%.4f" % share)'
    # As in the tables of the sign test.
    assert_equal "$output" "1 1 1 0.0000
2 1 2 0.5000
5 1 5 0.9375
6 1 6 0.9688
9 2 8 0.9609
15 4 12 0.9648
30 10 21 0.9572"
}
