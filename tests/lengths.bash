# How long the loops of the tests are: short in scripts/test, full where TESTS_FULL is set, as
# scripts/test --full does. A variable that is set already is left as it is, so one suite can be run
# longer: FUZZ_CALLS=5000000 bats tests/fuzz/calls.bats. Loaded by common.bash.

# length NAME SHORT FULL
length() {
    local value=$2
    [ -z "${TESTS_FULL-}" ] || value=$3
    [ -n "${!1-}" ] || printf -v "$1" %s "$value"
    export "${1?}"
}

length CUT_STEP 512 1                # bad_input: bytes from one length of a cut trace to the next
length RANDOM_CUTS 40 1000           # bad_input: cuts at random places
length CAPTURED 150 10000           # capture: ports of each program that the shim is not in
length RUN_KILLS 10 300              # capture: runs killed while their guests go on, by each means
length KILLS 30 200                  # killed: guests
length NOTIFIED_KILLS 5 300          # notified: supervisors killed, while a guest binds
length NOTIFIED_BINDS 1000 10000     # notified: ports to be the same
length JAVA_EXITS 4 50               # frames_java: programs that end while they bind
length JAVA_UNLOADS 2 20             # frames_java: seconds of classes that come and go
length RUBY_BINDS 10000 300000      # frames_ruby: binds of one program
length PHP_BINDS 10000 100000       # frames_php: the same
length REBINDS 1000 10000            # policies_many: binds by number under quarantine, beside a crowd
length CROWD_ASKS 40000 80000        # policies_many: what the crowd asks for at least, more than there are ports
length SEEDED_RUNS 2 20              # policies_many: runs that get the same ports
length POLICY_KILLS 25 250           # policies: processes, under each of four policies
length KEEP_KILLS 300 2000            # keep_bounds: processes, more than there are slots
length SELF_CONNECTS 30 300          # policies: connects, under each of eight policies
length SERVED 12 100                 # policies: rounds of correct servers, under each of twelve
length THREAD_BINDS 150 1000         # programs_load: binds of each of 64 threads
length PROCESSES 600 10000           # programs_load: short processes
length RESERVE_ROUNDS 1 16           # reserve: reservations of each of 64 users
length OUTSIDE_RUNS 5 100            # outside: refusals on a busy machine, the holder to be named each time
length BOTH_SIDES_RUNS 2 20          # both_sides: runs of each suite, each to name both sides
length PICKED_ROUNDS 6 50            # soonest: ports that one process picks and another binds
length REBOUND_PORTS 40 100          # soonest: ports that are released and bound again, each time
length PICKS 20 200                  # keep_pickers: numbers of each program, none of them lost
length ANSWERS_STEP 7 1              # keep_answers: situations, each Nth
length STORM_ROUNDS 6 200            # storm_races: rounds that lose nothing, 256 ports each
length RACY_RUNS 1 20                # storm_races: runs that must lose races
length PREDICTED_ROUNDS 8 60         # storm_races: rounds held against theory
length PREDICTED_STEP 3 1            # storm_races: windows held against theory, each Nth
length STRESS_RUNNERS 1 3            # stress: test runners: Python, bats, Node
length STRESS_POLICIES 1 5           # stress: policies under which correct suites stay clean
length CORRECT_STEP 6 1              # check_programs: correct programs under each policy, each Nth
length XDIST_RACES 2 20                # pytest_plugin: races between two workers, and suites without
length RUNNER_RACES 2 20             # test_runners: races in bats
length PLAN_NODES 1000 5000          # plan: nodes of two mappings each
length PUBLISHERS 150 2000           # storm: at once
length FUZZ_CALLS 15000 1000000      # fuzz/calls: calls under each policy
length SCRIBBLE_WORDS 1000 1000000   # live_trace: random words into each part of a live trace
length MUTANTS 30 3000               # damaged_traces: damaged traces
length WORLDS 15000 1000000          # property/checker: generated traces
length EXHAUSTIVE_STEP 7 1           # property/model: sequences of four calls, each Nth
length REFUSED_RUNS 6 50            # sandbox: runs of two threads that race for the program's name
length VALGRIND_STEP 6 1             # bad_input, sanitizers_more: calls under valgrind, each Nth
length TAKE_OVERS 10 100             # explain: connections closed at this end
length MODEL_OPERATIONS 60000 400000  # property/model: operations held against the kernel
length RULE_STEP 9 1                 # property/model: rules that the model does without, one in N
length RACES 500 10000               # keep_races: numbers that are released and bound again, each by TCP and UDP
length POLICY_OPERATIONS 15000 100000  # property/policies: the same under each policy
