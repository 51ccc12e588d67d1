/* A child that runs below the eBPF programs, and what they report of it. */
#ifndef PORTWITNESS_UNIT_CAPTURE_EBPF_FIXTURE_H
#define PORTWITNESS_UNIT_CAPTURE_EBPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/capture/ebpf.h"

enum { EVENTS_MAX = 64 };

/* What the child says of itself. */
struct said {
    uint16_t port, other_port;
    pid_t keeper; /* a process that it leaves */
    pid_t other;
};

typedef void child_code(struct said *said);

static struct capture_ebpf capture;
static struct outside_event events[EVENTS_MAX];
static size_t count, flooded;
static size_t most = SIZE_MAX;    /* events that are taken when the child has ended */
static uint32_t left[EVENTS_MAX]; /* pids */
static size_t left_count;
static pid_t child;

static void keep(void *with, const struct outside_event *event) {
    (void)with;
    if (event->kind == OUTSIDE_LEFT && left_count < EVENTS_MAX)
        left[left_count++] = event->pid;
    if (event->process != NULL)
        return;
    flooded++;
    if (count < EVENTS_MAX)
        events[count++] = *event;
}

static struct said run_with(child_code *code, bool in_group) {
    int ends[2], gate[2];
    struct said said = {0};
    char byte = 0;
    assert_int_equal(pipe(ends) | pipe(gate), 0);
    count = 0;
    child = fork();
    if (child == 0) {
        if ((in_group && !capture_group_enter(&capture.group)) || read(gate[0], &byte, 1) != 1)
            _exit(1);
        code(&said);
        _exit(write(ends[1], &said, sizeof said) == sizeof said ? 0 : 1);
    }
    close(ends[1]); /* else the read would not end with a child that says nothing */
    assert_int_equal(write(gate[1], &byte, 1), 1);
    assert_int_equal(read(ends[0], &said, sizeof said), sizeof said);
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(gate[0]);
    close(gate[1]);
    capture_ebpf_take(&capture, most, keep, NULL);
    return said;
}

static struct said run(child_code *code) { return run_with(code, true); }

/* The nth event of the kind. */
static const struct outside_event *nth(enum outside_kind kind, unsigned n) {
    for (size_t i = 0; i < count; i++)
        if (events[i].kind == kind && n-- == 0)
            return &events[i];
    return NULL;
}

static const struct outside_event *only(enum outside_kind kind) {
    assert_non_null(nth(kind, 0));
    assert_null(nth(kind, 1));
    return nth(kind, 0);
}

static void must(bool condition) {
    if (!condition)
        _exit(2);
}

static struct sockaddr_in loopback(uint16_t port) {
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static uint16_t port_of(int file) {
    struct sockaddr_in6 address;
    socklen_t size = sizeof address;
    must(getsockname(file, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin6_port);
}

/* Not by bind(3): a sanitizer's own has no frame pointers. */
static int bound(int type, uint16_t port, int expected) {
    struct sockaddr_in address = loopback(port);
    int file = socket(AF_INET, type, 0);
    int got = syscall(SYS_bind, file, &address, sizeof address) == 0 ? 0 : errno;
    must(got == expected);
    return file;
}

#endif
