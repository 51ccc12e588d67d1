/* The kernel has the last word on what it does. */
#include "harness/explain/kernel_player.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

enum { BACKLOG = 16, CONNECT_SECONDS = 2 };

bool kernel_player_keep_time_wait(void) {
    int file = open("/proc/sys/net/ipv4/tcp_tw_reuse", O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT;
    bool good = write(file, "0\n", 2) == 2;
    int error = errno;
    close(file);
    errno = error;
    return good;
}

void kernel_player_begin(struct kernel_player *player, const struct operation_names *names) {
    *player = (struct kernel_player){.names = names, .range = -1, .reserved = -1};
    for (unsigned i = 0; i < OPERATION_SOCKETS_MAX; i++)
        player->fd[i] = -1;
}

static int write_setting(int *file, const char *path, const char *text) {
    if (*file < 0)
        *file = open(path, O_WRONLY | O_CLOEXEC);
    return *file < 0 || pwrite(*file, text, strlen(text), 0) < 0 ? errno : 0;
}

static int set_system(struct kernel_player *player, const struct operation *operation) {
    char text[32] = "\n";
    if (operation->kind == OPERATION_RANGE) {
        snprintf(text, sizeof text, "%u %u\n", operation->low, operation->high);
        return write_setting(&player->range, "/proc/sys/net/ipv4/ip_local_port_range", text);
    }
    if (operation->low != 0)
        snprintf(text, sizeof text, "%u-%u\n", operation->low, operation->high);
    return write_setting(&player->reserved, "/proc/sys/net/ipv4/ip_local_reserved_ports", text);
}

static socklen_t to_address(const struct operation *operation, struct sockaddr_storage *storage) {
    memset(storage, 0, sizeof *storage);
    if (operation->address.family6) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)storage;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(operation->port);
        memcpy(&six->sin6_addr, operation->address.bytes, 16);
        return sizeof *six;
    }
    struct sockaddr_in *four = (struct sockaddr_in *)storage;
    four->sin_family = AF_INET;
    four->sin_port = htons(operation->port);
    memcpy(&four->sin_addr, operation->address.bytes, 4);
    return sizeof *four;
}

static int set_number(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : errno;
}

static int set_device(const struct kernel_player *player, int fd, uint32_t device) {
    char name[OPERATION_NAME_SIZE] = "";
    if (device != 0 && player->names != NULL && device <= player->names->devices)
        snprintf(name, sizeof name, "%s", player->names->device[device - 1]);
    else if (device != 0)
        snprintf(name, sizeof name, "dummy%u", device - 1);
    return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) == 0 ? 0
                                                                                           : errno;
}

static int make_socket(struct kernel_player *player, const struct operation *operation) {
    const struct timeval timeout = {.tv_sec = CONNECT_SECONDS};
    int fd = socket(operation->family6 ? AF_INET6 : AF_INET,
                    (operation->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    player->fd[operation->socket] = fd;
    return 0;
}

static int call(struct kernel_player *player, const struct operation *operation) {
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    struct sockaddr_storage address;
    socklen_t length = to_address(operation, &address);
    int fd = player->fd[operation->socket];
    int result = 0;
    switch (operation->kind) {
    case OPERATION_REUSEADDR:
        return set_number(fd, SOL_SOCKET, SO_REUSEADDR, operation->value);
    case OPERATION_REUSEPORT:
        return set_number(fd, SOL_SOCKET, SO_REUSEPORT, operation->value);
    case OPERATION_V6ONLY:
        return set_number(fd, IPPROTO_IPV6, IPV6_V6ONLY, operation->value);
    case OPERATION_NO_PORT:
        return set_number(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, operation->value);
    case OPERATION_PORTS:
        return set_number(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE,
                          (int)((uint32_t)operation->high << 16 | operation->low));
    case OPERATION_DEVICE:
        return set_device(player, fd, operation->device);
    case OPERATION_BIND:
        result = bind(fd, (const struct sockaddr *)&address, length);
        break;
    case OPERATION_LISTEN:
        result = listen(fd, BACKLOG);
        break;
    case OPERATION_CONNECT:
        result = connect(fd, (const struct sockaddr *)&address, length);
        break;
    case OPERATION_DISCONNECT:
        result = connect(fd, &none, sizeof none);
        break;
    case OPERATION_SHUTDOWN:
        result = shutdown(fd, SHUT_RDWR);
        break;
    default:
        return ENOSYS;
    }
    return result == 0 ? 0 : errno;
}

static uint16_t port_of(int fd) {
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof address;
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        return 0;
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

int kernel_player_apply(struct kernel_player *player, const struct operation *operation,
                        uint16_t *port) {
    int *fd = &player->fd[operation->socket];
    *port = 0;
    if (operation->kind == OPERATION_RANGE || operation->kind == OPERATION_RESERVED)
        return set_system(player, operation);
    if (operation->kind == OPERATION_CLOSE || operation->kind == OPERATION_SOCKET) {
        if (*fd < 0 && operation->kind == OPERATION_CLOSE)
            return EBADF;
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
        if (operation->kind == OPERATION_CLOSE)
            return 0;
        player->uid[operation->socket] = operation->uid;
    } else if (*fd < 0) {
        return EBADF;
    }
    uint32_t uid = player->uid[operation->socket];
    bool changed = uid != 0 && seteuid(uid) == 0;
    int error = operation->kind == OPERATION_SOCKET ? make_socket(player, operation)
                                                    : call(player, operation);
    if (changed && seteuid(0) != 0)
        return EPERM;
    *port = port_of(*fd);
    return error;
}

void kernel_player_end(struct kernel_player *player) {
    for (unsigned i = 0; i < OPERATION_SOCKETS_MAX; i++)
        if (player->fd[i] >= 0)
            close(player->fd[i]);
    if (player->range >= 0)
        close(player->range);
    if (player->reserved >= 0)
        close(player->reserved);
}
