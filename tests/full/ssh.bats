# OpenSSH: its server's child before the login is in a seccomp sandbox that kills.
# shellcheck disable=SC2154,SC2016 # variables of real.bash, those of the shell at the other end

setup() {
    load real
    real_setup
    needs sshd ssh scp ssh-keygen
}

teardown() { real_teardown; }

keys() {
    ssh-keygen -q -t ed25519 -N '' -f host_key
    ssh-keygen -q -t ed25519 -N '' -f user_key
    cp user_key.pub authorized
    mkdir /run/sshd
    cat >sshd_config <<CONF
Port 18022
ListenAddress 127.0.0.1
HostKey $work/host_key
AuthorizedKeysFile $work/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
CONF
    cat >ssh_config <<CONF
Host here
    HostName 127.0.0.1
    Port 18022
    User root
    IdentitiesOnly yes
    BatchMode yes
    StrictHostKeyChecking no
    UserKnownHostsFile $work/known_hosts
    LogLevel ERROR
CONF
}

logins() {
    keys
    serve 18022 /usr/sbin/sshd -D -e -f "$work/sshd_config"
    answer ssh -F ssh_config -i user_key here 'echo hello; id -u; exit 7'
    answer ssh -F ssh_config -i user_key here 'echo "$SSH_CONNECTION" | cut -d" " -f1,3,4; kill -9 $$'
    ssh-keygen -q -t ed25519 -N '' -f other_key
    answer ssh -F ssh_config -i other_key here true
    # The server gives a port of the kernel's choice for the way back.
    answer ssh -F ssh_config -i user_key -o LogLevel=INFO -R 0:127.0.0.1:1 here true 2>&1 |
        sed -E 's/port [0-9]+ for/port N for/'
    seq 100000 >sent
    answer scp -F ssh_config -i user_key sent "here:$work/there"
    answer scp -F ssh_config -i user_key "here:$work/there" back
    cmp sent back && echo 'the same came back'
    served
    sed -E 's/port [0-9]+/port N/; s/SHA256:.*/KEY/' server.log | sort
}

@test "sshd lets in, runs a command, forwards a port, and takes and gives a file" {
    under_all logins 'the same came back'
    recorded_port 18022
}
