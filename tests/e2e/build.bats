# The build, the installation, the set-up and the runner of the tests themselves.

load ../common

setup() {
    cd "$root" || return
    unset MAKEFLAGS MFLAGS MAKELEVEL
    make=(make --no-print-directory BUILD=build WERROR=1)
}

# A tree in which scripts/test finds one file of tests, the one on stdin, and nothing else to do.
# Bats would take a line that begins with @test for a test of this file: there it begins with %.
tree_with_tests() {
    tree=$BATS_TEST_TMPDIR/tree
    mkdir -p "$tree/scripts" "$tree/tests/e2e"
    cp scripts/test "$tree/scripts/"
    cp tests/suites "$tree/tests/"
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
    "${make[@]}" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/portwitness
    local prefix=$BATS_TEST_TMPDIR/root/opt/portwitness
    [ -x "$prefix/bin/portwitness" ]
    [ -f "$prefix/lib/portwitness/libportwitness.so" ]
    [ -x "$prefix/lib/portwitness/portwitness-exec" ]
    [ -f "$prefix/lib/portwitness/node/frames.cjs" ]
    [ -f "$prefix/include/portwitness.h" ]
    cmp integrations/pytest/portwitness/pytest.py "$prefix/share/portwitness/python/portwitness/pytest.py"
    local page pages=0
    for page in docs/man/*; do
        cmp "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
        pages=$((pages + 1))
    done
    [ "$pages" -ge 12 ]
    [ "$(find "$BATS_TEST_TMPDIR/root" -type f | wc -l)" -eq $((12 + pages)) ]
    cd "$BATS_TEST_TMPDIR"
    "$prefix/bin/portwitness" run -o trace -- \
        python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])' \
        >said
    "$prefix/bin/portwitness" ports --json trace >table
    [ "$(jq -s 'map(select(.requested_port == 0)) | .[0].port' table)" = "$(cat said)" ]
    "$prefix/bin/portwitness" run --pytest -o marked -- /usr/bin/python3 -m pytest --version --version >said 2>&1
    grep -F "$prefix/share/portwitness/python/portwitness/pytest.py" said
}

@test "make uninstall removes what make install put there, and nothing else" {
    local root=$BATS_TEST_TMPDIR/root
    "${make[@]}" install DESTDIR="$root" PREFIX=/opt/portwitness
    mkdir -p "$root/opt/portwitness/lib/other"
    : >"$root/opt/portwitness/bin/other"
    "${make[@]}" uninstall DESTDIR="$root" PREFIX=/opt/portwitness
    assert_equal "$(cd "$root/opt/portwitness" && find . -type f)" ./bin/other
    assert_equal "$(ls "$root/opt/portwitness/lib")" other
    # Once more there is nothing to do, which is no failure.
    "${make[@]}" uninstall DESTDIR="$root" PREFIX=/opt/portwitness
}

@test "make help lists each target that is meant for people" {
    "${make[@]}" help >"$BATS_TEST_TMPDIR/help"
    local target count=0
    for target in $(sed -n 's/^\.PHONY: again \(.*[a-z]\).*/\1/p' Makefile) install uninstall clean; do
        # `tests` is what scripts/test builds.
        [ "$target" = tests ] || grep -qE "(make|\|) (\[)?$target\b" "$BATS_TEST_TMPDIR/help" ||
            { echo "not in the help: $target" >&2; return 1; }
        count=$((count + 1))
    done
    [ "$count" -ge 12 ]
    grep -q 'SANITIZE=thread' "$BATS_TEST_TMPDIR/help"
}

