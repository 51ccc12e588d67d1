# The table of `ports` says what its JSON says, and the rows of several traces can be distinguished.

# shellcheck disable=SC2154,SC2016 # common.bash sets build and root; programs of perl
load ../common

setup() {
    cd "$BATS_TEST_TMPDIR" || return
}

# Three requests in a trace: two that are granted, the second of them held to the end, and a failed one.
make_trace() {
    "$PORTWITNESS" run --quiet -o "$1" -- "$(command -v perl)" -e '
        use Socket;
        sub asked { socket(my $s, PF_INET, SOCK_STREAM, 0) or die;
                    bind($s, sockaddr_in($_[0], INADDR_LOOPBACK)) ? $s : undef }
        my $first = asked(0); my $port = (sockaddr_in(getsockname($first)))[0];
        asked($port) and die;
        close $first;
        my $second = asked(0);
        open my $to, ">", "said"; print $to "$$ $port\n";
        close $to; sleep 0.01' the words
    read -r pid port <said
}

# What the table must say by the JSON on stdin; the trace was made at the time given.
expected_rows() {
    jq -r --argjson start "$1" '
        def seconds: if . == null then "-" else
            (. - $start) as $ns | "\($ns / 1000000000 | floor).\(1000000 + ($ns % 1000000000 / 1000 | floor)
                | tostring | .[1:])" end;
        "\(.port) \(.protocol) \(.address) \(.requested_port) \(.pid) \(.comm) \(.held_from_ns | seconds) " +
        "\(.held_to_ns | seconds) \(.end_known_by)\(if .certain then "" else "?" end)"'
}

@test "the table's times and ends are those of the JSON" {
    make_trace trace
    "$PORTWITNESS" ports --json trace >rows
    [ "$(wc -l <rows)" -eq 2 ]
    [ "$(jq -s 'map(.held_to_ns > .held_from_ns) | all' rows)" = true ]
    # The clock when the trace was made stands in its header.
    local start
    start=$(od -A n -t u8 -j 64 -N 8 trace | tr -d ' ')
    "$PORTWITNESS" ports trace | tail -n +2 | tr -s ' ' | sed 's/^ //' >table
    diff <(expected_rows "$start" <rows) table
}

@test "an end is possible only where a torn record concerns the socket" {
    make_trace trace
    [ "$("$PORTWITNESS" ports --json trace | jq -s 'map(.certain) | all')" = true ]
    # The record of the first socket's close is made one that was begun and never ended.
    local cookie seq
    "$PORTWITNESS" export --format jsonl trace >records
    cookie=$(jq -s 'map(select(.kind == "bind"))[0].cookie' records)
    seq=$(jq -s --argjson cookie "$cookie" \
        'map(select(.kind == "close" and .cookie == $cookie))[0].seq' records)
    [ "$seq" -gt 0 ]
    printf '\001' | dd of=trace bs=1 seek=$((4096 + 1048576 + seq * 64 + 3)) conv=notrunc status=none
    [ "$("$PORTWITNESS" ports --json trace 2>err | jq -s -c 'map(.certain)')" = '[false,true]' ]
    grep -q 'incomplete: 1 torn' err
    "$PORTWITNESS" ports trace 2>err >table
    [[ $(sed -n 2p table) == *'?' ]]
    [[ $(sed -n 3p table) != *'?' ]]
}

@test "--program takes a path's last part, --failed goes with --port, and command has the words" {
    make_trace trace
    "$PORTWITNESS" ports --json --failed --port "$port" trace >rows
    [ "$(jq -s -c 'map([.requested_port, .port, .error, .held_from_ns])' rows)" = \
        "[[$port,null,\"EADDRINUSE\",null]]" ]
    [ -z "$("$PORTWITNESS" ports --json --failed --port 1 trace)" ]
    "$PORTWITNESS" ports --json --program perl --pid "$pid" trace >rows
    [ "$(wc -l <rows)" -eq 2 ]
    [[ $(jq -r -s '.[0].command' rows) == "$(command -v perl) -e"*' the words' ]]
    ln -s "$(command -v perl)" a_name_longer_than_the_kernels
    "$PORTWITNESS" run --quiet -o long -- "$PWD/a_name_longer_than_the_kernels" -e '
        use Socket; socket(my $s, PF_INET, SOCK_DGRAM, 0); bind($s, sockaddr_in(0, INADDR_LOOPBACK))'
    [ "$("$PORTWITNESS" ports --json --program a_name_longer_than_the_kernels long | wc -l)" -eq 1 ]
    [ "$("$PORTWITNESS" ports --json --program longer_than_the_kernels long | wc -l)" -eq 0 ]
}

@test "rows of several traces say which trace they are of" {
    make_trace one
    make_trace other
    [ "$("$PORTWITNESS" ports one | head -n 1 | awk '{ print NF, $NF }')" = '9 END' ]
    "$PORTWITNESS" ports one other >table
    [ "$(awk '{ print NF, $NF }' table | xargs)" = '10 TRACE 10 one 10 one 10 other 10 other' ]
    [ "$("$PORTWITNESS" ports --json one other | jq -r .trace | xargs)" = 'one one other other' ]
    [ "$("$PORTWITNESS" ports --json one | jq -r 'keys_unsorted[-3:] | join(" ")' | sort -u)" = 'trace policy source' ]
    "$PORTWITNESS" export --format jsonl one other >records
    [ "$(jq -r .trace records | uniq | xargs)" = 'one other' ]
    [ "$(jq -r .boot records | sort -u)" = "$(tr -d - </proc/sys/kernel/random/boot_id)" ]
}
