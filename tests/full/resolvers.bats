# BIND's server and its four clients.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    needs named dig host nslookup delv
}

teardown() { real_teardown; }

zone() {
    cat >named.conf <<CONF
options {
    directory "$work";
    pid-file none;
    session-keyfile "$work/session.key";
    managed-keys-directory "$work";
    listen-on port 15300 { 127.0.0.1; };
    listen-on-v6 port 15300 { ::1; };
    allow-transfer { any; };
    recursion no;
    dnssec-validation no;
};
controls { };
zone "example.test" { type master; file "example.zone"; };
CONF
    cat >example.zone <<'ZONE'
$TTL 300
@     IN SOA ns.example.test. root.example.test. 1 3600 600 86400 300
      IN NS  ns
      IN MX  10 mail
ns    IN A   127.0.0.1
mail  IN A   192.0.2.1
mail  IN AAAA 2001:db8::1
text  IN TXT "some words"
alias IN CNAME mail
ZONE
}

# What differs from question to question.
unique() { sed -E '/Query time|WHEN|COOKIE/d; s/id: [0-9]+/id: N/'; }

questions() {
    zone
    serve 15300 named -g -n 2 -c "$work/named.conf"
    until_true grep -q ' running$' server.log
    local name kind
    for name in alias text nothing; do
        for kind in A ANY; do
            answer dig -p 15300 @127.0.0.1 "$name.example.test" "$kind" | unique
            answer dig -p 15300 @::1 +tcp +short "$name.example.test" "$kind"
        done
        answer host -p 15300 "$name.example.test" 127.0.0.1
        answer nslookup -port=15300 "$name.example.test" 127.0.0.1
        answer delv -i -p 15300 @127.0.0.1 "$name.example.test"
    done
    answer dig -p 15300 @127.0.0.1 example.test AXFR | unique
    answer dig -p 15301 @127.0.0.1 +tries=1 +time=5 mail.example.test
    answer host -t MX -T -p 15300 example.test ::1
    served
    grep -Eic 'assert|fatal|unexpected|failed' server.log || :
}

@test "named answers dig, host, nslookup and delv" {
    under_all questions 'status: NOERROR'
    recorded_port 15300
}

@test "named and its clients as an ordinary user" {
    as=("${nobody[@]}")
    under_all questions 'status: NOERROR'
    recorded_port 15300
}