@test "compile_commands.json tells how each file is compiled, and the commands work" {
    cp -r Makefile scripts shim harness integrations tests "$BATS_TEST_TMPDIR/"
    cd "$BATS_TEST_TMPDIR"
    "${make[@]}" -s BUILD=elsewhere compile_commands.json
    assert_equal "$(jq -r '[.[].file] | unique[]' compile_commands.json)" \
        "$(find shim harness tests -name '*.[cS]' -not -path '*/frames/*/*' -not -name '*.bpf.c' | LC_ALL=C sort)"
    # What is in shim/shared is compiled for the shim, for the program and for portwitness-exec.
    assert_equal "$(jq -r '[.[] | select(.file == "shim/shared/clock.c")] | length' compile_commands.json)" 3
    assert_equal "$(jq -r '[.[].directory] | unique[]' compile_commands.json)" "$(pwd -P)"
    mkdir -p "$(dirname "$(jq -r '.[0].output' compile_commands.json)")"
    bash -c "$(jq -r '.[0].command' compile_commands.json)"
    [ -s "$(jq -r '.[0].output' compile_commands.json)" ]
}

@test "warnings as errors rebuild what had a warning, and nothing else" {
    mkdir -p "$BATS_TEST_TMPDIR/tree/harness/part" "$BATS_TEST_TMPDIR/tree/harness/cli"
    cp -r Makefile scripts shim "$BATS_TEST_TMPDIR/tree/"
    cd "$BATS_TEST_TMPDIR/tree"
    echo 'int one(void); int one(void) { return 1; }' >harness/part/one.c
    echo 'int two(void); int two(void) { int unused; return 1; }' >harness/part/two.c
    local objects=(build/object/harness/part/{one,two}.o)
    run make BUILD=build "${objects[@]}"
    [ "$status" -eq 0 ]
    assert_matches "$output" "two.c:1:[0-9]+: warning: unused variable"
    touch -r "${objects[0]}" before
    run "${make[@]}" WERROR=1 "${objects[@]}"
    [ "$status" -eq 2 ]
    assert_matches "$output" "two.c:1:[0-9]+: error: unused variable"
    [[ $output != *"CC "*one.o* ]]
    # The warning is gone only with its cause.
    run "${make[@]}" WERROR=1 "${objects[@]}"
    [ "$status" -eq 2 ]
    echo 'int two(void); int two(void) { return 1; }' >harness/part/two.c
    run "${make[@]}" WERROR=1 "${objects[@]}"
    [ "$status" -eq 0 ]
    run make BUILD=build "${objects[@]}"
    [ "$status" -eq 0 ]
    [[ $output != *CC* ]]
    [ ! "${objects[0]}" -nt before ]
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
    [[ $output == *"apt-get install -y --no-install-recommends libc6-dev libjansson-dev libmnl-dev"* ]]
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

@test "scripts/test shows how it is used, without a build" {
    for option in -h --help; do
        run scripts/test "$option"
        [ "$status" -eq 0 ]
        [[ ${lines[0]} == 'Sets up, builds and runs the tests.'* ]]
        [[ $output == *'scripts/test [--quick | --full]'* ]]
    done
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

# lengths: three of the loops' lengths, as a test finds them.
lengths() {
    (
        unset FUZZ_CALLS SCRIBBLE_WORDS MUTANTS
        load ../lengths
        echo "$FUZZ_CALLS $SCRIBBLE_WORDS $MUTANTS"
    )
}

@test "the tests of tests/full are run with --full alone, with longer loops and more time" {
    local command=$BATS_TEST_TMPDIR/bin
    tree_with_tests <<'TESTS'
%test "sample" {
    [ -z "${TESTS_FULL-}" ]
}
TESTS
    mkdir "$tree/tests/full" "$command"
    sed 's/^%/@/' >"$tree/tests/full/large.bats" <<'TESTS'
%test "large" {
    [ "$TESTS_FULL" = yes ]
}
TESTS
    assert_equal "$(TESTS_FULL=yes lengths)" '1000000 1000000 3000'
    assert_equal "$(TESTS_FULL='' lengths)" '15000 1000 30'
    # Reports the limits that the suites are given.
    printf '#!/bin/bash\necho "$*" >>%s\nexec /usr/bin/timeout "$@"\n' "$BATS_TEST_TMPDIR/limits" \
        >"$command/timeout"
    chmod +x "$command/timeout"
    local suites=("env" "-u" "CI" "-u" "TESTS_FULL" "PATH=$command:$PATH" "$tree/scripts/test" --no-setup)

    run "${suites[@]}" --only e2e/sample --only full/large
    [ "$status" -eq 0 ]
    [[ $output == *'1 passed, 0 failed, 0 skipped' ]]
    grep -q ' 600 bats .*sample.bats' "$BATS_TEST_TMPDIR/limits"
    run "${suites[@]}" --list
    [[ $output == *e2e/sample* ]]
    [[ $output != *full/* ]]

    run "${suites[@]}" --full --only 'full/*'
    [ "$status" -eq 0 ]
    [[ $output == *'1 passed, 0 failed, 0 skipped' ]]
    grep -q ' 1800 bats .*large.bats' "$BATS_TEST_TMPDIR/limits"
    run "${suites[@]}" --list --full --only 'full/*'
    [ "$output" = full/large ]
}

@test "with --quick the suites of the first tier are run, and no others" {
    tree_with_tests </dev/null
    cp "$tree/tests/e2e/sample.bats" "$tree/tests/e2e/run.bats"
    run "$tree/scripts/test" --list --quick
    assert_equal "$output" $'lint\ne2e/run'
    run "$tree/scripts/test" --list
    [[ $output == *e2e/run* && $output == *e2e/sample* && $output == *asan/build* ]]
    run "$tree/scripts/test" --quick --full
    [ "$status" -eq 2 ]
}

@test "an invalid row of the table is reported with its line; a suite without a row as well" {
    tree_with_tests </dev/null
    printf '# a comment\n\nlint quick sometimes 1\n' >"$tree/tests/suites"
    run "$tree/scripts/test" --list
    [ "$status" -eq 1 ]
    assert_equal "$output" 'tests/suites:3: not PATTERN quick|ci|full beside|apart|alone SECONDS: lint quick sometimes 1'
    echo 'lint quick beside 1' >"$tree/tests/suites"
    run "$tree/scripts/test" --list
    [ "$status" -eq 1 ]
    assert_equal "$output" 'tests/suites has no row for build/clang'
}

@test "suites wait for the build that they need, and fail with it; those that run alone do" {
    tree_with_tests <<'TESTS'
%test "sample" {
    echo "sample $(ls running | wc -l)" >>order
    : >running/sample
    sleep 0.5
    rm running/sample
}
TESTS
    mkdir -p "$tree/tests/unit" "$tree/running"
    : >"$tree/tests/unit/one_test.c"
    cp "$tree/tests/e2e/sample.bats" "$tree/tests/e2e/other.bats"
    # The sanitizers' builds come to nothing; and the unit test does not run alone.
    printf ".PHONY: tests\ntests build/sanitize-address-undefined/tests/unit/one_test:\n\t@[ -z \"\$(SANITIZE)\" ] || { echo no such build; exit 1; }\n" >"$tree/Makefile"
    printf '%s\n' 'e2e/other ci alone 1' '* ci beside 1' >"$tree/tests/suites"
    run env -u CI TEST_JOBS=4 "$tree/scripts/test" --no-setup --only 'asan/one_test' --only 'e2e/*'
    [ "$status" -eq 1 ]
    assert_equal "${lines[-1]}" "2 passed, 2 failed, 0 skipped" || { echo "$output"; false; }
    [[ $output == *'no such build'*'asan/build failed'* ]]
    assert_equal "$(cat "$tree/order")" $'sample 0\nsample 0'
}

@test "a suite that runs apart has a network namespace of its own, where we are root" {
    tree_with_tests <<'TESTS'
%test "sample" { readlink /proc/self/ns/net >net; }
TESTS
    printf '%s\n' 'e2e/sample ci apart 1' '* full beside 1' >"$tree/tests/suites"
    run_tree
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(id -u)" -ne 0 ] || [ "$(cat "$tree/net")" != "$(readlink /proc/self/ns/net)" ]
    printf '%s\n' 'e2e/sample ci beside 1' '* full beside 1' >"$tree/tests/suites"
    run_tree
    assert_equal "$(cat "$tree/net")" "$(readlink /proc/self/ns/net)"
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
