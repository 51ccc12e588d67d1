# Python programs: each port in the trace is the one that the program says and that the kernel's
# socket table shows at that moment.
# shellcheck disable=SC2154,SC2034,SC2016 # variables of guests.bash, and those of jq

setup() {
    load ../common
    load guests
    guests_setup
}

teardown() { guests_teardown; }

@test "python: http.server on port 0 is seen with the port that it prints and serves on" {
    start "$python" -u -m http.server 0 --bind 127.0.0.1
    hear
    local port=${words[5]}
    same_as_kernel
    [ "$(cut -d' ' -f1-3 <<<"$held")" = "tcp 127.0.0.1 $port" ]
    nsenter -t "$guest" -n curl -sf "http://127.0.0.1:$port/" >page
    grep -q 'Directory listing' page
    local status=0
    stop TERM || status=$?
    [ "$status" -eq 143 ]
    held_while "$port"
    [ "$(rows '.[] | select(.requested_port == 0 and .call == "bind") | .port')" = "$port" ]
    nothing_lost
}

@test "python: asyncio's servers for both families and its datagram endpoint, closed one by one" {
    cat >guest.py <<'GUEST'
import asyncio, sys, time

async def main():
    loop = asyncio.get_running_loop()
    four = await asyncio.start_server(lambda r, w: None, '127.0.0.1', 0)
    six = await asyncio.start_server(lambda r, w: None, '::1', 0)
    datagram, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, ('127.0.0.1', 0))
    ports = [four.sockets[0].getsockname()[1], six.sockets[0].getsockname()[1],
             datagram.get_extra_info('sockname')[1]]
    print(*ports, flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)
    begin = time.monotonic_ns()
    four.close()
    await four.wait_closed()
    print(begin, time.monotonic_ns(), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)

asyncio.run(main())
GUEST
    start "$python" guest.py
    hear
    local four=${words[0]} six=${words[1]} datagram=${words[2]}
    same_as_kernel
    [ "$held" = "$(printf '%s\n' "tcp 127.0.0.1 $four" "tcp ::1 $six" "udp 127.0.0.1 $datagram" |
        sort | sed "s/\$/ ${held##* }/")" ]
    tell 'close the first'
    hear
    local begin=${words[0]} end=${words[1]}
    same_as_kernel
    [ "$(wc -l <<<"$held")" -eq 2 ]
    finish
    ended_between "$four" "$begin" "$end" closed
    held_while "$six"
    held_while "$datagram"
    nothing_lost
}

@test "python: the children of multiprocessing, forked, spawned and served by a fork server" {
    cat >guest.py <<'GUEST'
import multiprocessing, os, socket, sys

def bind(queue, event):
    with socket.create_server(('127.0.0.1', 0)) as server:
        queue.put(f'{server.getsockname()[1]} {os.getpid()}')
        event.wait(30)

if __name__ == '__main__':
    for method in 'fork', 'spawn', 'forkserver':
        context = multiprocessing.get_context(method)
        queue, event = context.Queue(), context.Event()
        children = [context.Process(target=bind, args=(queue, event)) for _ in range(3)]
        for child in children:
            child.start()
        print(*(queue.get() for _ in children), flush=True)
        sys.stdin.readline()
        event.set()
        for child in children:
            child.join()
        print('joined', flush=True)
        sys.stdin.readline()
GUEST
    start "$python" guest.py
    local method
    for method in fork spawn forkserver; do
        hear
        same_as_kernel
        [ "$(cut -d' ' -f3,4 <<<"$held" | sort)" = "$(xargs -n2 <<<"$said" | sort)" ]
        [ "$(wc -l <<<"$held")" -eq 3 ]
        tell 'released'
        hear
        [ "$said" = joined ]
        same_as_kernel
        [ -z "$held" ]
        tell 'go on'
    done
    finish
    [ "$(rows 'map(select(.requested_port == 0 and .end_known_by == "closed")) | length')" -eq 9 ]
    nothing_lost
}

@test "python: a listener that was handed to another process is held until that one lets it go" {
    cat >guest.py <<'GUEST'
import os, socket, sys, time

ours, theirs = socket.socketpair()
child = os.fork()
if child == 0:
    ours.close()
    _, (descriptor,), _, _ = socket.recv_fds(theirs, 1, 1)
    theirs.send(b'1')
    theirs.recv(1)
    begin = time.monotonic_ns()
    os.close(descriptor)
    print(begin, time.monotonic_ns(), flush=True)
    theirs.recv(1)
    os._exit(0)
theirs.close()
server = socket.create_server(('127.0.0.1', 0))
port = server.getsockname()[1]
socket.send_fds(ours, [b'1'], [server.fileno()])
server.close()
ours.recv(1)
print(port, child, flush=True)
sys.stdin.readline()
ours.send(b'1')
sys.stdin.readline()
ours.close()
os.wait()
GUEST
    start "$python" guest.py
    hear
    local port=${words[0]} child=${words[1]} begin
    before=$(now)
    [[ $(kernel_table) == "tcp 127.0.0.1 $port ,$child," ]]
    after=$(now)
    [ "$(rows '.[] | select(.held_to_ns == null) | .port')" = "$port" ]
    tell 'released'
    hear
    finish
    held_while "$port"
    ended_between "$port" "${words[0]}" "${words[1]}" closed
    nothing_lost
}

@test "python: source ports of connections, given by connect and by the first datagram" {
    cat >guest.py <<'GUEST'
import socket, sys

server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
accepted, peer = server.accept()
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(('127.0.0.1', 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b'x', receiver.getsockname())
print(server.getsockname()[1], peer[1], receiver.getsockname()[1], receiver.recvfrom(1)[1][1],
      flush=True)
sys.stdin.readline()
GUEST
    start "$python" guest.py
    hear
    nsenter -t "$guest" -n ss -Hatnu >table
    grep -Eq "^tcp +ESTAB .* 127.0.0.1:${words[1]} +127.0.0.1:${words[0]}( |$)" table
    finish
    [ "$(rows 'sort_by(.held_from_ns)[] | "\(.port) \(.protocol) \(.call)"')" = "$(printf '%s\n' \
        "${words[0]} tcp bind" "${words[1]} tcp connect" "${words[2]} udp bind" \
        "${words[3]} udp sendto")" ]
    nothing_lost
}

@test "python: by LD_PRELOAD alone, without run" {
    cat >guest.py <<'GUEST'
import multiprocessing, os, socket, time
def bind(*_):
    with socket.create_server(('127.0.0.1', 0)) as server:
        # One write a line: print may make several, and those of two processes mix.
        os.write(1, f'{server.getsockname()[1]} {time.monotonic_ns()}\n'.encode())
with multiprocessing.Pool(2) as pool:
    pool.map(bind, range(4), 1)
bind()
GUEST
    LD_PRELOAD=$build/libportwitness.so PORTWITNESS_TRACE=$trace "$python" guest.py >said
    [ "$(rows '.[] | select(.held_to_ns >= .held_from_ns) | .port' | sort)" = "$(cut -d' ' -f1 said | sort)" ]
    local port time
    while read -r port time; do
        rows --argjson port "$port" --argjson time "$time" '.[] | select(.port == $port
            and .held_from_ns <= $time and .held_to_ns >= $time) | .end_known_by' | grep -qx closed
    done <said
}
