# The build, the installation, the set-up and the runner of the tests themselves.

setup() {
    cd "$BATS_TEST_DIRNAME/../.." || return
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make=(make --no-print-directory BUILD=build WERROR=1)
}

# A tree in which scripts/test finds one file of tests, the one on stdin, and nothing else to do.
# Bats would take a line that begins with @test for a test of this file: there it begins with %.
tree_with_tests() {
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/scripts" "$tree/tests/e2e"
    cp scripts/test "$tree/scripts/"
    printf '#!/bin/sh\n' >"$tree/scripts/lint"
    chmod +x "$tree/scripts/lint"
    printf 'all tests:\n\t@true\n' >"$tree/Makefile"
    sed 's/^%/@/' >"$tree/tests/e2e/sample.bats"
}

# Runs the tests of that tree; extra words are assignments.
run_tree() {
    run env -u CI "$@" "$tree/scripts/test" --no-setup --only 'e2e/*'
}

@test "a second make does nothing" {
    "${make[@]}" all
    run "${make[@]}" all
    [ "$status" -eq 0 ]
    [ "$output" = "make: Nothing to be done for 'all'." ]
}

@test "a change in the list of wrapped calls remakes the export list and the shim" {
    "${make[@]}" all
    run "${make[@]}" -n -W shim/shared/calls.def all
    [ "$status" -eq 0 ]
    [[ $output == *exports.map.new* ]]
    [[ $output == *"-o build/libportwitness.so"* ]]
}

@test "a change of a header remakes what includes it" {
    "${make[@]}" all
    run "${make[@]}" -n -W shim/shared/trace_format.h all
    [[ $output == *"-o build/object/shim/shared/recorder.o"* ]]
    [[ $output == *"-o build/portwitness"* ]]
}

@test "other flags rebuild, in a folder of their own for a sanitizer" {
    "${make[@]}" all
    run make -n V=1 BUILD="$BATS_TEST_TMPDIR/b" SANITIZE=address,undefined all
    [ "$status" -eq 0 ]
    [[ $output == *"$BATS_TEST_TMPDIR/b/sanitize-address-undefined/portwitness"* ]]
    [[ $output == *-fsanitize=address,undefined* ]]
}

@test "make install puts everything below DESTDIR and PREFIX, and the program finds its shim there" {
    "${make[@]}" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/witness
    local prefix=$BATS_TEST_TMPDIR/root/opt/witness
    [ -x "$prefix/bin/portwitness" ]
    [ -f "$prefix/lib/portwitness/libportwitness.so" ]
    local page pages=0
    for page in docs/man/*; do
        cmp "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
        pages=$((pages + 1))
    done
    [ "$pages" -ge 12 ]
    [ "$(find "$BATS_TEST_TMPDIR/root" -type f | wc -l)" -eq $((2 + pages)) ]
    cd "$BATS_TEST_TMPDIR"
    "$prefix/bin/portwitness" run -o trace -- \
        python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])' \
        >said
    "$prefix/bin/portwitness" ports --json trace >table
    [ "$(jq -s 'map(select(.requested_port == 0)) | .[0].port' table)" = "$(cat said)" ]
}

@test "the set-up says that nothing is missing where nothing is" {
    run scripts/bootstrap --test
    [ "$status" -eq 0 ]
    [ "$output" = 'bootstrap: nothing is missing' ]
}

@test "without root the set-up prints the command and fails" {
    cp scripts/bootstrap "$BATS_TEST_TMPDIR/bootstrap"
    # On this machine no library seems to be installed, and there is no sudo.
    mkdir "$BATS_TEST_TMPDIR/bin"
    printf '#!/bin/sh\nexit 1\n' | tee "$BATS_TEST_TMPDIR/bin/dpkg-query" >"$BATS_TEST_TMPDIR/bin/sudo"
    printf '#!/bin/sh\necho 1000\n' >"$BATS_TEST_TMPDIR/bin/id"
    chmod +x "$BATS_TEST_TMPDIR"/bin/*
    PATH=$BATS_TEST_TMPDIR/bin:$PATH run "$BATS_TEST_TMPDIR/bootstrap"
    [ "$status" -eq 1 ]
    [[ $output == *"apt-get install -y --no-install-recommends libc6-dev libjansson-dev libpopt-dev"* ]]
}

@test "the last line of the test runner sums what passed, failed and was skipped" {
    tree_with_tests <<'TESTS'
%test "one" { true; }
%test "two" { echo the detail; false; }
%test "three" { skip "for a reason"; }
TESTS
    run_tree
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = '1 passed, 1 failed, 1 skipped' ]
    [[ $output == *'not ok 2 two'*'the detail'* ]]
    [[ $output == *'for a reason'* ]]
}

@test "the reason that a unit test is skipped for is shown" {
    tree_with_tests </dev/null
    # Written as cmocka does, which says the reason in the line before.
    mkdir -p "$tree/tests/unit" "$tree/build/tests/unit"
    : >"$tree/tests/unit/sample_test.c"
    printf '#!/bin/sh\nprintf "%%s\\n" 1..4 "ok 1 - one" "the first reason" "not ok 2 # SKIP two" \
        "not ok 3 # SKIP three" "the other reason" "not ok 4 # SKIP four"\n' \
        >"$tree/build/tests/unit/sample_test"
    chmod +x "$tree/build/tests/unit/sample_test"
    run env -u CI "$tree/scripts/test" --no-setup --only 'unit/*'
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = '1 passed, 0 failed, 3 skipped' ]
    [[ $output == *'# SKIP two'*'the first reason'*'# SKIP three'*'# SKIP four'*'the other reason'* ]]
    [ "$(grep -c reason <<<"$output")" -eq 2 ]
}

@test "in CI a skipped test is a failed one" {
    tree_with_tests <<'TESTS'
%test "one" { true; }
%test "two" { skip; }
TESTS
    run_tree CI=true
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = '1 passed, 1 failed, 0 skipped' ]
    run_tree
    [ "$status" -eq 0 ]
}

@test "a test file that ends before its last test has failed" {
    tree_with_tests <<'TESTS'
%test "one" { true; }
%test "two" { kill -KILL "$PPID" $$; }
%test "three" { true; }
TESTS
    run_tree
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = '1 passed, 2 failed, 0 skipped' ]
}

@test "no test at all is no success" {
    tree_with_tests </dev/null
    rm "$tree/tests/e2e/sample.bats"
    run_tree
    [ "$status" -eq 1 ]
    [ "${lines[-1]}" = '0 passed, 0 failed, 0 skipped' ]
}

@test "tests find the signals as a terminal gives them, also where the runner's caller ignores some" {
    tree_with_tests <<'TESTS'
%test "one" {
    ignored=$(sed -n 's/^SigIgn:[[:space:]]*//p' /proc/self/status)
    echo "ignored: $ignored"
    [ $((0x$ignored & 0x85007)) -eq 0 ]
}
TESTS
    trap "" HUP INT QUIT PIPE TERM TSTP
    run_tree
    [ "$status" -eq 0 ]
    [ "${lines[-1]}" = '1 passed, 0 failed, 0 skipped' ]
}

