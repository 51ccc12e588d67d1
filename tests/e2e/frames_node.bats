# The line of JavaScript behind a call, and that a program which tells it is otherwise as it was. NODE
# names another node.
# shellcheck disable=SC2154 # variables of bats and of common.bash

bats_require_minimum_version 1.5.0
load ../common

setup() {
    node=${NODE:-$(command -v node)} || skip "node is not installed"
    major=$("$node" -p 'process.versions.node.split(".")[0]')
    guests=$root/tests/guests/frames/node
    cd "$BATS_TEST_TMPDIR" || return
    PATH=${node%/*}:$PATH
    unset NODE_OPTIONS
}

# Runs it recorded in a network of its own, and keeps what it says in "said".
record() {
    rm -f t
    timeout 60 "${in_namespace[@]}" "$PORTWITNESS" run --quiet "${run_options[@]}" -o t -- "$@" >said 2>&1 ||
        { cat said >&2 && return 1; }
}

# A line for each kind of record and place: "bind FILE:LINE FUNCTION | FILE:LINE FUNCTION", the innermost
# first.
places() {
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.frames) | .kind + " " + (.frames |
        map("\(.file | split("/") | last):\(.line) \(.function)") | join(" | "))' | sort -u
}

frameless() {
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind | IN("bind", "listen", "connect")) |
        select(.frames == null) | "\(.kind) \(.requested.port)"'
}

line_of() { grep -n -- "$2" "$1" | cut -d: -f1; }

@test "each call has the line that made it, also where an address is looked up first" {
    record "$node" "$guests/listens.js"
    places >found
    local name kind
    for name in plain byAddress byName byOptions web refused datagram datagramByName awaited sends \
        connects connectsByName; do
        kind=bind
        [[ $name != connects* ]] || kind=connect
        grep -E "^$kind listens.js:$(line_of "$guests/listens.js" "// call $name\$") " found || {
            echo "not found: $kind of $name" >&2
            cat found >&2
            return 1
        }
        [[ $name != @(plain|byAddress|byName|byOptions|web|awaited) ]] ||
            grep -E "^listen listens.js:$(line_of "$guests/listens.js" "// call $name\$") " found
    done
    [ "$(grep -c ' listens.js:[0-9]* \(plain\|byName\|datagram\)' found)" -ge 5 ]
    assert_equal "$(frameless)" ""
}

@test "a helper's line comes first, then that of its caller, and a dependency's before both" {
    mkdir -p node_modules/probing
    cp "$guests/node_modules_probe.js" node_modules/probing/index.js
    cat >main.js <<'GUEST'
const { pick, probe } = require('probing');
function find(callback) {
  probe(8000, callback);
}
async function main() {
  await pick();
  const first = require('net').createServer().listen(8000, '127.0.0.1', () =>
    find((port) => { console.log(port); first.close(); }));
}
main();
GUEST
    record "$node" main.js
    assert_equal "$(cat said)" 8001
    local probe
    probe=$(line_of node_modules/probing/index.js 'server.listen(port')
    places >found
    # What was tried first, and what was tried in the callback of that.
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "bind" and .frames) |
        "\(.requested.port) " + (.frames | map("\(.file | split("/") | last):\(.line)") | join(" "))' >binds
    assert_equal "$(grep ^8001 binds)" "8001 index.js:$probe main.js:3 main.js:8"
    grep -x "8000 index.js:$probe main.js:3 main.js:8" binds
    grep -x "8000 main.js:7" binds
    grep '^bind index.js:[0-9]* .* | main.js:6 main' found
}

@test "one place is told apart by who called it, who awaits it, and its function's name" {
    cat >main.js <<'GUEST'
const { once } = require('events');
const net = require('net');
async function listens(close = (server) => server.close()) {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  close(server);
  await once(server, 'close');
}
async function resumed() {
  await require('fs').promises.stat('.'); // no function of Node's is below, then
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.close();
}
const named = (name) => ({ async [name]() { await listens(); } })[name];
const one = () => listens();
const other = () => listens();
async function awaits() {
  await resumed();
}
async function awaitsToo() {
  await resumed();
}
async function main() {
  const [first, second] = [named('first'), named('second')];
  for (let i = 0; i < 200; i++)
    for (const each of [one, first, awaits, other, second, awaitsToo]) await each();
}
main();
GUEST
    record "$node" main.js
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "bind") |
        .frames | map(.function) | join(" ")' | sort | uniq -c | sed 's/^ *//' >found
    diff - found <<'WANTED'
200 listens first
200 listens one
200 listens other
200 listens second
200 resumed awaits
200 resumed awaitsToo
WANTED
}

@test "workers, modules, forks and programs from the command line" {
    cat >all.mjs <<'GUEST'
import { Worker, isMainThread } from 'node:worker_threads';
import { fork, execFileSync } from 'node:child_process';
import { createServer } from 'node:net';
function inModule() { createServer().listen(0).unref(); }
if (process.argv[2] !== 'child' && isMainThread) {
  inModule();
  new Worker(new URL('./worker.js', import.meta.url));
  fork(new URL('./child.js', import.meta.url).pathname);
  execFileSync(process.execPath, ['-e', 'function given() { require("net").createServer().listen(0).unref() } given()']);
  execFileSync(process.execPath, ['--input-type=module', '-'],
    { input: 'import net from "net"; function read() { net.createServer().listen(0).unref() } read()' });
}
GUEST
    echo 'function inWorker() { require("net").createServer().listen(0).unref(); } inWorker();' >worker.js
    echo 'function inChild() { require("net").createServer().listen(0, "127.0.0.1").unref(); } inChild();' >child.js
    record "$node" all.mjs
    places >found
    grep '^bind all.mjs:4 inModule | all.mjs:6 ' found
    grep '^bind worker.js:1 inWorker' found
    grep '^bind child.js:1 inChild' found
    grep '^bind \[eval\]:1 given' found
    grep '^bind \[eval1\]:1 read' found
    assert_equal "$(frameless)" ""
}

@test "node --test: the helper's line, and the test that called it" {
    cat >helper.js <<'GUEST'
const { once } = require('events');
exports.free = async () => {
  const server = require('net').createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.close();
};
GUEST
    local name
    for name in a b; do
        printf '%s\n' "const { test } = require('node:test');" "const { free } = require('./helper');" \
            "test('$name', async () => {" '  await free();' '});' >"$name.test.js"
    done
    record "$node" --test a.test.js b.test.js
    places >found
    grep '^bind helper.js:3 ' found
    "$PORTWITNESS" export --format jsonl t | jq -r 'select(.kind == "bind" and .frames) |
        .frames | map("\(.file | split("/") | last):\(.line)") | join(" ")' >binds
    grep -q 'a.test.js:4' binds
    grep -q 'b.test.js:4' binds
}

@test "source maps lead to the line of TypeScript, if the program asks for them" {
    # What tsc makes of typed.ts, written by hand: line 2 came from line 6.
    cp "$guests/typed.ts" .
    cat >map.js <<'GUEST'
const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const number = (n) => {
  let rest = n < 0 ? (-n << 1) | 1 : n << 1, text = '';
  do { text += digits[(rest & 31) | (rest > 31 ? 32 : 0)]; rest >>= 5; } while (rest > 0);
  return text;
};
const segment = (...numbers) => numbers.map(number).join('');
const mappings = [segment(0, 0, 4, 0), segment(0, 0, 1, 0), segment(0, 0, 1, 0), segment(0, 0, 2, 0)].join(';');
const map = { version: 3, file: 'typed.js', sources: ['typed.ts'], names: [], mappings };
require('fs').writeFileSync('typed.js', ['function open(wanted) {',
  '  require("net").createServer().listen(wanted.port).unref();', '}', 'open({ port: 0 });',
  `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`].join('\n'));
GUEST
    "$node" map.js
    record "$node" --enable-source-maps typed.js
    places | grep '^bind typed.ts:6 open | typed.ts:9 '
    record "$node" typed.js
    places | grep '^bind typed.js:2 open | typed.js:4 '
}

# Fails unless the program says the same bare and recorded. A process id in a warning is another one.
same_as_bare() {
    { "$node" "$@" || true; } 2>&1 | sed -E 's/^\(node:[0-9]+\)/(node:N)/' >bare
    rm -f t
    { "$PORTWITNESS" run --quiet -o t -- "$node" "$@" || true; } 2>&1 | sed -E 's/^\(node:[0-9]+\)/(node:N)/' >said
    diff bare said
}

@test "a program finds nothing that is not there when it runs bare" {
    local options
    same_as_bare "$guests/itself.js"
    grep -q '^by name: Error: listen EADDRINUSE' said
    places | grep -q itself.js
    for options in --stack-trace-limit=20 "--require=$BATS_TEST_TMPDIR/own.js --no-warnings" ''; do
        echo 'console.log("own", process.env.NODE_OPTIONS, module.parent && module.parent.id);' >own.js
        NODE_OPTIONS=$options same_as_bare "$guests/itself.js"
    done
    same_as_bare --require ./own.js "$guests/itself.js" --a-word
    same_as_bare -p 'Object.entries(process.env).filter(([name]) => /NODE/.test(name))'
    printf '%s\n' 'Error.prepareStackTrace = (error, sites) => { console.log("asked"); return sites.length; };' \
        'Error.stackTraceLimit = 3;' \
        'const server = require("net").createServer().listen(0, () => {' \
        '  console.log(new Error("x").stack, Error.stackTraceLimit); server.close(); });' >prepares.js
    same_as_bare prepares.js
    places | grep -q '^bind prepares.js:3'
}

@test "no option of Node's makes a recorded program fail" {
    local options
    cat >serve.js <<'GUEST'
const server = require('net').createServer().listen(0, '127.0.0.1', () => server.close(() => console.log('served')));
GUEST
    for options in --frozen-intrinsics --disable-proto=throw --disable-proto=delete --no-addons --jitless \
        --pending-deprecation --enable-source-maps --check --no-warnings --abort-on-uncaught-exception \
        --preserve-symlinks --no-global-search-paths; do
        same_as_bare "$options" serve.js
    done
    options=--experimental-permission
    ((major < 22)) || options=--permission
    ((major < 20)) || same_as_bare "$options" --allow-fs-read="$BATS_TEST_TMPDIR/*" serve.js
    ((major < 20)) || NODE_OPTIONS="$options --allow-fs-read=*" same_as_bare serve.js
    echo 'NODE_OPTIONS=--stack-trace-limit=3' >.env
    ((major < 20)) || same_as_bare --env-file=.env -p 'new Error("x").stack.split("\n").length'
    NODE_OPTIONS=--no-such-option same_as_bare serve.js
    grep -q 'not allowed' said
}

# What the shim would load: a copy of both, which may be spoilt.
copy_shim() {
    mkdir -p "$1/node"
    cp "$shim" "$1/"
    cp "$build/node/frames.cjs" "$1/node/"
    export PORTWITNESS_SHIM=$1/libportwitness.so
}

@test "a path with quotes, and a file that is missing or cannot be read" {
    copy_shim "$BATS_TEST_TMPDIR/a\"b\\c"
    echo 'require("net").createServer().listen(0).unref();' >serve.js
    record "$node" serve.js
    places | grep '^bind serve.js:1'
    rm "${PORTWITNESS_SHIM%/*}/node/frames.cjs"
    record "$node" serve.js
    assert_equal "$(cat said)$(places)" ""
    [ "$(id -u)" -eq 0 ] || skip "only root can be another user"
    copy_shim "$BATS_TEST_TMPDIR/shim"
    chmod 700 "$BATS_TEST_TMPDIR/shim/node"
    chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/shim"
    run ! setpriv --reuid 65534 --clear-groups test -r "$BATS_TEST_TMPDIR/shim/node/frames.cjs"
    run -0 --separate-stderr "$PORTWITNESS" run --quiet --shared -o shared -- \
        setpriv --reuid 65534 --clear-groups "$node" -p '"ran " + process.env.NODE_OPTIONS'
    assert_equal "$output" "ran undefined"
}

@test "--no-frames puts nothing into Node" {
    echo 'require("net").createServer().listen(0).unref();' >serve.js
    record strace -f -qq -e trace=openat -o calls "$node" serve.js
    grep -q frames.cjs calls
    run_options=(--no-frames)
    record strace -f -qq -e trace=openat -o calls "$node" serve.js
    run ! grep frames.cjs calls
    assert_equal "$(places)" ""
}

@test "--stacks: all frames, Node's own among them" {
    run_options=(--stacks)
    printf '%s\n' 'function open() { require("net").createServer().listen(0).unref(); }' 'open();' >serve.js
    record "$node" serve.js
    places | grep -E '^bind node:net:[0-9]+ .*\| serve.js:1 open \| serve.js:2 .*\| loader'
}
