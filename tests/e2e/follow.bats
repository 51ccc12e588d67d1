# Programs that were given another environment are followed, and see that environment and nothing
# else. Each test runs the same command without portwitness too: what the programs print of their
# environments must be equal to the letter, and each port that they print must be in the trace.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of guests.bash, and those of jq and other shells

setup() {
    load ../common
    load guests
    guests_setup
    show=$data/show_environment
    unset LD_PRELOAD "${!PORTWITNESS_@}"
}

teardown() { guests_teardown; }

# The words, in a short run each second one.
some() {
    local number=0 word
    for word; do
        [ -z "${TESTS_FULL-}" ] && [ $((number++ % 2)) -ne 0 ] || echo "$word"
    done
}

# What was said, without the ports and process ids, which differ from run to run.
without_numbers() { sed 's/^port .*/port/' "$1"; }

# followed COUNT COMMAND...: COUNT programs tell their environments, equal with and without the
# shim, and `ports` has them all. The command's own variables come from a clean environment.
followed() {
    local count=$1
    shift
    env -i PATH="$PATH" HOME=/ "${in_namespace[@]}" "$@" >bare
    env -i PATH="$PATH" HOME=/ "${in_namespace[@]}" "$PORTWITNESS" run -o "$trace" "${options[@]}" -- \
        "$@" >said 2>"$summary" 3>&-
    [ "$(grep -c '^port ' said)" -eq "$count" ]
    without_numbers bare >bare.plain
    # The command itself was started with the variables in place: no one promised it otherwise.
    without_numbers said | grep -v "^LD_PRELOAD=$build/libportwitness.so\$" |
        grep -v '^PORTWITNESS_\(TRACE\|RUN\)=' >said.plain
    diff bare.plain said.plain >&2
    recorded
    nothing_lost
}

# recorded: the ports and pids that the programs printed are those of `ports`.
recorded() {
    sed -n 's/^port //p' said | sort >printed
    rows '.[] | select(.comm == "show_environmen") | "\(.port) pid \(.pid)"' | sort | diff - printed >&2
}

# unchanged: not one variable of ours stood in the environment that a program printed.
unchanged() {
    if grep -E 'LD_PRELOAD|PORTWITNESS|libportwitness' "${1:-said}" >&2; then return 1; fi
}

@test "env -i: followed, and the program sees an empty environment" {
    followed 1 env -i "$show"
    unchanged
    [ "$(sed -n 2p said)" = . ]
}

@test "env -i with variables: followed, and the program sees these and no others, in their order" {
    followed 1 env -i B=2 A=1 EMPTY= "$show"
    unchanged
    [ "$(sed 1d said)" = "$(printf '%s\n' B=2 A=1 EMPTY= .)" ]
}

@test "env -u LD_PRELOAD and env -u PORTWITNESS_TRACE: the one is put back without the other" {
    followed 1 env -u LD_PRELOAD "$show"
    if grep LD_PRELOAD said; then false; fi
    rm "$trace"
    followed 1 env -u PORTWITNESS_TRACE "$show"
    if grep PORTWITNESS_TRACE said; then false; fi
}

@test "a preload of the guest's own stays as it was given" {
    local library=libm.so.6 # any library that has none of the wrapped calls
    followed 1 env -i LD_PRELOAD="$library" "$show"
    [ "$(sed -n 2p said)" = "LD_PRELOAD=$library" ]
    unchanged <(sed 2d said)
}

@test "below a cleared program, its children and theirs are followed" {
    followed 3 env -i PATH="$PATH" sh -c "$show; sh -c '$show; $show'"
    unchanged
    rm "$trace"
    followed 2 env -i sh -c "env -i A=1 sh -c 'exec env -i $show'; $show"
    unchanged
}

@test "each call of the exec and spawn family with an environment of its own" {
    local method
    for method in $(some execve execle execvpe fexecve execveat posix_spawn posix_spawnp); do
        echo "by $method"
        rm -f "$trace"
        followed 2 "$show" "$method" "$show"
        [ "$(sed '1,/^\.$/d; /^port/d' said)" = "$(printf '%s\n' GIVEN=one EMPTY= PORT=1234 .)" ]
    done
}

