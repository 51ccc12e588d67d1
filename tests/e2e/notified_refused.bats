# Programs that cannot be notified run on unseen, and the summary says of each why, and what would help.
# shellcheck disable=SC2154,SC2034 # variables of guests.bash and capture.bash

setup() {
    load ../common
    load guests
    load capture
    notified_setup
    [ "$(id -u)" -eq 0 ] || skip 'a PID namespace, a chroot and another user need root'
}

teardown() {
    guests_teardown
}

# refused LINE COMMAND...: it binds, and that line is all that is said of why that was not seen.
refused() {
    local line=$1
    shift
    timeout 60 "$PORTWITNESS" run --capture=seccomp -o refused.trace -- "$@" >said 2>summary
    [ "$(grep -c '^port ' said)" -eq 1 ]
    assert_equal "$(grep -E 'not seen|not taken' summary | grep -v 'raw system calls')" "portwitness: $line"
    grep -q ' blind spots\?: .*(static program)' summary
    rm refused.trace
}

@test "one in another PID namespace, and one without /proc" {
    refused '1 program not seen: it is in another PID namespace; --capture=ebpf as root, or run portwitness in the namespace' \
        unshare --pid --fork "$static" bind 1
    mkdir root
    cp "$static" root/guest
    refused '1 program not seen: it has no /proc; --capture=ebpf as root, or mount /proc where it runs' \
        chroot root /guest bind 1
}

@test "one of another user, and one that lets nobody look at it" {
    local as_root=$PORTWITNESS
    printf '%s\n' '#!/bin/sh' "exec setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace '$as_root' \"\$@\"" >without
    chmod +x without
    PORTWITNESS=$PWD/without
    refused "1 program not seen: it is another user's, from whom no descriptor may be taken (pidfd_getfd); --capture=ebpf as root" \
        python3 -c 'import os, sys; os.setuid(65534); os.execv(sys.argv[1], sys.argv[1:])' "$static" bind 1
    refused '1 program not seen: no descriptor may be taken from it (pidfd_getfd); in a container --cap-add SYS_PTRACE allows it' \
        python3 -c '
import ctypes, os, sys
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
os.execv(sys.argv[1], sys.argv[1:])' "$static" bind 1
}

@test "one for whose listener there is no descriptor left" {
    local line='1 program not seen: there was no descriptor left for it (EMFILE); a higher limit (ulimit -n) gives portwitness more'
    # `run` looks for some numbers in a row that are free.
    refused "$line" python3 -c '
import os, resource, sys
run = os.getppid()
used = [fd for fd in map(int, os.listdir("/proc/%d/fd" % run)) if fd < 100]
hard = resource.prlimit(run, resource.RLIMIT_NOFILE)[1]
resource.prlimit(run, resource.RLIMIT_NOFILE, (max(used) + 14, hard))
os.execv(sys.argv[1], sys.argv[1:])' "$static" bind 1
}
