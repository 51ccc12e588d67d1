# The lines of Java that calls came from, and that a virtual machine is none the worse for the
# question. Behind each line of a guest that asks for a port stands what the trace must say of it.
# shellcheck disable=SC2154,SC2016 # variables of bats and common.bash; those of jq

setup_file() {
    load ../common
    jdk=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
    export jdk classes=$BATS_FILE_TMPDIR/classes sources=$root/tests/guests/frames
    export places=$sources/com/example
    javac -d "$classes" "$places"/*.java "$sources/org/junit/runner/Runner.java"
}

setup() {
    load ../common
    cd "$BATS_TEST_TMPDIR" || return
    trace=$BATS_TEST_TMPDIR/trace
    flags=()
    options=()
}

# recorded CLASS WORD...: runs it and keeps what it says in recorded.out and recorded.err.
recorded() {
    rm -f "$trace"
    "$PORTWITNESS" run -q "${options[@]}" -o "$trace" -- \
        java -cp "$classes" "${flags[@]}" "$1" "${@:2}" >recorded.out 2>recorded.err 3>&-
}

# The same bare and recorded: what it says and how it ends.
same_as_bare() {
    local bare=0 status=0
    java -cp "$classes" "${flags[@]}" "$1" "${@:2}" >bare.out 2>bare.err 3>&- || bare=$?
    recorded "$@" || status=$?
    assert_equal "$status" "$bare"
    diff bare.out recorded.out && diff bare.err recorded.err
}

exported() {
    "$PORTWITNESS" export --format jsonl "$trace"
}

# What stands behind the lines of a source file: "call line method thread".
expected_of() {
    sed -nE '=; s,.*; // (bind|connect) (\S+) (.*),\1 \2 \3,p; s,.*\{ // (bind|connect) (\S+) (.*),\1 \2 \3,p' \
        "$places/$1.java" |
        awk '/^[0-9]+$/ { line = $1; next } { call = $1; $1 = ""; print call, line $0 }' | sort
}

# The same as the trace has it; the file and the package are checked by the way.
found_of() {
    exported | jq -r --arg file "com/example/$1.java" 'select(.kind == "bind" or .kind == "connect")
        | .frames[0] as $frame
        | if $frame.file == $file and $frame.of == "user"
              and ($frame.function | startswith("com.example."))
          then "\(.kind) \($frame.line) \($frame.function[12:]) \(.language_thread)"
          else "\(.kind): \(.frames)" end' | sort
}

places_are_right() {
    expected_of Places >expected
    [ "$(wc -l <expected)" -ge 14 ]
    found_of Places >found
    diff expected found
}

@test "each call of sockets, channels, threads, hooks and initialisers has its line, method and thread" {
    same_as_bare com.example.Places
    places_are_right
    assert_equal "$(cat recorded.out)" 'initialised
refusals: 2'
    # A listen has the lines of the bind that it goes with, and who called is kept as well.
    exported >records
    jq -s -e '(map(select(.kind == "listen" and .frames == null)) | length) == 0' records
    jq -s -e 'map(select(.kind == "bind" and .error == "EADDRINUSE"))
        | .[0].frames[1].function == "com.example.Places.sockets"' records
    # Reflection is the class library's, and passed over.
    jq -s -e 'map(select(.frames[0].function == "com.example.Places.byReflection"))
        | .[0].frames[1].function == "com.example.Places.main"' records
}

# line_of FILE WORD: the line of a source file that ends in the word.
line_of() {
    grep -n "// $2\$" "$places/$1" | cut -d: -f1
}

@test "in a suite the helper and the server are named, past the test runner and reflection" {
    local helper server
    helper="com/example/ServerTest.java:$(line_of ServerTest.java picker) com.example.ServerTest.freePort"
    server="com/example/ServerTest.java:$(line_of ServerTest.java server) com.example.ServerTest.start"
    same_as_bare org.junit.runner.Runner com.example.ServerTest
    assert_equal "$(cat recorded.out)" 'testAlone: passed
testRace: java.net.BindException'
    assert_equal "$(exported | jq -r 'select(.kind == "bind")
        | "\(.error) \(.language_thread) "
            + "\(.frames[0].file):\(.frames[0].line) \(.frames[0].function) \(.frames[1].function)"')" \
        "null Test worker $helper com.example.ServerTest.testAlone
null Test worker $server com.example.ServerTest.testAlone
null Test worker $helper com.example.ServerTest.testRace
null Test worker $server com.example.ServerTest.testRace
EADDRINUSE Test worker $server com.example.ServerTest.testRace"
}

@test "other collectors and compilers, and -Xcheck:jni, say what they say without" {
    local variant
    local variants=('-Xcheck:jni -XX:+UseG1GC' '-Xint -XX:+UseSerialGC')
    [ -z "${TESTS_FULL-}" ] ||
        variants+=('-XX:+UseParallelGC' -XX:+UseZGC '-XX:+UseShenandoahGC' '-Xcomp -Xcheck:jni')
    for variant in "${variants[@]}"; do
        echo "$variant"
        read -ra flags <<<"$variant"
        same_as_bare com.example.Places
        places_are_right
    done
}

@test "--stacks keeps all frames, and says whose they are" {
    options=(--stacks)
    recorded com.example.Places
    exported | jq -s -e 'map(select(.kind == "bind")) | .[0].frames
        | .[0].function == "sun.nio.ch.Net.bind0" and .[0].of == "library" and .[0].line == null
            and .[1].function == "sun.nio.ch.Net.bind" and .[1].line > 0
            and .[1].file == "sun/nio/ch/Net.java" and .[-2].function == "com.example.Places.sockets"
            and .[-1].function == "com.example.Places.main" and .[-1].of == "user"'
    exported | jq -s -e 'map(select(.frames) | .frames[]
        | select(.function == "java.lang.reflect.Method.invoke")) | length > 0 and all(.[]; .of == "library")'
}

@test "--no-frames keeps none" {
    options=(--no-frames)
    recorded com.example.Places
    exported | jq -s -e '(map(select(.kind == "bind")) | length) > 8
        and all(.[]; .frames == null and .language_thread == null)'
}

@test "classes without line numbers have their methods" {
    javac -g:none -d plain "$places/Places.java"
    flags=(-cp plain)
    same_as_bare com.example.Places
    exported | jq -s -e 'map(select(.kind == "bind" and .error == "EADDRINUSE")) | .[0].frames[0]
        | .function == "com.example.Places.byNumber" and .line == null and .file == null'
}

@test "an agent with capabilities of its own sees what it sees without" {
    gcc -shared -fPIC -I"$jdk/include" -I"$jdk/include/linux" -o libagent.so \
        "$sources/jvm/agent.c"
    flags=("-agentpath:$PWD/libagent.so")
    same_as_bare com.example.Places
    grep -qx 'agent: lines 1, source files 0, looks some, seen lines some' recorded.out
    places_are_right
}

@test "a C program with a virtual machine in it has frames of Java where Java binds" {
    gcc -I"$jdk/include" -I"$jdk/include/linux" -o embeds "$sources/jvm/embeds.c" \
        -L"$jdk/lib/server" -ljvm -Wl,-rpath,"$jdk/lib/server" -pthread
    "$PORTWITNESS" run -q -o "$trace" -- timeout 60 ./embeds "$classes" >out 2>&1
    assert_equal "$(cat out)" 'destroyed: 0'
    assert_equal "$(exported | jq -r 'select(.kind == "bind")
        | if .frames then "\(.frames[0].function) \(.language_thread)" else "C" end')" "C
C
com.example.Places.byReflection main
C
C
com.example.Places.byReflection attached from C
C
C
C
C"
}

@test "a program may end while its threads bind" {
    local round how status
    for ((round = 0; round < JAVA_EXITS; round++)); do
        status=0
        how='exit'
        [ $((round % 4)) -ne 3 ] || how=halt
        timeout 60 "$PORTWITNESS" run -q -o "$trace" -- \
            java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$classes" \
            com.example.Exits $((round % 5 * 10)) "$how" >out 2>&1 || status=$?
        assert_equal "$status $(cat out)" '7 '
        rm -f "$trace"
    done
}

@test "a program that reads the machine's own file, mapped below it, is unharmed and has its line" {
    same_as_bare com.example.ReadsMachine
    line=$(exported | jq -r 'select(.kind == "bind") | .frames[0] | "\(.file):\(.line)"')
    assert_equal "$line" com/example/ReadsMachine.java:16
}

@test "classes may be unloaded, and each bind has the right line" {
    local line
    flags=(-XX:+UseG1GC -Xmx64m -Xcheck:jni)
    recorded com.example.Unloads "$JAVA_UNLOADS"
    assert_equal "$(cat recorded.out recorded.err)" unloaded
    line=$(grep -n '// bind' "$places/Unloads.java" | cut -d: -f1)
    assert_equal "$(exported | jq -r 'select(.kind == "bind") | .frames[0]
        | "\(.file):\(.line) \(.function)"' | sort -u)" \
        "com/example/Unloads.java:$line com.example.Unloads\$Binder.bind"
}

@test "methods are told apart, however many bind, at the first time and again" {
    {
        echo 'package com.example; import java.net.*; class Many {'
        for i in {1..300}; do
            echo "    static void m$i() throws Exception { new ServerSocket(0).close(); } // $i"
        done
        echo 'static void all() throws Exception {' 'm'{1..300}'();' '}'
        echo 'public static void main(String[] a) throws Exception { all(); all(); } }'
    } >Many.java
    javac -d . Many.java
    "$PORTWITNESS" run -q -o "$trace" -- java -Xint -cp . com.example.Many 3>&-
    exported | jq -r 'select(.kind == "bind") | .frames[0] | "\(.line) \(.function)"' | sort >found
    for i in {1..300}; do echo "$((i + 1)) com.example.Many.m$i"; done | sed p | sort | diff - found
}

@test "the places of the functions are those of the headers" {
    gcc -I"$root" -I"$jdk/include" -I"$jdk/include/linux" -o tables "$sources/jvm/tables.c"
    ./tables
}
