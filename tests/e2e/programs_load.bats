# Many at once: nothing lost, nothing torn, and every single port is the one that the program says.
# The guests use up ports, so they have a namespace of their own.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of guests.bash, and those of jq

setup() {
    load ../common
    load guests
    guests_setup
}

teardown() { guests_teardown; }

@test "64 threads with many binds each: each thread's ports, in its order" {
    local binds=$((64 * THREAD_BINDS))
    record "$data/bind_threads" 64 "$THREAD_BINDS" >said
    [ "$(wc -l <said)" -eq "$binds" ]
    [ "$(awk '$3 == 0' said | wc -l)" -eq 0 ]
    nothing_lost
    # The n-th bind of each thread, by when it began.
    grep '"call":"bind"' records |
        jq -r '"\(.tid) \(.begin_ns) \(.assigned.port)"' | sort -k1,1n -k2,2n |
        awk '{ print $1, count[$1]++, $3 }' | sort >recorded
    sort said | cmp - recorded
    [ "$(rows 'map(select(.end_known_by == "closed" and .held_to_ns >= .held_from_ns)) | length')" -eq "$binds" ]
    grep -qx "portwitness: $binds port-0 requests, $binds ports assigned" "$summary"
}

@test "thousands of short processes: each one's port, and its end" {
    record "$data/short_processes" "$PROCESSES" 8 >said
    [ "$(wc -l <said)" -eq "$PROCESSES" ]
    nothing_lost
    rows '.[] | select(.requested_port == 0 and .held_to_ns >= .held_from_ns)
        | "\(.pid) \(.protocol) \(.port)"' | sort >recorded
    sort said | cmp - recorded
    grep -qx "portwitness: $PROCESSES port-0 requests, $PROCESSES ports assigned" "$summary"
    grep -qE "^portwitness: $((PROCESSES + 1)) programs and .* seen, no blind spots(; raw system calls .*)?$" "$summary"
}
