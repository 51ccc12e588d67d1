# The same as verbs.py, in Perl; it passes no descriptors.
use strict;
use warnings;
use Errno;
use Fcntl;
use POSIX ();
use Socket qw(:DEFAULT :addrinfo inet_pton IPPROTO_IP IPPROTO_IPV6 IPV6_V6ONLY SO_REUSEPORT IP_ADD_MEMBERSHIP
    pack_ip_mreq pack_sockaddr_in6 unpack_sockaddr_in6);

$^F = 9;    # descriptors are inherited, as in C
my %options = (
    reuseaddr => [SOL_SOCKET, SO_REUSEADDR, pack('i', 1)],
    reuseport => [SOL_SOCKET, SO_REUSEPORT, pack('i', 1)],
    v6only    => [IPPROTO_IPV6, IPV6_V6ONLY, pack('i', 1)],
);
my $group = pack_ip_mreq(inet_aton('224.0.0.99'), inet_aton('127.0.0.1'));
my %languages = (python => ['/usr/bin/python3', 'verbs.py'], c => ['./verbs'], perl => ['perl', 'verbs.pl']);
my %sockets;

sub endpoint {
    my ($address, $port) = @_;
    return $address =~ /:/ ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $address))
                           : pack_sockaddr_in($port, inet_aton($address));
}

sub port_of {
    my $name = getsockname($_[0]);
    return (sockaddr_family($name) == AF_INET6 ? unpack_sockaddr_in6($name) : unpack_sockaddr_in($name))[0];
}

sub new_socket {
    my ($protocol, $address) = @_;
    my $one;
    socket($one, $address =~ /:/ ? AF_INET6 : AF_INET, $protocol eq 'tcp' ? SOCK_STREAM : SOCK_DGRAM, 0) or die $!;
    return $one;
}

sub open_pipes {
    my ($name) = @_;
    POSIX::dup2(POSIX::open("$name.in", POSIX::O_RDONLY()), 0);
    POSIX::dup2(POSIX::open("$name.out", POSIX::O_RDWR()), 1);
}

# Each returns what to say after "ok", or nothing where the call failed.
my %verbs = (
    bind => sub {
        my ($name, $protocol, $address, $port, @options) = @_;
        my $one = new_socket($protocol, $address);
        for my $option (grep { $options{$_} } @options) {
            my ($level, $name, $value) = @{$options{$option}};
            setsockopt($one, $level, $name, $value) or return;
        }
        bind($one, endpoint($address, $port)) or return;
        if (grep { $_ eq 'group' } @options) { setsockopt($one, IPPROTO_IP, IP_ADD_MEMBERSHIP, $group) or return }
        $sockets{$name} = $one;
        return port_of($one);
    },
    listen  => sub { listen($sockets{$_[0]}, 8) ? '' : undef },
    connect => sub {
        my ($name, $address, $port) = @_;
        my $one = new_socket('tcp', $address);
        connect($one, endpoint($address, $port)) or return;
        $sockets{$name} = $one;
        return port_of($one);
    },
    accept => sub {
        my $one;
        accept($one, $sockets{$_[0]}) or return;
        $sockets{$_[1]} = $one;
        return '';
    },
    close => sub { close(delete $sockets{$_[0]}) ? '' : undef },
    fork  => sub {
        my $child = fork // return;
        return '' if $child;
        open_pipes($_[0]);
        return POSIX::getpid();
    },
    spawn => sub {
        my ($name, $language, $inherited) = @_;
        my $child = fork // return;
        return '' if $child;
        open_pipes($name);
        POSIX::dup2(fileno($sockets{$inherited}), 3) if $inherited;
        exec @{$languages{$language}}, $name;
    },
    given => sub { open($sockets{$_[0]}, '+<&=', 3) ? '' : undef },
    fill  => sub {
        my $last;
        while (defined(my $file = POSIX::open('/dev/null'))) { $last = $file }
        POSIX::close($last);
        return '';
    },
    exit  => sub { POSIX::_exit($_[0]) },
);

# Nothing may be read ahead: see verbs.py.
sub next_line {
    my $text = '';
    while (POSIX::read(0, my $byte, 1)) {
        return split ' ', $text if $byte eq "\n";
        $text .= $byte;
    }
    POSIX::_exit(0);
}

sub say_line { my $text = "@_\n"; POSIX::write(1, $text, length $text) }

say_line('ok', POSIX::getpid());
while (1) {
    my ($verb, @words) = next_line();
    my $answer = $verbs{$verb}->(@words);
    my ($error) = grep { $!{$_} } qw(EADDRINUSE EADDRNOTAVAIL ECONNREFUSED);
    say_line(defined $answer ? ('ok', $answer) : $error // "errno-" . ($! + 0));
}
