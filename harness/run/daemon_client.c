/*
 * The shim sees a connection to a daemon's socket (shim/calls/connect.c). Docker's client is
 * written in Go and goes past it, and no means here reports connections of Unix sockets; so its
 * name has to do. Podman has no daemon, and kind and compose start docker.
 */
#include "harness/run/daemon_client.h"

#include <stddef.h>
#include <string.h>

#include "shim/shared/recorder.h"

bool daemon_client_is(const char *program) {
    static const char *const names[] = {"docker", "nerdctl"};
    const char *slash = strrchr(program, '/');
    const char *name = slash != NULL ? slash + 1 : program;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

void daemon_client_record(uint32_t pid, const char *program) {
    size_t length = strlen(program);
    unsigned units = record_text_units(length, PW_RECORD_UNITS_MAX - 2);
    struct record record;
    if (!record_begin(&record, PW_KIND_BLIND_SPOT, 2 + units, 0, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[1].numbers.code = PW_BLIND_CONTAINER;
    record.units[1].numbers.number[0] = pid;
    if (!record_text(&record, 2, program, length))
        record.units[0].start.flags |= PW_FLAG_TEXT_CUT;
    record_commit(&record, 0);
}
