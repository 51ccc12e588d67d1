# A program that does with sockets what it is told, a line at a time, and answers each line with "ok" or
# the name of an error. verbs.c, verbs.pl and verbs.js answer to the same words; README.md has them.
import errno, os, socket, subprocess, sys

OPTIONS = {"reuseaddr": (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
           "reuseport": (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1),
           "v6only": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)}
GROUP = socket.inet_aton("224.0.0.99") + socket.inet_aton("127.0.0.1")
LANGUAGES = {"python": ["/usr/bin/python3", "verbs.py"], "c": ["./verbs"], "perl": ["perl", "verbs.pl"]}
sockets = {}


def new_socket(protocol, address):
    return socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                         socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM)


def bind(name, protocol, address, port, *options):
    one = new_socket(protocol, address)
    for option in set(options) & set(OPTIONS):
        one.setsockopt(*OPTIONS[option])
    one.bind((address, int(port)))
    if "group" in options:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, GROUP)
    sockets[name] = one
    return one.getsockname()[1]


def connect(name, address, port):
    one = new_socket("tcp", address)
    one.connect((address, int(port)))
    sockets[name] = one
    return one.getsockname()[1]


def accept(listener, name):
    sockets[name], _ = sockets[listener].accept()


def pipes(name):
    return open(name + ".in", "rb", 0), open(name + ".out", "r+b", 0)


def fork(name):
    if os.fork():
        return None
    told, says = pipes(name)
    os.dup2(told.fileno(), 0)
    os.dup2(says.fileno(), 1)
    return os.getpid()


# The program that is started has the socket as its descriptor 3.
def spawn(name, language, inherited=None):
    told, says = pipes(name)
    keep = ()
    if inherited:
        os.dup2(sockets[inherited].fileno(), 3)
        keep = (3,)
    subprocess.Popen(LANGUAGES[language] + [name], stdin=told, stdout=says, pass_fds=keep)


def given(name):
    sockets[name] = socket.socket(fileno=3)


def mailbox(path):
    sockets["mailbox"] = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sockets["mailbox"].bind(path)


def send(name, path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as way:
        way.connect(path)
        socket.send_fds(way, [b"x"], [sockets[name].fileno()])


def receive(name):
    _, (one,), _, _ = socket.recv_fds(sockets["mailbox"], 1, 1)
    sockets[name] = socket.socket(fileno=one)


# Until there is room for one descriptor more.
def fill():
    files = []
    try:
        while True:
            files.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        os.close(files[-1])


def end(status):
    os._exit(int(status))


VERBS = {"bind": bind, "listen": lambda name: sockets[name].listen(), "connect": connect, "accept": accept,
         "close": lambda name: sockets.pop(name).close(), "fork": fork, "spawn": spawn, "given": given,
         "mailbox": mailbox, "send": send, "receive": receive, "fill": fill, "exit": end}


# Descriptors 0 and 1 are other pipes after a fork, so nothing may be read ahead.
def line():
    text = b""
    while not text.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit(0)
        text += byte
    return text.decode().split()


def say(*words):
    os.write(1, (" ".join(str(word) for word in words if word is not None) + "\n").encode())


say("ok", os.getpid())
while True:
    verb, *words = line()
    try:
        say("ok", VERBS[verb](*words))
    except OSError as error:
        say(errno.errorcode[error.errno])
