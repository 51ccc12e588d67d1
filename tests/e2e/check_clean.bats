# Correct programs and real servers: the checker has nothing to say of them but what it could not see.
# shellcheck disable=SC2154,SC2016 # variables of the helpers, those of jq and of programs

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    load check
    check_setup
    workloads=0
    data=$build/tests/guests
}

# clean NAME COMMAND...: the command ends well, and the verdict on it is clean, or clean as far as was
# seen.
clean() {
    local name=$1
    shift
    rm -f t
    timeout 300 "$PORTWITNESS" run --quiet -o t -- "$@" >out 2>&1 || {
        echo "$name failed:"
        cat out
        return 1
    }
    [[ $("$PORTWITNESS" check --json t | jq -r .verdict) == clean* ]] || {
        echo "$name:"
        "$PORTWITNESS" check t
        return 1
    }
    workloads=$((workloads + 1))
}

python() {
    local name=$1
    cat >"work-$name.py"
    clean "$name" "$python" "work-$name.py"
}

@test "Python servers: plain, restarted, forking, threading, asyncio, UDP, socket activation" {
    python plain <<'P'
import socket
with socket.create_server(("127.0.0.1", 0)) as s:
    c = socket.create_connection(s.getsockname()); s.accept(); c.close()
P
    python both-families <<'P'
import socket
with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as s:
    socket.create_connection(("127.0.0.1", s.getsockname()[1])).close()
P
    python many <<'P'
import socket
for _ in range(200):
    socket.create_server(("127.0.0.1", 0)).getsockname()
P
    python restarts-on-a-fixed-port <<'P'
import socket
for _ in range(5):
    with socket.create_server(("127.0.0.1", 18431)) as s:
        c = socket.create_connection(s.getsockname()); a, _ = s.accept(); a.close(); c.close()
P
    python tries-the-next-port <<'P'
import socket
held = [socket.create_server(("127.0.0.1", 18432 + i)) for i in range(2)]
for port in range(18432, 18440):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", port)); break
    except OSError:
        s.close()
P
    python http <<'P'
import http.server, threading, urllib.request
s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=s.serve_forever, daemon=True).start()
urllib.request.urlopen(f"http://127.0.0.1:{s.server_port}/").read()
s.shutdown(); s.server_close()
P
    python asyncio <<'P'
import asyncio
async def main():
    async def answer(r, w):
        w.write(await r.readline()); await w.drain(); w.close()
    s = await asyncio.start_server(answer, "127.0.0.1", 0)
    async def ask():
        r, w = await asyncio.open_connection(*s.sockets[0].getsockname())
        w.write(b"x\n"); await r.readline(); w.close()
    await asyncio.gather(*(ask() for _ in range(20)))
    s.close(); await s.wait_closed()
asyncio.run(main())
P
    python udp <<'P'
import socket
a = socket.socket(type=socket.SOCK_DGRAM); a.bind(("127.0.0.1", 0))
b = socket.socket(type=socket.SOCK_DGRAM); b.sendto(b"x", a.getsockname())
a.sendto(b"y", b.getsockname())
P
    python pre-fork <<'P'
import os, socket
s = socket.create_server(("127.0.0.1", 0))
s.getsockname()
pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        s.accept(); os._exit(0)
    pids.append(pid)
for _ in range(4):
    socket.create_connection(s.getsockname()).close()
for pid in pids:
    os.waitpid(pid, 0)
P
    python reuseport-workers <<'P'
import os, socket
def bound(port):
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", port)); s.listen(); return s
first = bound(0)
port = first.getsockname()[1]
for _ in range(3):
    if os.fork() == 0:
        bound(port); os._exit(0)
    os.wait()
P
    python socket-activation <<'P'
import os, socket, subprocess, sys
s = socket.create_server(("127.0.0.1", 0)); port = s.getsockname()[1]
child = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.listen(); s.accept()"
p = subprocess.Popen([sys.executable, "-c", child, str(s.fileno())], pass_fds=[s.fileno()])
s.close()
socket.create_connection(("127.0.0.1", port)).close()
p.wait()
P
    python descriptor-passing <<'P'
import array, os, socket
a, b = socket.socketpair()
if os.fork() == 0:
    s = socket.create_server(("127.0.0.1", 0))
    socket.send_fds(a, [b"x"], [s.fileno()]); s.close(); os._exit(0)
_, fds, _, _ = socket.recv_fds(b, 1, 1)
os.wait()
s = socket.socket(fileno=fds[0]); s.getsockname()
P
    python daemon <<'P'
import os, socket
s = socket.create_server(("127.0.0.1", 0)); s.getsockname()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        s.accept(); os._exit(0)
    os._exit(0)
os.wait()
socket.create_connection(s.getsockname()).close()
P
    python multiprocessing <<'P'
import multiprocessing, multiprocessing.connection as c
def work(address):
    with c.Client(address) as k: k.send(1)
if __name__ == "__main__":
    with c.Listener(("127.0.0.1", 0)) as l:
        p = multiprocessing.Process(target=work, args=(l.address,)); p.start()
        l.accept().recv(); p.join()
P
    python shared-udp <<'P'
import socket
def member():
    s = socket.socket(type=socket.SOCK_DGRAM); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 18441)); return s
group = [member() for _ in range(3)]
P
    python selectors-pool <<'P'
import concurrent.futures, socket
with socket.create_server(("127.0.0.1", 0), backlog=64) as s:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: socket.create_connection(s.getsockname()).close(), range(64)))
P
    python unittest-with-servers <<'P'
