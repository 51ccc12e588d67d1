/*
 * The shim sees a connection to a daemon's socket (shim/calls/connect.c). Docker's client is
 * written in Go and goes past it, and no means here reports connections of Unix sockets; so its
 * name has to do. Podman has no daemon, and kind and compose start docker.
 */
#include "harness/run/daemon_client.h"

#include <stddef.h>
#include <string.h>

#include "harness/base/path_last.h"

bool daemon_client_is(const char *program) {
    static const char *const names[] = {"docker", "nerdctl"};
    const char *name = path_last(program);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}
