# Node programs. Node closes its sockets by syscall(SYS_close), not by close.
# shellcheck disable=SC2154 # variables of guests.bash

setup() {
    load ../common
    load guests
    guests_setup
}

teardown() { guests_teardown; }

@test "node: listen(0) is seen with its port, and its close when it happens" {
    cat >guest.js <<'GUEST'
const server = require('net').createServer();
const commands = require('readline').createInterface({ input: process.stdin });
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
commands.once('line', () => {
  const begin = process.hrtime.bigint();
  server.close(() => console.log(`${begin} ${process.hrtime.bigint()}`));
});
GUEST
    start node guest.js
    hear
    local port=${words[0]}
    same_as_kernel
    [ "$(cut -d' ' -f1-3 <<<"$held")" = "tcp 127.0.0.1 $port" ]
    tell close
    hear
    local begin=${words[0]} end=${words[1]}
    same_as_kernel
    [ -z "$held" ]
    finish
    ended_between "$port" "$begin" "$end" closed
    held_before "$port" "$begin"
    nothing_lost
}

@test "node: a dual-stack server and a datagram socket" {
    cat >guest.js <<'GUEST'
const server = require('http').createServer((request, response) => response.end('served'));
const datagram = require('dgram').createSocket('udp4');
server.listen(0, () => datagram.bind(0, '127.0.0.1', () =>
  console.log(`${server.address().port} ${datagram.address().port}`)));
process.stdin.resume().on('end', () => process.exit(0));
GUEST
    start node guest.js
    hear
    local port=${words[0]} datagram=${words[1]}
    same_as_kernel
    [ "$(cut -d' ' -f1-3 <<<"$held")" = "$(printf '%s\n' "tcp :: $port" "udp 127.0.0.1 $datagram")" ]
    [ "$(nsenter -t "$guest" -n curl -s "http://127.0.0.1:$port/")" = served ]
    finish
    held_while "$port"
    held_while "$datagram"
    nothing_lost
}

@test "node: the workers of a cluster share one listener that their parent bound" {
    cat >guest.js <<'GUEST'
const cluster = require('cluster');
const net = require('net');
if (cluster.isPrimary) {
  const heard = [];
  for (let i = 0; i < 2; i++) cluster.fork();
  cluster.on('listening', (worker, address) => {
    if (heard.push(address.port) === 2) console.log(`${process.pid} ${heard.join(' ')}`);
  });
  process.stdin.resume().on('end', () => cluster.disconnect(() => process.exit(0)));
} else {
  net.createServer((socket) => socket.end()).listen(0, '127.0.0.1');
}
GUEST
    start node guest.js
    hear
    local parent=${words[0]} port=${words[1]}
    [ "${words[2]}" = "$port" ]
    same_as_kernel
    [ "$held" = "tcp 127.0.0.1 $port $parent" ]
    finish
    held_while "$port"
    nothing_lost
}

@test "node: a function's name may be any text, and its file is named all the same" {
    cat >guest.js <<'GUEST'
const listen = { 'a\tb\nc'() { require('net').createServer().listen(0).unref(); } };
listen['a\tb\nc']();
GUEST
    "$PORTWITNESS" run --quiet -o names.trace -- node guest.js
    "$PORTWITNESS" export --format jsonl names.trace >records
    run jq -r 'select(.kind == "bind") | .frames[0] | "\(.file):\(.line) \(.function)"' records
    [ "$output" = "$PWD/guest.js:1 a b c" ]
}

@test "node: functions of JavaScript's that the program replaced are not called for the sake of frames" {
    cat >guest.js <<'GUEST'
function replace(owner, name) {
  const real = owner[name];
  owner[name] = function replaced(...words) {
    console.log(`${name} was called`);
    return real.apply(this, words);
  };
}
replace(Error, 'captureStackTrace');
replace(Reflect, 'apply');
for (const name of ['get', 'has', 'set']) replace(WeakMap.prototype, name);
require('net').createServer().listen(0, '127.0.0.1', function listening() {
  require('net').connect(this.address().port, '127.0.0.1').on('connect', () => process.exit());
});
GUEST
    node guest.js >bare
    "$PORTWITNESS" run -q -o t -- node guest.js >recorded
    diff bare recorded
    "$PORTWITNESS" export --format jsonl t | jq -r '.frames[0] // empty | "\(.file):\(.line)"' | sort -u >lines
    [ "$(cat lines)" = "$PWD/guest.js:11
$PWD/guest.js:12" ]
}