@test "each call that takes the environment from environ, after clearenv" {
    local method
    for method in $(some execv execvp execl execlp system popen); do
        echo "by $method"
        rm -f "$trace"
        followed 2 env -i "$show" "cleared-$method" "$show"
        unchanged
    done
}

@test "system and popen of a program whose variables were put back" {
    local method
    for method in system popen; do
        echo "by $method"
        rm -f "$trace"
        followed 3 env -i "A=it's one" "$show" "$method" "$show; $show"
        unchanged
    done
}

@test "Python: subprocess with an empty environment, os.posix_spawn, os.execve, os.system" {
    cat >guest.py <<'GUEST'
import os, subprocess, sys
show = sys.argv[1]
subprocess.run([show], env={}, check=True)
subprocess.run(show, env={'ONE': '1'}, shell=True, check=True)
subprocess.run([show], env={'TWO': '2'}, preexec_fn=lambda: None, check=True)
os.waitpid(os.posix_spawn(show, [show], {'THREE': '3'}), 0)
os.environ.clear()
os.system(show)
os.execve(show, [show], {'FOUR': '4'})
GUEST
    followed 6 "$python" guest.py "$show"
    unchanged
}

@test "a scrubbing such as tox does: a few variables pass, and the tests' children see no more" {
    cat >tests.py <<'GUEST'
import subprocess, sys
subprocess.run([sys.argv[1]], check=True)
subprocess.run(['sh', '-c', sys.argv[1]], check=True)
GUEST
    cat >guest.py <<'GUEST'
import fnmatch, os, subprocess, sys
passed = ['PATH', 'LANG*', 'LC_*', 'TMPDIR', 'HOME']
environment = {name: value for name, value in os.environ.items()
               if any(fnmatch.fnmatch(name, pattern) for pattern in passed)}
environment['TOX_ENV_NAME'] = 'py'
subprocess.run([sys.executable, 'tests.py', sys.argv[1]], env=environment, check=True)
GUEST
    followed 2 "$python" guest.py "$show"
    unchanged
}

@test "Perl with an empty %ENV: system, backticks, exec" {
    followed 3 perl -e '%ENV = (); $| = 1; system($ARGV[0]); print `$ARGV[0]`; exec $ARGV[0];' "$show"
    unchanged
}

@test "node: child_process with an empty environment" {
    followed 3 node -e '
const child = require("child_process");
const show = process.argv[1];
const stdio = "inherit";
child.execFileSync(show, { env: {}, stdio });
child.execSync(show, { env: { ONE: "1" }, stdio });
child.spawn(show, { env: { TWO: "2" }, stdio });' "$show"
    unchanged
}

@test "java: a ProcessBuilder whose environment was cleared" {
    cat >Guest.java <<'GUEST'
public class Guest {
    public static void main(String[] arguments) throws Exception {
        var builder = new ProcessBuilder(arguments[0]).inheritIO();
        builder.environment().clear();
        builder.environment().put("ONE", "1");
        System.exit(builder.start().waitFor());
    }
}
GUEST
    followed 1 java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Guest.java "$show"
    unchanged
}

@test "a script whose interpreter is named in its first line" {
    printf '#!/bin/sh\n%s\nexec %s\n' "$show" "$show" >script
    chmod +x script
    followed 2 env -i ./script
    unchanged
}

@test "--no-follow leaves a cleared environment alone and says which program was lost" {
    options=(--no-follow --capture=preload)
    record sh -c "$show; env -i $show" >said
    [ "$(grep -c '^port ' said)" -eq 2 ]
    [ "$(rows 'map(.port) | join(" ")')" = "$(sed -n '1s/port \([0-9]*\) .*/\1/p' said)" ]
    [ "$(sed -n '/^\.$/,$p' said | sed 1,2d)" = . ]
    grep -q "1 blind spot: $show (not followed)" "$summary"
}
