# Servers as Debian packages them.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of guests.bash, and those of jq and other shells

setup() {
    load ../common
    load guests
    guests_setup
}

teardown() { guests_teardown; }

# listening COUNT: waits until the guest's namespace has so many listening TCP sockets.
listening() {
    for _ in {1..1200}; do
        [ "$(nsenter -t "$guest" -n ss -Hnlt 2>/dev/null | wc -l)" -lt "$1" ] || return 0
        sleep 0.05
    done
    echo 'the server does not listen' >&2
    return 1
}

@test "nginx: listeners bound by number, held by workers that dropped their privileges" {
    [ "$(id -u)" -eq 0 ] || skip 'dropping privileges needs root'
    chmod 755 "$BATS_TEST_TMPDIR"
    cat >nginx.conf <<CONF
user nobody nogroup;
worker_processes 2;
daemon off;
pid $PWD/nginx.pid;
error_log $PWD/error.log;
events { worker_connections 64; }
http {
    access_log off;
    client_body_temp_path $PWD/body;
    proxy_temp_path $PWD/proxy;
    fastcgi_temp_path $PWD/fastcgi;
    uwsgi_temp_path $PWD/uwsgi;
    scgi_temp_path $PWD/scgi;
    server { listen 127.0.0.1:18080; location / { return 200 served; } }
    server { listen [::1]:18081; location / { proxy_pass http://127.0.0.1:18080/; } }
}
CONF
    options=(--shared)
    start nginx -c "$PWD/nginx.conf"
    listening 2
    # The second answer makes a worker, which is nobody by now, connect to the first server.
    [ "$(nsenter -t "$guest" -n curl -s --retry 20 --retry-connrefused 'http://[::1]:18081/')" = served ]
    same_as_kernel '.call == "bind"'
    local master
    master=$(cat nginx.pid)
    [ "$held" = "$(printf '%s\n' "tcp 127.0.0.1 18080 $master" "tcp ::1 18081 $master")" ]
    stop QUIT
    held_while 18080
    held_while 18081
    [ "$(rows 'map(select(.call == "bind" and (.requested_port != .port))) | length')" -eq 0 ]
    # The worker's own source port, which the kernel gave it.
    local worker
    worker=$(rows '.[] | select(.call == "connect") | .pid')
    [ -n "$worker" ]
    [ "$worker" != "$master" ]
    grep -q 'no blind spots' "$summary"
    nothing_lost
}

@test "redis-server: its port by number in both families, answered, and closed by its own shutdown" {
    start redis-server --port 16379 --bind 127.0.0.1 ::1 --save '' --daemonize no
    listening 2
    [ "$(nsenter -t "$guest" -n bash -c \
        'exec 9<>/dev/tcp/127.0.0.1/16379; echo PING >&9; read -r answer <&9; echo "$answer"')" = $'+PONG\r' ]
    same_as_kernel
    [ "$(cut -d' ' -f1-3 <<<"$held")" = "$(printf '%s\n' 'tcp 127.0.0.1 16379' 'tcp ::1 16379')" ]
    stop TERM
    held_while 16379
    [ "$(rows '[.[] | select(.requested_port == 16379) | .end_known_by] | unique | join(" ")')" = closed ]
    nothing_lost
}

@test "memcached: TCP and UDP on ports that the kernel chose, as its own file tells them" {
    MEMCACHED_PORT_FILENAME=$PWD/ports start memcached -u root -l 127.0.0.1 -p -1 -U -1
    listening 1
    for _ in {1..1200}; do [ -s ports ] && break; sleep 0.05; done
    same_as_kernel
    [ "$(sed -n 's/^\(TCP\|UDP\) INET: //p' ports)" = "$(cut -d' ' -f3 <<<"$held")" ]
    [ "$(wc -l <<<"$held")" -eq 2 ]
    local tcp
    tcp=$(sed -n 's/^TCP INET: //p' ports)
    stop TERM || true
    held_while "$tcp"
    [ "$(rows --argjson port "$tcp" '.[] | select(.port == $port) | .requested_port')" = 0 ]
    nothing_lost
}

@test "socat: a listener on port 0 and the source port of its connection" {
    start socat -d -d TCP4-LISTEN:0,bind=127.0.0.1 STDOUT
    listening 1
    same_as_kernel
    local port=${held% *}
    port=${port##* }
    nsenter -t "$guest" -n "$PORTWITNESS" run -q -o "$trace.client" -- \
        socat -u EXEC:'echo sent' "TCP4:127.0.0.1:$port" 3>&-
    hear
    [ "$said" = sent ]
    finish
    held_while "$port"
    # What socat itself says on stderr, and what the client's trace says of the other side.
    grep -q "listening on AF=2 127.0.0.1:$port" "$summary"
    local source
    source=$(sed -n 's/.*accepting connection from AF=2 127.0.0.1:\([0-9]*\) on .*/\1/p' "$summary")
    trace=$trace.client
    [ "$(rows '.[] | select(.call == "connect") | .port')" = "$source" ]
}

@test "curl: the source port that it says, as the server saw it" {
    start "$python" -c '
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.client_address[1]).encode())
    def log_message(self, *arguments):
        pass
import subprocess, sys, threading
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = "http://127.0.0.1:%d/" % server.server_address[1]
print(subprocess.run(["curl", "-s", "-w", " %{local_port} %{remote_port}", url],
    stdout=subprocess.PIPE, text=True).stdout, flush=True)
sys.stdin.readline()
'
    hear
    [ "${words[0]}" = "${words[1]}" ]
    same_as_kernel '.call == "bind"'
    [ "$(cut -d' ' -f3 <<<"$held")" = "${words[2]}" ]
    finish
    [ "$(rows '.[] | select(.comm == "curl") | "\(.port) \(.call) \(.requested_port)"')" = "${words[0]} connect 0" ]
    nothing_lost
}

@test "java: a server socket on port 0, a datagram socket, and the close in between" {
    cat >Guest.java <<'GUEST'
import java.net.*;
public class Guest {
    public static void main(String[] arguments) throws Exception {
        var server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
        var datagram = new DatagramSocket(0, InetAddress.getByName("127.0.0.1"));
        System.out.println(server.getLocalPort() + " " + datagram.getLocalPort());
        System.in.read();
        // Java's nanoTime is CLOCK_MONOTONIC.
        long begin = System.nanoTime();
        server.close();
        System.out.println(begin + " " + System.nanoTime());
        while (System.in.read() >= 0) { }
    }
}
GUEST
    start java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC Guest.java
    hear
    local port=${words[0]} datagram=${words[1]}
    same_as_kernel
    [ "$(awk '{ print $1, $3 }' <<<"$held")" = "$(printf '%s\n' "tcp $port" "udp $datagram")" ]
    tell close
    hear
    local begin=${words[0]} end=${words[1]}
    same_as_kernel
    [ "$(cut -d' ' -f1 <<<"$held")" = udp ]
    finish
    ended_between "$port" "$begin" "$end" closed
    held_while "$datagram"
    nothing_lost
}

@test "perl: a listener and a datagram socket on port 0, and one kept by a forked child alone" {
    cat >guest.pl <<'GUEST'
use strict;
use warnings;
use IO::Socket::INET;
$| = 1;
my %on = (LocalAddr => '127.0.0.1', LocalPort => 0);
my $server = IO::Socket::INET->new(%on, Listen => 5) or die;
my $datagram = IO::Socket::INET->new(%on, Proto => 'udp') or die;
my $kept = IO::Socket::INET->new(%on, Listen => 5) or die;
my $port = $kept->sockport;
pipe(my $read, my $write) or die;
my $child = fork;
if (!$child) {
    close $write;
    close $server;
    close $datagram;
    <$read>;
    exit 0;
}
close $read;
close $kept;
print $server->sockport, ' ', $datagram->sockport, " $port $child\n";
<STDIN>;
close $write;
wait;
GUEST
    start perl guest.pl
    hear
    before=$(now)
    kernel_table >table
    after=$(now)
    [ "$(awk '{ print $1, $3 }' table)" = "$(printf '%s\n' "tcp ${words[0]}" "tcp ${words[2]}" \
        "udp ${words[1]}" | sort)" ]
    grep -qx "tcp 127.0.0.1 ${words[2]} ,${words[3]}," table
    finish
    local port
    for port in "${words[@]:0:3}"; do held_while "$port"; done
    nothing_lost
}

@test "bash: its own connections and those of its children" {
    start bash -c '
        '"$python"' -c "
import socket
server = socket.create_server((\"127.0.0.1\", 0))
print(server.getsockname()[1], flush=True)
accepted = [server.accept() for _ in range(2)]
print(*(peer[1] for _, peer in accepted), flush=True)
server.close()
accepted[0][0].recv(1), accepted[1][0].recv(1)
" | { read -r port
            exec 9<>"/dev/tcp/127.0.0.1/$port"
            ( exec 8<>"/dev/tcp/127.0.0.1/$port"; read -r sources; echo "$port $sources" ); }'
    hear
    finish
    [ "$(rows '.[] | select(.call == "bind") | .port')" = "${words[0]}" ]
    [ "$(rows '[.[] | select(.call == "connect" and .comm == "bash")] | sort_by(.held_from_ns)[] | .port')" = \
        "$(printf '%s\n' "${words[1]}" "${words[2]}")" ]
    nothing_lost
}
