# What `plan` says of cluster files, compose files and -p, and how it reports bad ones.
# shellcheck disable=SC2154,SC2016,SC2030,SC2031 # variables of bats; programs in quotes; subshells

bats_require_minimum_version 1.5.0

setup() {
    load ../common
    data=$root/tests/guests/kind
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    [ -z "${holder-}" ] || kill "$holder" 2>/dev/null || true
}

plan() { "$PORTWITNESS" plan "$@"; }

# The values at a jq path of the JSON form, one a line.
values() {
    local path=$1
    shift
    plan --json "$@" | jq -r "$path"
}

# Runs the rest of a test in a network namespace of its own, where nothing has a port.
in_own_network() {
    "${in_namespace[@]}" bash -euo pipefail -c "PORTWITNESS=$PORTWITNESS
        plan() { \"\$PORTWITNESS\" plan \"\$@\"; }
        $1"
}

@test "the story's file is refused by v0.19.0 to v0.21.0 with Kind's text, and by no other" {
    local text='invalid configuration for node 0: invalid portMapping: port mapping with same'
    text+=' listen address, port and protocol already configured: 127.0.0.1:0/TCP'
    for version in v0.19.0 v0.20.0 v0.21.0; do
        run -1 --separate-stderr plan --kind-version $version "$data/story.yaml"
        assert_equal "$stderr" ''
        assert_equal "$(grep -c -F -x "$text" <<<"$output")" 1
        assert_equal "$(values .kind.error --kind-version $version "$data/story.yaml")" "$text"
    done
    for version in v0.6.0 v0.18.0 v0.22.0 v0.31.0 v0.32.0; do
        run -0 plan --kind-version $version "$data/story.yaml"
        assert_equal "$(values .kind.error --kind-version $version "$data/story.yaml")" null
    done
    run -0 plan "$data/story.yaml"
}

@test "--all-versions prints a line for each of Kind's rules" {
    run -0 --separate-stderr plan --all-versions "$data/story.yaml"
    assert_equal "$(cut -d : -f 1 <<<"$output")" 'v0.6.0              accepts
v0.6.1 to v0.7.0    accepts
v0.8.0 to v0.18.0   accepts
v0.19.0 to v0.21.0  refuses
v0.22.0 to v0.31.0  accepts
from v0.32.0        accepts'
    assert_matches "${lines[3]}" ': 127\.0\.0\.1:0/TCP$'
    # An error of several lines stays one.
    run -1 plan --all-versions "$data/refused_key.yaml"
    assert_equal "${#lines[@]}" 6
    assert_matches "${lines[5]}" 'line 7: field hostport not found'
}

@test "each file of one error is refused with Kind's text" {
    local node='invalid configuration for node 0: '
    local taken=$node'invalid portMapping: port mapping with same listen address, port and'
    taken+=' protocol already configured: '
    refused() {
        run -1 --separate-stderr plan "$data/refused_$1.yaml"
        assert_equal "$stderr" ''
        assert_equal "$(values .kind.error "$data/refused_$1.yaml")" "$2"
        refused=$((refused + 1))
    }
    refused=0
    refused duplicate "${taken}127.0.0.1:8080/TCP"
    refused wildcard "$taken:::80/UDP"
    refused port "${node}invalid hostPort: invalid port number: 70000"
    refused container_port "${node}invalid containerPort: invalid port number: 65536"
    refused address "${node}invalid portMapping: invalid listen address: localhost"
    refused protocol 'unable to decode config: Unknown PortMappingProtocol: "QUIC"'
    refused key 'unable to decode config: yaml: unmarshal errors:
  line 7: field hostport not found in type v1alpha4.PortMappingAlias'
    refused role "[$node\"master\" is not a valid node role, must have at least one control-plane node]"
    assert_equal "$refused" "$(find "$data" -name 'refused_*.yaml' | wc -l)"
}

@test "the other examples are taken" {
    for file in "$data"/*.yaml; do
        [[ $file == */refused_* ]] || run -0 plan "$file"
    done
}

