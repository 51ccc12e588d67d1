# Where in a program a call was made, as far as its files tell.
# shellcheck disable=SC2154 # variables of the helpers

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    cp "$root/tests/guests/rebind.c" .
}

# place: function, file and line of the call in the finding.
place() { found '.[0].subject.site | "\(.function) \(.file // "-" | split("/")[-1]) \(.line)"'; }

compiled() {
    gcc "$@" -std=gnu11 -o guest rebind.c
    record ./guest
}

line=$(grep -n 'the call that binds' "$BATS_TEST_DIRNAME/../guests/rebind.c" | cut -d: -f1)

@test "position-independent, fixed, optimised, without frame pointers: function, file and line" {
    local flags
    for flags in '-g -pie -fPIE' '-g -no-pie' '-g -O2 -fomit-frame-pointer' '-g3 -O1 -gdwarf-4'; do
        # shellcheck disable=SC2086 # words on purpose
        compiled $flags
        assert_equal "$(place)" "bind_port rebind.c $line"
        rm t
    done
}

@test "debug information in a separate file, found by its name" {
    gcc -g -o guest rebind.c
    objcopy --only-keep-debug guest guest.debug
    objcopy --strip-debug --add-gnu-debuglink=guest.debug guest
    record ./guest
    assert_equal "$(place)" "bind_port rebind.c $line"
    rm guest.debug
    assert_equal "$(found '.[0].subject.site.function')" bind_port
    assert_equal "$(found '.[0].subject.site.file')" null
}

@test "without debug information the symbol, without symbols module and offset" {
    compiled
    assert_equal "$(place)" 'bind_port - null'
    run "$PORTWITNESS" check t
    assert_matches "$output" 'at bind_port\+0x[0-9a-f]+ \(.*/guest\+0x[0-9a-f]+\)'
    rm t
    compiled -s
    assert_equal "$(found '.[0].subject.site | .file, (.module | split("/")[-1])')" 'null
guest'
    run "$PORTWITNESS" check t
    assert_matches "$output" $' at /[^ ()]*/guest\\+0x[0-9a-f]+\n'
}

@test "functions of C++ are named with their class and types, from debug information and from symbols" {
    local source=$root/tests/guests/frames/server.cc flags number
    number=$(grep -n "the call that binds" "$source" | cut -d: -f1)
    for flags in -g -g0; do
        g++ "$flags" -o guest "$source"
        record ./guest
        assert_equal "$(found '.[0].subject.site.function')" 'ns::Server<int>::start()'
        run "$PORTWITNESS" check t
        assert_matches "$output" 'ns::Server<int>::start\(\)'
        [ "$flags" != -g ] || assert_equal "$(place)" "ns::Server<int>::start() server.cc $number"
        rm t
    done
}

@test "a program that was built again since gives no wrong lines, and that is reported" {
    compiled -g
    { printf '\n\n\n'; cat rebind.c; } >other.c
    gcc -g -o guest other.c
    assert_equal "$(found '.[0].subject.site | "\(.function) \(.changed)"')" 'null true'
    run "$PORTWITNESS" check t
    assert_matches "$output" 'guest\+0x[0-9a-f]+, a file that has changed since\)'
    rm guest
    assert_equal "$(found '.[0].subject.site | "\(.function) \(.changed)"')" 'null false'
}

@test "a function of a library that was loaded later" {
    cat >library.c <<'C'
#include <arpa/inet.h>
#include <unistd.h>
int open_server(int port);
int open_server(int port) {
    struct sockaddr_in any = {AF_INET, htons(port), {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof any;
    int result = bind(fd, (struct sockaddr *)&any, size);
    getsockname(fd, (struct sockaddr *)&any, &size);
    close(fd);
    return result == 0 ? ntohs(any.sin_port) : -1;
}
C
    cat >main.c <<'C'
#include <dlfcn.h>
int main(void) {
    int (*open_server)(int) = (int (*)(int))dlsym(dlopen("./library.so", RTLD_NOW), "open_server");
    return open_server(open_server(0)) < 0;
}
C
    gcc -g -shared -fPIC -o library.so library.c
    gcc -g -o guest main.c -ldl
    record ./guest
    assert_equal "$(place)" 'open_server library.c 8'
}