import socket, unittest
class T(unittest.TestCase):
    def setUp(self): self.s = socket.create_server(("127.0.0.1", 0))
    def tearDown(self): self.s.close()
    def test_one(self): socket.create_connection(self.s.getsockname()).close()
    def test_two(self): socket.create_connection(self.s.getsockname()).close()
unittest.main(argv=["x", "-q"])
P
    python xmlrpc <<'P'
import threading, xmlrpc.client, xmlrpc.server
s = xmlrpc.server.SimpleXMLRPCServer(("127.0.0.1", 0), logRequests=False)
s.register_function(pow)
threading.Thread(target=s.serve_forever, daemon=True).start()
assert xmlrpc.client.ServerProxy(f"http://127.0.0.1:{s.server_address[1]}").pow(2, 3) == 8
s.shutdown()
P
    [ "$workloads" -eq 18 ]
}

@test "Node: http, net, dgram, cluster, and its test runner" {
    node() {
        cat >"$1.js"
        clean "$1" "$(command -v node)" "${@:2}" "$1.js"
    }
    node http <<'J'
const s = require('http').createServer((q, r) => r.end('x')).listen(0, '127.0.0.1', () =>
  require('http').get({ port: s.address().port, agent: false }, r => { r.resume(); r.on('end', () => s.close()); }));
J
    node net <<'J'
const n = require('net'); let left = 10;
const s = n.createServer(c => c.end('x')).listen(0, '127.0.0.1', () => {
  for (let i = 0; i < 10; i++) n.connect(s.address().port, '127.0.0.1').on('close', () => --left || s.close()).resume();
});
J
    node dgram <<'J'
const d = require('dgram'); const a = d.createSocket('udp4'), b = d.createSocket('udp4');
a.on('message', () => { a.close(); b.close(); });
a.bind(0, '127.0.0.1', () => b.send('x', a.address().port, '127.0.0.1'));
J
    node cluster <<'J'
const c = require('cluster'), h = require('http');
if (c.isPrimary) {
  const w = c.fork(); c.fork();
  let n = 0;
  c.on('listening', (_, a) => { if (++n == 2) h.get({ port: a.port, agent: false }, r => { r.resume(); r.on('end', () => { for (const i in c.workers) c.workers[i].disconnect(); }); }); });
} else h.createServer((q, r) => r.end('x')).listen(0, '127.0.0.1');
J
    node runner --test <<'J'
const t = require('node:test'), n = require('net');
for (let i = 0; i < 4; i++) t(`server ${i}`, (_, done) => { const s = n.createServer().listen(0, () => s.close(done)); });
J
    [ "$workloads" -eq 5 ]
}

@test "servers: nginx with a reload, redis, memcached, socat; and perl, bash, curl, java" {
    mkdir -p logs
    cat >nginx.conf <<'N'
daemon off; error_log logs/error.log; pid nginx.pid; events {}
http { access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server { listen 127.0.0.1:18451; location / { return 200 x; } } }
N
    cat >nginx.sh <<'S'
nginx -p "$PWD" -c nginx.conf & pid=$!
for i in $(seq 1200); do curl -sf http://127.0.0.1:18451/ >/dev/null && break; sleep 0.05; done
old=$(pgrep -P $pid)
kill -HUP $pid
for i in $(seq 1200); do [ -n "$(pgrep -P $pid)" ] && [ ! -e "/proc/$old" ] && break; sleep 0.05; done
curl -sf http://127.0.0.1:18451/ >/dev/null; status=$?
kill -QUIT $pid; wait $pid; exit $status
S
    clean nginx-reload sh nginx.sh
    cat >redis.sh <<'S'
redis-server --port 18452 --save '' --daemonize no >/dev/null & pid=$!
for i in $(seq 1200); do redis-cli -p 18452 ping 2>/dev/null | grep -q PONG && break; sleep 0.05; done
redis-cli -p 18452 set a b >/dev/null; redis-cli -p 18452 shutdown nosave; wait $pid
S
    clean redis sh redis.sh
    cat >memcached.sh <<'S'
memcached -u root -l 127.0.0.1 -p 18453 & pid=$!
for i in $(seq 1200); do (exec 3<>/dev/tcp/127.0.0.1/18453) 2>/dev/null && break; sleep 0.05; done
kill -TERM $pid; wait $pid; true
S
    clean memcached bash memcached.sh
    cat >socat.sh <<'S'
socat TCP-LISTEN:18454,bind=127.0.0.1,reuseaddr,fork EXEC:cat & pid=$!
for i in $(seq 1200); do echo x | socat -T1 - TCP:127.0.0.1:18454 2>/dev/null | grep -q x && break; sleep 0.05; done
kill $pid; wait $pid; true
S
    clean socat sh socat.sh
    clean perl perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
        my $c = IO::Socket::INET->new(PeerAddr => "127.0.0.1:" . $s->sockport) or die; $s->accept; close $c'
    cat >Server.java <<'J'
import java.net.*;
public class Server { public static void main(String[] a) throws Exception {
  try (ServerSocket s = new ServerSocket(0); Socket c = new Socket("127.0.0.1", s.getLocalPort()); Socket d = s.accept()) { } } }
J
    clean java java Server.java
    clean curl-refused bash -c 'for i in 1 2 3; do curl -s http://127.0.0.1:1/ || true; done'
    [ "$workloads" -eq 7 ]
}

@test "the guests of the other tests: loops, threads, short processes, hostile ones" {
    clean loop "$data/bind_loop" 4 200
    clean threads "$data/bind_threads" 4 50
    clean short-processes "$data/short_processes" 20 4
    clean start-ways "$data/start_ways" "$data/bind_loop" 1 2
    [ "$workloads" -eq 4 ]
}
