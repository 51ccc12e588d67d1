# The examples of docs/howto: each patch applies to a copy of this tree, builds, and does what its
# page promises. A change of the code that leaves a patch behind fails here; docs/README.md says how to
# bring one up to date.

# shellcheck disable=SC2154 # common.bash sets build and root
load ../common

setup() {
    unset MAKEFLAGS MFLAGS MAKELEVEL
    tree=$BATS_TEST_TMPDIR/tree
    export GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR
}

# A copy of the sources and of what was built from them, times included, so that make builds only
# what a patch concerns.
copy_tree() {
    mkdir -p "$tree/build"
    cp -a "$root"/{Makefile,harness,shim,tests,docs} "$tree/"
    cp -a "$build"/{flags,object,shim,portwitness,libportwitness.so} "$tree/build/"
}

# apply NAME: applies docs/howto/NAME.patch to the copy.
apply() {
    (cd "$tree" && git apply --whitespace=error "$root/docs/howto/$1.patch") || {
        echo "docs/howto/$1.patch no longer applies: bring it up to date with the code" >&2
        return 1
    }
}

# The C files that a patch changes or adds.
changed_sources() {
    sed -n 's,^+++ b/\(.*\.[ch]\)$,\1,p' "$root/docs/howto/$1.patch"
}

# They are formatted like the others.
assert_formatted() {
    local format files
    format=$(command -v clang-format-14 || command -v clang-format) || return 0
    mapfile -t files < <(changed_sources "$1")
    [ "${#files[@]}" -gt 0 ]
    (cd "$tree" && "$format" --style="file:$root/.clang-format" --dry-run -Werror "${files[@]}")
}

# Nor has cppcheck a complaint about them, as in scripts/lint.
assert_checked() {
    local files
    command -v cppcheck >/dev/null || return 0
    mapfile -t files < <(changed_sources "$1")
    (cd "$tree" && "$root/scripts/cppcheck" "${files[@]}")
}

# assert_manual_names PAGE WORD: as it is read, in the copy.
assert_manual_names() {
    MANWIDTH=80 man -l "$tree/docs/man/$1" | col -bx | grep -qw -- "$2" || {
        echo "docs/man/$1 does not name $2" >&2
        return 1
    }
}

# build_tree TARGET...: a warning fails.
build_tree() {
    (cd "$tree" && make -j2 --no-print-directory BUILD=build WERROR=1 "$@")
}

# with_patch NAME TARGET...: a copy with the patch, built.
with_patch() {
    copy_tree
    apply "$1"
    assert_formatted "$1"
    assert_checked "$1"
    build_tree "${@:2}"
}

# Runs tests of the copy against the build of the copy; a skipped one is skipped here too.
tree_tests() {
    run env -u PORTWITNESS BUILD=build bats --tap "$@"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output != *'# skip'* ]] || skip "${output##*# skip }"
    [[ $output == *'ok 1'* ]]
}

@test "add-a-call: the call is exported, exercised, and leaves its record" {
    with_patch add-a-call build/portwitness build/libportwitness.so \
        build/tests/guests/{every_call,fuzz_calls}
    local name
    for name in freopen freopen64; do
        nm -D --defined-only "$tree/build/libportwitness.so" | grep -q " $name\$"
        "$tree/build/tests/guests/every_call" --list | grep -qx "$name call $name"
    done
    tree_tests -f 'leaves its trace|exports the wrapped calls' "$tree/tests/e2e/every_call.bats"
}

@test "add-a-strategy: help names it, and its test passes" {
    with_patch add-a-strategy build/portwitness build/libportwitness.so
    "$tree/build/portwitness" storm --help | grep -q sequential
    assert_manual_names portwitness-storm.1 sequential
    tree_tests "$tree/tests/e2e/storm_sequential.bats"
}

