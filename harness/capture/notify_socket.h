/* A program's socket, looked at through a duplicate of its descriptor. */
#ifndef PORTWITNESS_CAPTURE_NOTIFY_SOCKET_H
#define PORTWITNESS_CAPTURE_NOTIFY_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "harness/capture/outside_event.h"

union notify_address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

/* Writes what does not change, its options and its local address into the event. false where it is
 * no TCP or UDP socket. */
bool notify_socket_look(int duplicate, struct outside_event *event);

/* The cookie alone; 0 where it is no socket. */
uint64_t notify_socket_cookie(int duplicate);

bool notify_socket_listens(int duplicate);

/* TCP_CLOSE and the like; -1 where it is none of TCP's. */
int notify_socket_state(int duplicate);

/* The local address as it is now; the port, 0 where it has none. */
uint16_t notify_socket_local(int duplicate, struct outside_event *event);

/* The address that it is connected to. false where it is not, or not yet. */
bool notify_socket_peer(int duplicate, struct outside_event *event);

/* An address in the form of an event. */
void notify_address_store(const union notify_address *address, uint8_t bytes[16], uint16_t *port,
                          uint32_t *scope);

/* Cookie of our own network namespace, 0: not known. */
uint64_t notify_own_netns(void);

/* Does a bind of this port take a capability in that network namespace
 * (net.ipv4.ip_unprivileged_port_start, ip(7))? true also where that is not known. */
bool notify_port_is_privileged(uint16_t port, uint64_t netns);

#endif
