/* The kernel's table (sock_diag) has sockets with their inodes; /proc has the processes whose
 * descriptors lead there. Both are looked at only when a port is not free. */
#include "harness/system/port_holders.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATE_LISTEN = 10, STATE_BOUND_INACTIVE = 13 };

struct table_search {
    const struct listen_address *address;
    uint16_t port;
    struct port_check *check;
    uint32_t inodes[PORT_HOLDERS_MAX]; /* of each holder */
};

const char *port_state_name(unsigned state, const char *protocol) {
    static const char *const names[] = {"unknown",    "established", "syn-sent",  "syn-received",
                                        "fin-wait-1", "fin-wait-2",  "time-wait", "bound",
                                        "close-wait", "last-ack",    "listening", "closing",
                                        "new",        "bound"};

    /* The kernel keeps UDP sockets in states of TCP. */
    if (strcmp(protocol, "UDP") == 0)
        return state == 1 ? "connected" : "bound";
    return state < sizeof names / sizeof *names ? names[state] : names[0];
}

static struct listen_address table_address(unsigned family, const uint32_t source[4]) {
    struct listen_address address = {.valid = true};

    if (family == AF_INET) {
        address.bytes[10] = address.bytes[11] = 0xff;
        memcpy(address.bytes + 12, source, 4);
    } else {
        memcpy(address.bytes, source, 16);
    }
    return address;
}

/* Does a socket on `held` stand against a bind to `wanted`? */
static bool stands_against(const struct listen_address *held, bool only_v6,
                           const struct listen_address *wanted) {
    bool wants_v4 = listen_address_is_v4(wanted);

    if (listen_address_is_any_v6(held) && wants_v4)
        return !only_v6;
    if (listen_address_is_v4(held) != wants_v4)
        return false;
    return listen_address_equal(held, wanted) || listen_address_is_any_v4(held) ||
           listen_address_is_any_v6(held) || listen_address_is_any_v4(wanted) ||
           listen_address_is_any_v6(wanted);
}

static int note_only_v6(const struct nlattr *attribute, void *data) {
    if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY)
        *(bool *)data = mnl_attr_get_u8(attribute) != 0;
    return MNL_CB_OK;
}

static int note_socket(const struct nlmsghdr *header, void *data) {
    struct table_search *search = data;
    const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
    struct port_check *check = search->check;
    struct listen_address held = table_address(message->idiag_family, message->id.idiag_src);
    struct port_holder *holder;
    bool only_v6 = false;

    if (ntohs(message->id.idiag_sport) != search->port)
        return MNL_CB_OK;
    mnl_attr_parse(header, sizeof *message, note_only_v6, &only_v6);
    if (!stands_against(&held, only_v6, search->address) || check->holder_count == PORT_HOLDERS_MAX)
        return MNL_CB_OK;
    search->inodes[check->holder_count] = message->idiag_inode;
    holder = &check->holders[check->holder_count++];
    *holder = (struct port_holder){
        .uid = message->idiag_uid, .state = message->idiag_state, .address = held};
    return MNL_CB_OK;
}

static void search_table(struct mnl_socket *netlink, unsigned family, unsigned protocol,
                         unsigned states, struct table_search *search) {
    char buffer[16384];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    struct inet_diag_req_v2 *request;
    ssize_t length;

    header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = 1;
    request = mnl_nlmsg_put_extra_header(header, sizeof *request);
    request->sdiag_family = (uint8_t)family;
    request->sdiag_protocol = (uint8_t)protocol;
    request->idiag_states = states;
    if (mnl_socket_sendto(netlink, header, header->nlmsg_len) < 0)
        return;
    while ((length = mnl_socket_recvfrom(netlink, buffer, sizeof buffer)) > 0)
        if (mnl_cb_run(buffer, (size_t)length, 1, mnl_socket_get_portid(netlink), note_socket,
                       search) <= MNL_CB_STOP)
            return;
}

/* Does a descriptor of this folder lead to the socket? */
static bool has_descriptor(int folder, uint32_t inode) {
    char wanted[32];
    char target[32];
    const struct dirent *entry;
    bool found = false;
    DIR *descriptors;
    int copy = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (copy < 0)
        return false;
    descriptors = fdopendir(copy);
    if (descriptors == NULL) {
        close(copy);
        return false;
    }
    snprintf(wanted, sizeof wanted, "socket:[%u]", inode);
    while (!found && (entry = readdir(descriptors)) != NULL) {
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);

        if (length < 0)
            continue;
        target[length] = '\0';
        found = strcmp(target, wanted) == 0;
    }
    closedir(descriptors);
    return found;
}

static void read_program(int folder, struct port_holder *holder) {
    int file = openat(folder, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t length;

    if (file < 0)
        return;
    length = read(file, holder->program, sizeof holder->program - 1);
    close(file);
    if (length > 0 && holder->program[length - 1] == '\n')
        holder->program[length - 1] = '\0';
}

/* The first process found is named; others may have the socket as well. */
static void name_processes(struct table_search *search) {
    const struct dirent *entry;
    DIR *processes = opendir("/proc");

    if (processes == NULL)
        return;
    while ((entry = readdir(processes)) != NULL) {
        int folder;

        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        folder = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            continue;
        for (unsigned i = 0; i < search->check->holder_count; i++) {
            struct port_holder *holder = &search->check->holders[i];

            if (holder->pid != 0 || search->inodes[i] == 0 ||
                !has_descriptor(folder, search->inodes[i]))
                continue;
            holder->pid = (uint32_t)strtoul(entry->d_name, NULL, 10);
            read_program(folder, holder);
        }
        close(folder);
    }
    closedir(processes);
}

void port_holders_find(const struct listen_address *address, const char *protocol, uint16_t port,
                       struct port_check *check) {
    struct table_search search = {.address = address, .port = port, .check = check};
    unsigned number = strcmp(protocol, "UDP") == 0    ? IPPROTO_UDP
                      : strcmp(protocol, "SCTP") == 0 ? IPPROTO_SCTP
                                                      : IPPROTO_TCP;
    struct mnl_socket *netlink = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);

    if (netlink == NULL)
        return;
    if (mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0) {
        /* Those that listen go first, since there may be more connections than room. Sockets that
         * are bound and no more are a state of their own since Linux 6.8. */
        static const unsigned states[] = {1u << STATE_LISTEN, 1u << STATE_BOUND_INACTIVE,
                                          ~(1u << STATE_LISTEN | 1u << STATE_BOUND_INACTIVE)};

        for (unsigned i = 0; i < sizeof states / sizeof *states; i++) {
            search_table(netlink, AF_INET, number, states[i], &search);
            search_table(netlink, AF_INET6, number, states[i], &search);
        }
    }
    mnl_socket_close(netlink);
    name_processes(&search);
}