@test "add-a-finding: check reports it, and its test passes" {
    with_patch add-a-finding build/portwitness build/libportwitness.so \
        build/tests/unit/shareable_port_test
    "$tree/build/tests/unit/shareable_port_test"
    tree_tests -f 'stands in the document' "$tree/tests/e2e/docs.bats"
    tree_tests -f 'and each finding' "$tree/tests/e2e/check_cli.bats"
    cd "$BATS_TEST_TMPDIR"
    run "$tree/build/portwitness" run --quiet --check -o trace -- python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", 0))'
    echo "$output"
    [ "$status" -eq 0 ]
    assert_matches "$output" 'NOTE: portwitness: shareable-port: '
    assert_matches "$output" 'Fix: do not set SO_REUSEADDR'
}

@test "add-a-model-rule: model and kernel agree with it, and do not without it" {
    with_patch add-a-model-rule build/portwitness build/tests/unit/model_test \
        build/tests/property/model_against_kernel
    "$tree/build/tests/unit/model_test"
    "$tree/build/portwitness" explain --help | grep -q 'freebind on|off'
    assert_manual_names portwitness-explain.1 freebind
    tree_tests -f 'stands in the document' "$tree/tests/e2e/docs.bats"
    local against=$tree/build/tests/property/model_against_kernel
    "$against" --rules | grep -qx freebind
    run "$against" --operations 1
    [ "$status" -ne 77 ] || skip "$output"
    run "$against" --operations 10000 --seed 7
    echo "$output"
    [ "$status" -eq 0 ]
    run "$against" --operations 10000 --seed 7 --without freebind
    [ "$status" -eq 1 ]
    assert_matches "$output" 'freebind on'
}

@test "a patch that the code has left behind is named" {
    local patch name
    mkdir -p "$tree"
    cp -a "$root"/{harness,shim,tests,docs} "$tree/"
    for patch in "$root"/docs/howto/*.patch; do
        name=$(basename "$patch" .patch)
        sed -i '1,$s/ /  /g' "$tree/$(sed -n 's,^--- a/,,p' "$patch" | head -n 1)"
        run apply "$name"
        assert_equal "$status" 1
        assert_matches "$output" "docs/howto/$name.patch no longer applies"
    done
}

# step COMMAND: stands in docs/README.md for the patch of add-a-call, and does it.
step() {
    grep -qE "^${1//[+.]/\\&}( +#|\$)" "$root/docs/README.md" || {
        echo "docs/README.md does not say: $1" >&2
        return 2
    }
    (cd "$tree" && eval "$1")
}

@test "a patch is brought up to date as the index of the documents says" {
    export GIT_{AUTHOR,COMMITTER}_NAME=somebody GIT_{AUTHOR,COMMITTER}_EMAIL=somebody@example.org
    local calls=$tree/shim/shared/calls.def
    mkdir -p "$tree"
    cp -a "$root"/{harness,shim,tests,docs} "$tree/"
    (cd "$tree" && git init -q && git add -A && git commit -qm 'The tree')
    sed -i '/^CALL_PLAIN(59,/a CALL(60, int, mine, (int fd), (fd))' "$calls"
    (cd "$tree" && git commit -qam 'A row of a contributor')
    run apply add-a-call
    assert_equal "$status" 1
    run step 'git apply --3way docs/howto/add-a-call.patch'
    echo "$output"
    assert_equal "$status" 1
    sed -i -E '/^(<{7}|={7}|>{7})/d; s/^CALL\(61(.* freopen64,)/CALL(62\1/; s/^CALL\(60(.* freopen,)/CALL(61\1/' "$calls"
    step 'git add -A'
    step 'git diff --cached -U1 >docs/howto/add-a-call.patch'
    step 'git apply -R --index docs/howto/add-a-call.patch'
    assert_equal "$(git -C "$tree" diff HEAD --name-only)" docs/howto/add-a-call.patch
    (cd "$tree" && git apply --index docs/howto/add-a-call.patch)
    assert_equal "$(sed -n 's/^CALL(\(6[0-9]\), [A-Za-z *]*, \([a-z0-9]*\),.*/\1 \2/p' "$calls" | xargs)" \
        '60 mine 61 freopen 62 freopen64'
}
