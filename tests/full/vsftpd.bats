# vsftpd, which puts a seccomp filter that kills on each process of a session.
# shellcheck disable=SC2154,SC2034 # variables of real.bash, and those for it

setup() {
    load real
    real_setup
    needs vsftpd curl
}

teardown() { real_teardown; }

# configure LINE...: besides these lines, an anonymous server on a port of its own.
configure() {
    mkdir -m 755 empty ftp
    echo 'the file' >ftp/file.txt
    seq 100000 >ftp/large.txt
    {
        printf '%s\n' listen=YES background=NO listen_address=127.0.0.1 listen_port=18021 \
            anonymous_enable=YES local_enable=NO xferlog_enable=NO "anon_root=$work/ftp" \
            "secure_chroot_dir=$work/empty" "$@"
    } >vsftpd.conf
}

# With Debian's C library the filter kills the session as soon as it looks at a file, bare as well:
# what comes before works, connections for data included.
session() {
    configure seccomp_sandbox=YES
    serve 18021 /usr/sbin/vsftpd "$work/vsftpd.conf"
    cat >session.py <<'PYTHON'
import ftplib, socket
ftp = ftplib.FTP()
print(ftp.connect("127.0.0.1", 18021, timeout=60))
print(ftp.login())
print(ftp.pwd(), ftp.sendcmd("TYPE I"), ftp.sendcmd("FEAT"))
for number in range(5):
    with socket.create_connection(ftp.makepasv(), timeout=60) as data:
        print("passive", data.getpeername()[0])
with ftp.makeport() as listener:
    print("active", listener.getsockname()[0])
print(ftp.sendcmd("NOOP"))
try:
    print(ftp.size("file.txt"))
except (EOFError, ftplib.error_perm) as error:
    # How much of its complaint is sent depends on which process ends first.
    print("size:", str(error)[:9] or "500 OOPS:")
with ftplib.FTP() as again:
    again.connect("127.0.0.1", 18021, timeout=60)
    print(again.login(), again.quit())
PYTHON
    answer "$python" session.py
    served
    cat server.log
}

transfers() {
    configure seccomp_sandbox=NO connect_from_port_20="$1"
    serve 18021 /usr/sbin/vsftpd "$work/vsftpd.conf"
    local way
    for way in --ftp-pasv --disable-epsv --ftp-port=127.0.0.1; do
        [ "$way" != --ftp-port=127.0.0.1 ] || way='--ftp-port 127.0.0.1'
        # shellcheck disable=SC2086 # an option and its word
        answer curl -sS $way ftp://127.0.0.1:18021/file.txt
        # shellcheck disable=SC2086
        answer curl -sS $way ftp://127.0.0.1:18021/large.txt | cksum
    done
    served
    cat server.log
}
transfers_from_20() { transfers YES; }
transfers_from_any() { transfers NO; }

@test "vsftpd in its sandbox: logins and connections for data" {
    under_all session 'Login successful'
    recorded_port 18021
}

@test "vsftpd gives files by passive and active connections" {
    under_all transfers_from_any 'the file'
    recorded_port 18021
}

@test "vsftpd gives files from port 20" {
    under_all transfers_from_20 'the file'
    recorded_port 20
}