@test "a mapping becomes fixed, searched by Kind, or the runtime's choice" {
    assert_equal "$(values '.mappings[].becomes' "$data/story.yaml")" $'kind-searches\nkind-searches'
    assert_equal "$(values '.mappings[].becomes' "$data/runtime_picks.yaml")" \
        $'runtime-picks\nruntime-picks'
    assert_equal "$(values '.mappings[] | [.node, .name, .host_port, .becomes] | @tsv' \
        "$data/several_nodes.yaml")" $'0\tcontrol-plane\t8080\tfixed
2\tworker\t8080\tfixed\n2\tworker\t0\tkind-searches'
    assert_equal "$(values '.mappings[] | [.node, .container_port, .host_port] | @tsv' \
        "$data/anchors.yaml")" $'0\t80\t0\n0\t443\t8443\n1\t80\t0\n1\t80\t-1\n2\t80\t0\n2\t443\t8443'
}

@test "each runtime gets its own form of the argument" {
    run -0 plan "$data/runtime_picks.yaml"
    assert_equal "$(grep -- --publish <<<"$output")" \
        '  docker    --publish=127.0.0.1:0:80/TCP
  podman    --publish=127.0.0.1::80/tcp
  nerdctl   --publish=127.0.0.1:0:80/TCP
  docker    --publish=127.0.0.1:0:443/TCP
  podman    --publish=127.0.0.1::443/tcp
  nerdctl   --publish=127.0.0.1:0:443/TCP'
    assert_equal "$(values '.mappings[0].lost | [.docker, (.podman | type), (.nerdctl | type)] | @csv' \
        "$data/runtime_picks.yaml")" ',"string","string"'
}

@test "the JSON form is one object with the documented keys" {
    run -0 plan --json "$data/fixed.yaml"
    assert_equal "${#lines[@]}" 1
    assert_equal "$(jq -c 'keys_unsorted, (.kind | keys_unsorted), (.mappings[0] | keys_unsorted)' \
        <<<"$output")" '["kind","mappings","warnings"]
["version","error"]
["node","name","line","column","container_port","host_port","listen_address","protocol","becomes","publish","lost","now"]'
    assert_equal "$(jq -r '.kind.version, .mappings[1].line, .mappings[1].column' <<<"$output")" \
        $'v0.32.0\n12\n5'
    run -0 plan --json "$data/several_nodes.yaml"
    assert_equal "$(jq -c '.warnings[0] | keys_unsorted, .kind, .mapping' <<<"$output")" \
        '["kind","mapping","line","column","text","fix"]
"duplicate"
1'
}

@test "warnings fail the plan only if that is asked for" {
    run -0 plan "$data/several_nodes.yaml"
    assert_matches "$output" 'warning +port 8080/TCP is wanted twice .*node 0, line 7'
    assert_matches "$output" 'fix +give one of them another host port'
    run -1 plan --fail-on-warning "$data/several_nodes.yaml"
    run -0 plan --fail-on-warning "$data/fixed.yaml"
}

@test "this host's range, reserved ports, privileges and addresses are warned of" {
    cat >file.yaml <<'END'
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
nodes:
- extraPortMappings:
  - {containerPort: 1, hostPort: 20001}
  - {containerPort: 2, hostPort: 20002}
  - {containerPort: 3, hostPort: 499}
  - {containerPort: 4, hostPort: 500, listenAddress: 10.99.0.1}
  - {containerPort: 5, hostPort: 500, listenAddress: 10.99.0.2}
  - {containerPort: 6, hostPort: 19999}
END
    in_own_network 'cd /proc/sys/net/ipv4
        echo 20000 20100 >ip_local_port_range
        echo 20002,20005-20007 >ip_local_reserved_ports
        echo 500 >ip_unprivileged_port_start
        ip address add 10.99.0.1/32 dev lo
        plan --json '"$PWD/file.yaml" >found.json
    assert_equal "$(jq -r '.warnings[] | [.mapping, .kind] | @tsv' found.json)" \
        $'0\tlocal-range\n1\treserved\n2\tprivileged\n4\tnot-local'
}

@test "-p takes what docker run takes" {
    local specs=(80 8080:80 127.0.0.1::443 '[::1]:0:53/udp' 8000-8010:80
        8000-8010:8000-8010/tcp) arguments=()
    for spec in "${specs[@]}"; do arguments+=(-p "$spec"); done
    run -0 plan "${arguments[@]}"
    assert_equal "$(sed -n 's/^  podman *//p' <<<"$output")" '--publish=80/tcp
--publish=8080:80/tcp
--publish=127.0.0.1::443/tcp
--publish=[::1]::53/udp
--publish=8000-8010:80/tcp
--publish=8000-8010:8000-8010/tcp'
    assert_equal "$(values '.mappings[].becomes' "${arguments[@]}")" 'runtime-picks
fixed
runtime-picks
runtime-picks
runtime-picks-from-range
fixed'
    assert_equal "$(values '.kind | .version, .error' -p 80)" $'null\nnull'
}

