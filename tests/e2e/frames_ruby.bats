# Lines of Ruby: where the interpreter is asked they are right, where it may not be asked there are none,
# and it is none the worse for it. In the guests the lines that make a call say what is right of them.
# shellcheck disable=SC2154,SC2034 # variables of common.bash and bats; those for frames.bash

load ../common
load frames

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    guests=$root/tests/guests/frames/ruby
    options=()
}

@test "servers, refused binds, datagrams, threads, fibers, children, traps and exits have line and method" {
    record ruby "$guests/places.rb"
    grep -qx Errno::EADDRINUSE out
    all_right "$guests/places.rb" 22
    # Who called the helper is kept as well.
    exported | jq -se --arg file "$guests/places.rb" --argjson line \
        "$(grep -n '^port = free_port' "$guests/places.rb" | cut -d: -f1)" '[.[] | select(.kind == "bind")][0].frames
        | length == 2 and .[1].file == $file and .[1].line == $line and .[1].function == "<main>"
            and all(.of == "user")'
}

@test "with a compiler and warnings, without gems, and where the folder is given by a link, the same" {
    local flags flag
    for flags in "--yjit -w" --disable-gems; do
        read -ra flag <<<"$flags"
        record ruby "${flag[@]}" "$guests/places.rb"
        all_right "$guests/places.rb" 22
    done
    cd "$guests" || return
    t=$BATS_TEST_TMPDIR/t
    rm "$t"
    "$PORTWITNESS" run --quiet -o "$t" -- ruby places.rb >"$BATS_TEST_TMPDIR/out"
    cd "$BATS_TEST_TMPDIR" || return
    all_right "$guests/places.rb" 22
}

@test "evaluated code has the file that it was given, and its method's file has not its line" {
    local called
    called="$guests/evaluated.rb:$(grep -n 'innermost$' "$guests/evaluated.rb" | tail -1 | cut -d: -f1)"
    options=(--stacks)
    record ruby "$guests/evaluated.rb"
    exported | jq -r 'select(.kind == "bind") | [.frames[] | "\(.file):\(.line) \(.function)"] | join(", ")' \
        >found
    at() {
        echo "$guests/evaluated.rb:$(grep -n -- "$1" "$guests/evaluated.rb" | tail -1 | cut -d: -f1)"
    }
    diff - found <<END
(eval):3 innermost, $(at '^  eval("\\n\\nS') innermost, $called <main>
$(at '^  Socket') bind, $(at '^  eval("\\nbind') named, $(at '^named') <main>
server.conf:21 by_text, $(at 'instance_eval(') by_text, $(at 'by_text$') <main>
$(at 'instance_eval {') by_block, $(at 'instance_eval {') by_block, $(at '^Server.*by_block') <main>
$(printf 'n%.0s' {1..36}).erb:1 part, $(at '^  eval("Socket') part, $(at '^part') <main>
config.ru:5 <main>, $(at '^eval') <main>
END
}

@test "in a suite the helper is named, and the test that the framework called" {
    "$PORTWITNESS" run --quiet -o t -- ruby "$guests/cart_test.rb" >out 2>&1
    grep -q '2 runs, 2 assertions, 0 failures, 0 errors' out
    helper=helper.rb:$(grep -n '# helper$' "$guests/helper.rb" | cut -d: -f1)
    exported | jq -r 'select(.kind == "bind") | .frames
        | map("\(.file | split("/") | last):\(.line) \(.function) \(.of) \(.test)") | join(", ")' | sort -u >found
    sed -nE "/# called/{ =; s/.*# called (.*)/\1/p; }" "$guests/cart_test.rb" | paste -d' ' - - |
        while read -r line name; do
            echo "$helper server user false, cart_test.rb:$line $name user true"
        done | sort >expected
    [ "$(wc -l <expected)" = 3 ]
    diff expected found
}

@test "among several Ractors the line is right" {
    record ruby -W0 "$guests/ractors.rb"
    all_right "$guests/ractors.rb" 4
    exported | jq -se '[.[] | select(.frames)] | all(.frames | length == 1)'
}

@test "the collector of garbage may run at each allocation" {
    record ruby "$guests/often.rb" 16 stress
    [ "$(framed | sort | uniq -c)" = "     12 bind $guests/often.rb:$(
        grep -n '# bind$' "$guests/often.rb" | cut -d: -f1) bind" ]
}

@test "a program that binds often does not grow" {
    record ruby "$guests/often.rb" "$RUBY_BINDS"
    grep -qx 'as large as before' out
}

@test "--no-frames keeps none" {
    options=(--no-frames)
    record ruby "$guests/places.rb"
    [ "$(framed | cut -d' ' -f2- | sort -u)" = none ]
}