@test "the tests of tests/full are run with --full alone, with longer loops and more time" {
    local command=$BATS_TEST_TMPDIR/bin
    tree_with_tests <<'TESTS'
%test "sample" {
    [ -z "${FUZZ_CALLS-}${SCRIBBLE_WORDS-}${MUTANTS-}" ]
}
TESTS
    mkdir "$tree/tests/full" "$command"
    sed 's/^%/@/' >"$tree/tests/full/large.bats" <<'TESTS'
%test "large" {
    [ "$FUZZ_CALLS $SCRIBBLE_WORDS $MUTANTS" = '1000000 1000000 3000' ]
}
TESTS
    # Tells of the limits that the suites are given.
    printf '#!/bin/bash\necho "$*" >>%s\nexec /usr/bin/timeout "$@"\n' "$BATS_TEST_TMPDIR/limits" \
        >"$command/timeout"
    chmod +x "$command/timeout"
    local suites=("env" "-u" "CI" "-u" "FUZZ_CALLS" "-u" "SCRIBBLE_WORDS" "-u" "MUTANTS"
        "PATH=$command:$PATH" "$tree/scripts/test" --no-setup)

    run "${suites[@]}" --only '@(e2e/sample|full/large)'
    [ "$status" -eq 0 ]
    [[ $output == *'1 passed, 0 failed, 0 skipped' ]]
    grep -q ' 240 bats .*sample.bats' "$BATS_TEST_TMPDIR/limits"
    run "${suites[@]}" --list
    [[ $output == *e2e/sample* ]]
    [[ $output != *full/* ]]

    run "${suites[@]}" --full --only 'full/*'
    [ "$status" -eq 0 ]
    [[ $output == *'1 passed, 0 failed, 0 skipped' ]]
    grep -q ' 900 bats .*large.bats' "$BATS_TEST_TMPDIR/limits"
    run "${suites[@]}" --list --full --only 'full/*'
    [ "$output" = full/large ]
}

@test "with --full the set-up is that of --full" {
    tree_with_tests </dev/null
    printf '#!/bin/sh\necho "bootstrap $*"\nexit 1\n' >"$tree/scripts/bootstrap"
    chmod +x "$tree/scripts/bootstrap"
    run "$tree/scripts/test" --full
    [ "${lines[0]}" = 'bootstrap --full' ]
    run "$tree/scripts/test"
    [ "${lines[0]}" = 'bootstrap --test' ]
}
