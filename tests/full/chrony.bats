# chronyd with its seccomp filters, one that gives the time and one that asks it.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    needs chronyd chronyc
}

teardown() { real_teardown; }

# start_chronyd NAME LEVEL LINE...: never sets the clock (-x).
start_chronyd() {
    local name=$1 level=$2
    shift 2
    printf '%s\n' "pidfile $work/$name.pid" "bindcmdaddress $work/$name.sock" \
        'bindcmdaddress 127.0.0.1' "$@" >"$name.conf"
    chronyd -d -x -F "$level" -u root -f "$work/$name.conf" >"$name.log" 2>&1 &
}

# asked PORT COMMAND...: chronyc, without what changes.
asked() {
    local port=$1
    shift
    answer chronyc -n -h 127.0.0.1 -p "$port" "$@" | sed -E 's/-?[0-9]+\.[0-9]+/F/g'
}

in_step() { chronyc -n -h 127.0.0.1 -p 18324 sources | grep -q '^^\* 127.0.0.1'; }

clocks() {
    local giver asker status=0
    start_chronyd giver "$1" 'port 18123' 'cmdport 18323' 'local stratum 5' 'allow 127.0.0.1'
    giver=$!
    until_true listens 18123
    start_chronyd asker "$1" 'port 0' 'cmdport 18324' \
        'server 127.0.0.1 port 18123 iburst minpoll 0 maxpoll 0'
    asker=$!
    until_true in_step
    asked 18323 tracking | grep -E 'Stratum|Leap|status'
    asked 18324 tracking | grep -E 'Reference|Stratum|Leap|status'
    asked 18324 sources | sed -E 's/^(\^\*).*/\1/'
    asked 18324 ntpdata | grep -E 'Remote|Mode|Leap|Total good|status' | sed -E 's/[0-9]+$/N/'
    asked 18324 offline
    asked 18324 add server 127.0.0.1
    kill "$asker" "$giver"
    wait "$asker" || status=$?
    wait "$giver" || status+=" $?"
    echo "chronyd: status $status"
    sed -E 's/^[^ ]+ //; s/-?[0-9]+\.[0-9]+/F/g' giver.log asker.log
}
clocks_1() { clocks 1; }
clocks_2() { clocks 2; }

@test "chronyd in its strict filter gives the time to another" {
    under_all clocks_1 'chronyd: status 0'
    recorded_port 18123
}

@test "chronyd in its mild filter" {
    under_all clocks_2 'chronyd: status 0'
    recorded_port 18123
}
