#!/usr/bin/env bats
# The sources keep to the architecture (docs/architecture.md), and what breaks it is found.
# shellcheck disable=SC2154 # variables of common.bash and of bats

bats_require_minimum_version 1.5.0

load ../common

setup() {
    cd "$root" || return
    structure=$root/scripts/structure
}

# A copy of the sources in the test's folder, which may then be spoilt.
copy_sources() {
    cp -r shim harness "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR" || return
}

@test "no include runs against the order of the modules" {
    run -0 "$structure" includes
    assert_equal "$output" ''
}

@test "no files of the shim, and none of the program, need each other" {
    run -0 "$structure" symbols "$build"
    assert_equal "$output" ''
}

@test "no two files and no two structures of headers have one name" {
    run -0 "$structure" names
    assert_equal "$output" ''
}

@test "an include that runs back is found, in the program, in the shim and in what they share" {
    copy_sources
    sed -i '1i #include "harness/check/check.h"' harness/trace/reader.c
    sed -i '1i #include "harness/base/map.h"' shim/start.c
    sed -i '1i #include "shim/gate.h"' shim/shared/clock.c
    sed -i '1i # include<harness/cli/options.h>' harness/base/map.c
    sed -i '1i #include "shim/../harness/base/map.h"' shim/gate.c
    run -1 "$structure" includes
    assert_equal "$output" "harness/base/map.c:1: may not include harness/cli/options.h
harness/trace/reader.c:1: may not include harness/check/check.h
shim/gate.c:1: may not include shim/../harness/base/map.h
shim/shared/clock.c:1: may not include shim/gate.h
shim/start.c:1: may not include harness/base/map.h"
}

@test "files that need each other are found, with the symbols" {
    cd "$BATS_TEST_TMPDIR"
    mkdir -p object/shim object/harness
    echo 'int b(void); int a(void); int a(void) { return b(); }' >a.c
    echo 'int a(void); int b(void); int b(void) { return a(); }' >b.c
    echo 'int a(void); int main(void) { return a(); }' >c.c
    gcc -c a.c -o object/shim/a.o
    gcc -c b.c -o object/shim/b.o
    gcc -c c.c -o object/harness/c.o
    run -1 "$structure" symbols .
    assert_equal "$output" "shim: 2 files need each other:
    a.o needs b.o for b
    b.o needs a.o for a"
}

@test "a name given twice is found" {
    copy_sources
    cp harness/base/map.h harness/trace/map.h
    run -1 "$structure" names
    assert_matches "$output" '2 files are called map.h: harness/base/map.h, harness/trace/map.h'
    assert_matches "$output" 'map is defined in harness/base/map.h and in harness/trace/map.h'
}

@test "without a build there is nothing to look at, and that fails" {
    run -1 "$structure" symbols "$BATS_TEST_TMPDIR"
    assert_matches "$output" 'build first'
}
