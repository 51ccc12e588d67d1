# CPython's own tests of audit hooks, sockets and asyncio under the shim: each test ends as it does bare.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    "$python" -c 'import test.test_audit' 2>/dev/null ||
        skip 'the tests of CPython are not installed; scripts/bootstrap --full'
}

teardown() { real_teardown; }

# outcomes MODULE: how each test ended, without what was printed between. VSOCK is no loopback: other
# namespaces see it, and in some virtual machines its tests never end.
outcomes() {
    local status=0
    "$python" -W ignore -c 'import sys, unittest
def tests(suite):
    for each in suite:
        yield from tests(each) if isinstance(each, unittest.TestSuite) else [each]
all_of_them = unittest.defaultTestLoader.loadTestsFromName("test." + sys.argv[1])
kept = unittest.TestSuite(each for each in tests(all_of_them) if "VSOCK" not in each.id())
sys.exit(not unittest.TextTestRunner(verbosity=2).run(kept).wasSuccessful())' "$1" >all.log 2>&1 || status=$?
    grep -E '^test.* \.\.\. |^(FAIL|ERROR): ' all.log |
        sed 's/ \.\.\. .*skipped.*/ ... skipped/; s/ \.\.\. Unknown child process pid .*/ ... ok/' | sort >ends
    echo "$1: status $status, $(wc -l <ends) tests"
    cat ends
}
audit() { outcomes test_audit; }
sockets() { outcomes test_socket; }
asynchronous() { outcomes test_asyncio; }

@test "CPython's test_audit" {
    bare audit 'test_audit: status 0, [1-9]'
    like_bare audit
}

@test "CPython's test_socket" {
    bare sockets 'test_socket: status [01], [1-9]'
    like_bare sockets
}

@test "CPython's test_asyncio" {
    limit=1200
    bare asynchronous 'test_asyncio: status [01], [1-9]'
    like_bare asynchronous
}