@test "compose files have ports in short and in long form" {
    run -0 plan --json "$data/compose.yaml"
    assert_equal "$(jq -r '.mappings[] | [.name, .publish.docker] | @tsv' <<<"$output")" \
        $'web\t--publish=80/tcp
web\t--publish=8080:80/tcp
web\t--publish=127.0.0.1:0:443/tcp
web\t--publish=[::1]:0:53/udp
web\t--publish=8000-8010:80/tcp
web\t--publish=9000-9002:7000-7002/tcp
web\t--publish=3000/tcp
api\t--publish=127.0.0.1:8081:8081/tcp
api\t--publish=9100-9110:9100/udp
api\t--publish=5000/tcp'
}

# Binds as told, says so, and stays until it is killed.
hold() {
    cat <<'END'
hold() {
    exec 4< <(exec python3 -c "
import socket, sys, time
$1
print(flush=True)
time.sleep(60)")
    holder=$!
    trap 'kill $holder' EXIT
    read -r <&4
}
END
}

@test "--check-now finds a number free, or who listens on it" {
    in_own_network "$(hold)"'
        plan --check-now -p 8080:80 | grep -q "^  now  *free$"
        hold "s = socket.create_server((\"127.0.0.1\", 8080))"
        plan --check-now -p 8080:80 |
            grep -E "now +port 8080 is not available \(EADDRINUSE\): pid $holder \(python3?[0-9.]*\) on 127\.0\.0\.1, listening$"
        plan --json --check-now -p 127.0.0.1:8080:80 |
            jq -e ".mappings[0].now | .free == false and .error == \"EADDRINUSE\" and .port == 8080 and
                .holders[0].pid == $holder and .holders[0].state == \"listening\""
        plan --json --check-now -p 127.0.0.2:8080:80 -p 8080:80/udp -p "[::1]:8080:80" -p 80 |
            jq -ce "[.mappings[].now | if . then .free else . end] == [true, true, true, null]"'
}

@test "--check-now finds sockets that are bound and no more, over UDP, and dual-stack" {
    in_own_network "$(hold)"'
        hold "
s = socket.socket(); s.bind((\"127.0.0.1\", 8080))
u = socket.socket(type=socket.SOCK_DGRAM); u.bind((\"127.0.0.1\", 8081))
d = socket.create_server((\"::\", 8082), family=socket.AF_INET6, dualstack_ipv6=True)
v = socket.create_server((\"::\", 8083), family=socket.AF_INET6, dualstack_ipv6=False)"
        plan --json --check-now -p 127.0.0.1:8080:80 -p 127.0.0.1:8081:80/udp -p 127.0.0.1:8082:80 \
            -p 127.0.0.1:8083:80 -p "[::1]:8083:80" -p 8081:80 >found
        jq -c ".mappings[].now | [.free, .holders[0].pid, .holders[0].address]" found >answers
        [ "$(sed -n 1p answers)" = "[false,$holder,\"127.0.0.1\"]" ] ||
            { [ "$(sed -n 1p answers)" = "[false,null,null]" ] && [ "$(uname -r | cut -d . -f 1)" -lt 7 ]; }
        [ "$(sed -n "2,\$p" answers)" = "[false,$holder,\"127.0.0.1\"]
[false,$holder,\"::\"]
[true,null,null]
[false,$holder,\"::\"]
[true,null,null]" ] || { cat answers; false; }'
}

@test "--check-now finds an outgoing connection that has the number" {
    in_own_network "$(hold)"'
        hold "
s = socket.create_server((\"127.0.0.1\", 9000))
c = socket.create_connection((\"127.0.0.1\", 9000), source_address=(\"127.0.0.1\", 40000))"
        plan --json --check-now -p 40000:80 |
            jq -e ".mappings[0].now | .free == false and .holders[0].pid == $holder and
                .holders[0].state == \"established\""'
}

@test "--check-now finds the first free number of a range, and the first taken one" {
    in_own_network "$(hold)"'
        hold "
s = socket.create_server((\"127.0.0.1\", 8000)); t = socket.create_server((\"127.0.0.1\", 8001))
u = socket.create_server((\"127.0.0.1\", 8011))"
        plan --check-now -p 8000-8010:80 | grep -q "^  now  *8002 is free$"
        plan --check-now -p 8010-8012:80-82 | grep -q "^  now  *port 8011 is not available"
        plan --check-now -p 8000-8001:80 | grep -q "^  now  *port 8000 is not available"'
}

@test "--check-now reports an address that this host has not" {
    in_own_network 'plan --json --check-now -p 10.1.2.3:8080:80 | jq -e ".mappings[0].now |
        .free == false and .error == \"EADDRNOTAVAIL\" and .holders == []"'
}

@test "--check-now leaves alone what no bind could be tried with" {
    run -1 plan --json --check-now "$data/refused_port.yaml"
    assert_equal "$(jq -c '.mappings[0].now' <<<"$output")" null
    run -1 plan --json --check-now "$data/refused_address.yaml"
    assert_equal "$(jq -c '.mappings[0].now' <<<"$output")" \
        '{"free":null,"port":8080,"error":"EINVAL","holders":[]}'
}

# One line on stderr, nothing on stdout, status 2, soon and in little memory.
bad() {
    rejected "$@"
    assert_equal "${#stderr_lines[@]}" 1
}

# The same for the command line itself, where a second line names the help.
misused() {
    rejected "$@"
    assert_complaint plan "${stderr_lines[@]}"
    assert_equal "${#stderr_lines[@]}" 2
}

rejected() {
    local expected=$1 limit='ulimit -v 400000'
    shift
    # A sanitizer's runtime reserves far more address space than that.
    [[ $build != *sanitize* ]] || limit=:
    run -2 --separate-stderr timeout 10 bash -c "$limit"'; exec "$@"' bash "$PORTWITNESS" plan "$@"
    assert_equal "$output" ''
    assert_matches "$stderr" "^portwitness plan: $expected"
}

@test "a valid file without port mappings has nothing that can go wrong" {
    printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Cluster\n' >none.yaml
    run -0 --separate-stderr "$PORTWITNESS" plan none.yaml
    assert_matches "$output$stderr" '^0 mappings, 0 warnings; Kind v[0-9.]+ takes the file$'
    printf 'nodes: []\n' >>none.yaml
    run -0 "$PORTWITNESS" plan --json none.yaml
    assert_equal "$(jq -c '[.kind.error, .mappings, .warnings]' <<<"$output")" '[null,[],[]]'
    printf 'services: {web: {image: nginx}}\n' >compose.yaml
    run -0 "$PORTWITNESS" plan compose.yaml
    assert_equal "$output" '0 mappings, 0 warnings'
}

@test "bad input is one line with file, line and column, and status 2" {
    printf 'kind: Pod\napiVersion: v1\n' >pod.yaml
    bad 'pod\.yaml:2:13: apiVersion is '"'v1'" pod.yaml
    printf 'apiVersion: kind.x-k8s.io/v1alpha4\nkind: Clutter\n' >kind.yaml
    bad 'kind\.yaml:2:7: kind is '"'Clutter'" kind.yaml
    : >empty.yaml
    bad 'empty\.yaml:1:1: an empty document' empty.yaml
    printf 'a: [1, 2\nb: }\n' >broken.yaml
    bad 'broken\.yaml:2:[0-9]+: not YAML: ' broken.yaml
    sed 's/containerPort: 443/containerPort: https/' "$data/story.yaml" >text.yaml
    bad 'text\.yaml:10:20: containerPort is a string, not a number: '"'https'" text.yaml
    sed 's/^  - /\t- /' "$data/story.yaml" >tabs.yaml
    bad 'tabs\.yaml:7:1: not YAML: ' tabs.yaml
    head -c 4000 /dev/urandom >noise.yaml
    bad 'noise\.yaml:[0-9]+:[0-9]+: ' noise.yaml
    bad '-p 80:http:1:4: invalid container port or range '"'http'" -p 80:http
    bad '-:1:1: an empty document' - </dev/null
}

@test "files that cannot be read are reported by name" {
    bad 'absent\.yaml: No such file or directory$' absent.yaml
    bad '\.: Is a directory$' .
    bad 'a\?b: No such file or directory$' $'a\nb'
}

@test "what would use up time or memory is refused in bounds" {
    truncate -s 100M zeros.yaml
    bad 'zeros\.yaml:[0-9]+:[0-9]+: ' zeros.yaml
    yes -- '- {containerPort: 80, hostPort: 8080}' | head -c 100000000 >long.yaml
    bad 'long\.yaml:27595:[0-9]+: larger than 1 MiB' long.yaml
    bad '/dev/zero:1:1048577: larger than 1 MiB' /dev/zero
    printf '[%.0s' {1..100000} >deep.yaml
    bad 'deep\.yaml:1:65: nested deeper than 64 levels' deep.yaml
    {
        echo 'a0: &a0 [x, x, x, x, x, x, x, x, x]'
        for i in {1..9}; do
            echo "a$i: &a$i [$(printf "*a$((i - 1)), %.0s" {1..9})]"
        done
    } >bomb.yaml
    bad 'bomb\.yaml:[0-9]+:[0-9]+: aliases expand to' bomb.yaml
    echo 'a: &a [*a]' >loop.yaml
    bad 'loop\.yaml:1:8: an alias to a value that contains it' loop.yaml
    # As many mappings as are taken, all on one number: pairs are compared, each is warned of once.
    {
        cat <<<'kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
x: &x {containerPort: 80, hostPort: 8080, protocol: TCP}
nodes:'
        yes -- '- {extraPortMappings: [*x, *x]}' | head -n "$PLAN_NODES"
    } >many.yaml
    run -1 --separate-stderr timeout 20 "$PORTWITNESS" plan --json many.yaml
    assert_equal "$(jq -c '[(.mappings, .warnings) | length]' <<<"$output")" \
        "[$((2 * PLAN_NODES)),$((2 * PLAN_NODES - 2))]"
}

@test "wrong usage is named, with the help, and status 2" {
    misused 'missing operand: CLUSTER\.yaml' --json
    misused "extra operand '$data/fixed\.yaml': one file at a time" "$data/story.yaml" "$data/fixed.yaml"
    misused '-p or a file, not both' -p 80 "$data/story.yaml"
    bad "invalid argument 'v0\.5\.1' for '--kind-version': must be vX\.Y\.Z, from v0\.6\.0 on" \
        --kind-version v0.5.1 x
    bad "invalid argument 'latest' for '--kind-version': must be vX" --kind-version latest x
    misused '--all-versions and --json exclude each other' --all-versions --json x
    misused '--all-versions and --kind-version exclude each other' --all-versions --kind-version v0.20.0 x
    misused '--all-versions shows what Kind says of a cluster file' --all-versions "$data/compose.yaml"
    misused "unrecognized option '--nonsense'" --nonsense
}

@test "texts of a file cannot disturb a terminal" {
    printf '%s\n' 'kind: Cluster' 'apiVersion: kind.x-k8s.io/v1alpha4' 'nodes:' \
        '- role: "a\e[31m"' '  extraPortMappings: [{listenAddress: "b\e[32m", hostPort: 1}]' >file.yaml
    run -1 plan file.yaml
    assert_equal "$(tr -d '[:print:]\n' <<<"$output")" ''
    assert_matches "$output" 'a\?\[31m'
}

@test "standard input and --help" {
    run -0 plan - <"$data/story.yaml"
    assert_matches "$output" '^-:7:5: node 0, control-plane: '
    run -0 plan --help
    assert_matches "$output" '--fail-on-warning'
}

@test "the manual names each warning, fate and key" {
    local page word count=0
    page=$(MANWIDTH=500 man -l "$root/docs/man/portwitness-plan.1" | col -bx
        MANWIDTH=500 man -l "$root/docs/man/portwitness-json.5" | col -bx | sed -n '/^PLAN/,/^STORM/p')
    while read -r word; do
        [[ $page =~ (^|[^[:alnum:]_-])$word($|[^[:alnum:]_-]) ]] || { echo "not mentioned: $word"; false; }
        count=$((count + 1))
    done < <(
        grep -oE 'warn\(search, "[a-z-]+"' "$root/harness/kind/warnings.c" | cut -d '"' -f 2
        sed -n '/mapping_fate_name/,/^}/s/.*= "\(.*\)".*/\1/p' "$root/harness/kind/mapping.c"
        grep -oE '_new\([a-z]+, *"[a-z_]+"' "$root/harness/kind/plan_json.c" | cut -d '"' -f 2
    )
    [ "$count" -ge 40 ]
}
