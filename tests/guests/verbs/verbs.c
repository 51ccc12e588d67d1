/* The same as verbs.py, in C. Descriptors are inherited unless something is done about it, as in
 * most programs in C. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_SOCKETS = 16, MOST_WORDS = 10, NAME_ROOM = 32 };

static struct named_socket {
    char name[NAME_ROOM];
    int descriptor;
} sockets[MOST_SOCKETS];
static int mailbox_descriptor;

union endpoint {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static struct named_socket *find_socket(const char *name) {
    int i = 0;
    while (i < MOST_SOCKETS - 1 && strcmp(sockets[i].name, name) != 0)
        i++;
    return &sockets[i];
}

static int descriptor_of(const char *name) { return find_socket(name)->descriptor; }

static int keep_socket(const char *name, int descriptor) {
    struct named_socket *room = find_socket("");
    snprintf(room->name, NAME_ROOM, "%s", name);
    room->descriptor = descriptor;
    return 0;
}

static socklen_t to_endpoint(union endpoint *end, const char *address, const char *port) {
    *end = (union endpoint){0};
    bool six = strchr(address, ':') != NULL;
    end->any.sa_family = six ? AF_INET6 : AF_INET;
    inet_pton(end->any.sa_family, address,
              six ? (void *)&end->six.sin6_addr : (void *)&end->four.sin_addr);
    in_port_t number = htons((uint16_t)strtol(port, NULL, 10));
    if (six)
        end->six.sin6_port = number;
    else
        end->four.sin_port = number;
    return six ? sizeof end->six : sizeof end->four;
}

static int port_of(int descriptor) {
    union endpoint end = {0};
    socklen_t length = sizeof end;
    if (getsockname(descriptor, &end.any, &length) != 0)
        return -1;
    return ntohs(end.any.sa_family == AF_INET6 ? end.six.sin6_port : end.four.sin_port);
}

static int set_option(int descriptor, const char *option) {
    int on = 1;
    if (strcmp(option, "reuseaddr") == 0)
        return setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (strcmp(option, "reuseport") == 0)
        return setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (strcmp(option, "v6only") == 0)
        return setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return 0;
}

static int join_group(int descriptor, char **options) {
    struct ip_mreq group;
    inet_pton(AF_INET, "224.0.0.99", &group.imr_multiaddr);
    inet_pton(AF_INET, "127.0.0.1", &group.imr_interface);
    for (int i = 0; options[i] != NULL; i++)
        if (strcmp(options[i], "group") == 0)
            return setsockopt(descriptor, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
    return 0;
}

/* bind NAME PROTOCOL ADDRESS PORT OPTION...: returns the port. */
static int do_bind(char **words) {
    union endpoint end;
    socklen_t length = to_endpoint(&end, words[3], words[4]);
    int type = strcmp(words[2], "tcp") == 0 ? SOCK_STREAM : SOCK_DGRAM;
    int descriptor = socket(end.any.sa_family, type, 0);
    int result = 0;
    for (int i = 5; words[i] != NULL && result == 0; i++)
        result = set_option(descriptor, words[i]);
    if (result == 0)
        result = bind(descriptor, &end.any, length);
    if (result == 0)
        result = join_group(descriptor, words + 5);
    if (result != 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    keep_socket(words[1], descriptor);
    return port_of(descriptor);
}

/* connect NAME ADDRESS PORT: returns the source port. */
static int do_connect(char **words) {
    union endpoint end;
    socklen_t length = to_endpoint(&end, words[2], words[3]);
    int descriptor = socket(end.any.sa_family, SOCK_STREAM, 0);
    if (connect(descriptor, &end.any, length) != 0) {
        int error = errno;
        close(descriptor);
        errno = error;
        return -1;
    }
    keep_socket(words[1], descriptor);
    return port_of(descriptor);
}

static int do_listen(char **words) { return listen(descriptor_of(words[1]), 8); }

/* accept LISTENER NAME */
static int do_accept(char **words) {
    int descriptor = accept(descriptor_of(words[1]), NULL, NULL);
    return descriptor < 0 ? -1 : keep_socket(words[2], descriptor);
}

static int do_close(char **words) {
    struct named_socket *closed = find_socket(words[1]);
    closed->name[0] = '\0';
    return close(closed->descriptor);
}

static void open_pipes(const char *name) {
    char path[NAME_ROOM + 8];
    snprintf(path, sizeof path, "%s.in", name);
    dup2(open(path, O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    snprintf(path, sizeof path, "%s.out", name);
    dup2(open(path, O_RDWR | O_CLOEXEC), STDOUT_FILENO);
}

/* fork NAME: the child goes on under that name and answers with its process id. */
static int do_fork(char **words) {
    pid_t child = fork();
    if (child != 0)
        return child < 0 ? -1 : 0;
    open_pipes(words[1]);
    return getpid();
}

/* spawn NAME LANGUAGE [SOCKET]: the program has the socket as its descriptor 3. */
static int do_spawn(char **words) {
    pid_t child = fork();
    if (child != 0)
        return child < 0 ? -1 : 0;
    open_pipes(words[1]);
    if (words[3] != NULL)
        dup2(descriptor_of(words[3]), 3);
    if (strcmp(words[2], "python") == 0)
        execl("/usr/bin/python3", "python3", "verbs.py", words[1], (char *)NULL);
    else if (strcmp(words[2], "perl") == 0)
        execlp("perl", "perl", "verbs.pl", words[1], (char *)NULL);
    else
        execl("./verbs", "./verbs", words[1], (char *)NULL);
    _exit(127);
}

static int do_given(char **words) { return keep_socket(words[1], 3); }

static struct sockaddr_un to_path(const char *path) {
    struct sockaddr_un end = {.sun_family = AF_UNIX};
    snprintf(end.sun_path, sizeof end.sun_path, "%s", path);
    return end;
}

/* mailbox PATH: where descriptors are received. */
static int do_mailbox(char **words) {
    struct sockaddr_un end = to_path(words[1]);
    mailbox_descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
    return bind(mailbox_descriptor, (struct sockaddr *)&end, sizeof end);
}

union control {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

/* send SOCKET PATH */
static int do_send(char **words) {
    struct sockaddr_un end = to_path(words[2]);
    char byte = 'x';
    struct iovec part = {&byte, 1};
    union control control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                       .cmsg_level = SOL_SOCKET,
                                       .cmsg_type = SCM_RIGHTS}};
    int descriptor = descriptor_of(words[1]);
    memcpy(CMSG_DATA(&control.align), &descriptor, sizeof descriptor);
    struct msghdr message = {.msg_name = &end,
                             .msg_namelen = sizeof end,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int way = socket(AF_UNIX, SOCK_DGRAM, 0);
    ssize_t sent = sendmsg(way, &message, 0);
    close(way);
    return sent == 1 ? 0 : -1;
}

/* receive NAME */
static int do_receive(char **words) {
    char byte;
    struct iovec part = {&byte, 1};
    union control control;
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    if (recvmsg(mailbox_descriptor, &message, 0) != 1)
        return -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(&control.align), sizeof descriptor);
    return keep_socket(words[1], descriptor);
}

/* fill: opens files until there is room for one descriptor more. */
static int do_fill(char **words) {
    (void)words;
    int last = -1;
    for (int file = 0; file >= 0; file = open("/dev/null", O_RDONLY))
        last = file;
    return close(last);
}

static int do_exit(char **words) { _exit((int)strtol(words[1], NULL, 10)); }

static const struct {
    const char *name;
    int (*call)(char **words);
} verbs[] = {{"bind", do_bind},     {"listen", do_listen},   {"connect", do_connect},
             {"accept", do_accept}, {"close", do_close},     {"fork", do_fork},
             {"spawn", do_spawn},   {"given", do_given},     {"mailbox", do_mailbox},
             {"send", do_send},     {"receive", do_receive}, {"fill", do_fill},
             {"exit", do_exit}};

/* Reads no byte ahead, since descriptor 0 is another pipe after a fork. */
static bool read_line(char *line, size_t room) {
    for (size_t length = 0; length < room; length++) {
        if (read(STDIN_FILENO, &line[length], 1) != 1)
            return false;
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
    }
    return false;
}

static void obey(char *line) {
    char *words[MOST_WORDS + 1] = {0};
    int count = 0;
    for (char *word = strtok(line, " "); word != NULL && count < MOST_WORDS;
         word = strtok(NULL, " "))
        words[count++] = word;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verbs[i].name, words[0]) != 0)
            continue;
        int result = verbs[i].call(words);
        if (result < 0)
            dprintf(STDOUT_FILENO, "%s\n", strerrorname_np(errno));
        else
            dprintf(STDOUT_FILENO, "ok %d\n", result);
    }
}

int main(void) {
    char line[256];
    dprintf(STDOUT_FILENO, "ok %d\n", getpid());
    while (read_line(line, sizeof line))
        obey(line);
    return 0;
}
