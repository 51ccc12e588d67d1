# tor with its own sandbox, which is made by libseccomp; without any network beyond loopback.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    needs tor curl
}

teardown() { real_teardown; }

circuits() {
    mkdir -m 700 data
    cat >torrc <<CONF
DataDirectory $work/data
SocksPort 127.0.0.1:auto
ControlPort 127.0.0.1:auto
ControlPortWriteToFile $work/control
CookieAuthentication 1
Sandbox 1
ClientOnly 1
Log notice stdout
CONF
    tor --defaults-torrc /dev/null -f "$work/torrc" >server.log 2>&1 &
    server=$!
    until_true grep -q 'Opened Socks listener' server.log
    until_true [ -s control ]
    cat >control.py <<'PYTHON'
import re, socket
port = int(open("control").read().strip().rpartition(":")[2])
with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
    stream = connection.makefile("rw", newline="\r\n")
    def ask(line):
        stream.write(line + "\n")
        stream.flush()
        while True:
            answer = stream.readline().rstrip("\r\n")
            print(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:N", answer), flush=True)
            if answer[3:4] == " ":
                return
            found = re.search(r"listeners/socks=.*:(\d+)", answer)
            if found:
                ask.socks = int(found.group(1))
    ask("AUTHENTICATE " + open("data/control_auth_cookie", "rb").read().hex())
    ask("GETINFO version config-file")
    ask("GETINFO net/listeners/socks net/listeners/control")
    # An address that tor must refuse, by SOCKS 5.
    for number in range(5):
        with socket.create_connection(("127.0.0.1", ask.socks), timeout=60) as client:
            client.sendall(b"\5\1\0")
            print(client.recv(2).hex())
            client.sendall(b"\5\1\0\1\x7f\0\0\1\0\x50")
            print(client.recv(10).hex())
    # Another listener, made in the sandbox.
    ask("SETCONF SocksPort=\"127.0.0.1:auto\" SocksPort=\"127.0.0.1:auto IsolateDestAddr\"")
    ask("GETINFO net/listeners/socks")
    ask("SIGNAL SHUTDOWN")
PYTHON
    answer "$python" control.py
    local status=0
    wait "$server" || status=$?
    echo "tor: status $status"
    grep -Eo '\[(warn|err)\].*|Opened .* listener|exiting cleanly' server.log |
        sed -E 's/[0-9]{3,}/N/g' | sort -u
}

@test "tor in its sandbox listens, answers its control port and ends, as root" {
    under_all circuits 'tor: status 0'
}

@test "tor in its sandbox as an ordinary user" {
    as=("${nobody[@]}")
    under_all circuits 'tor: status 0'
}
