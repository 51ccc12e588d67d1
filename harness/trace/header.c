/* The header is checked field by field before anything is computed from it, so that any file at all
 * can be given to us and the message says what is wrong with it. */
#include "harness/trace/header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/message.h"

#define OTHER_BYTE_ORDER 0x04030201u

__attribute__((format(printf, 2, 3))) static bool refuse(struct trace_reader_problem *problem,
                                                         const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    message_put(problem->what, sizeof problem->what, format, arguments);
    va_end(arguments);
    return false;
}

size_t header_read_at(int file, void *buffer, size_t size, off_t offset) {
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(file, (char *)buffer + done, size - done, offset + (off_t)done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

uint64_t header_units_taken(const struct pw_header *header) {
    uint64_t room = (header->capacity - header->units_offset) / PW_UNIT_SIZE;
    uint64_t taken = atomic_load_explicit(&header->next_unit, memory_order_relaxed);

    return taken < room ? taken : room;
}

static bool sizes_are_plausible(const struct pw_header *header) {
    if (header->units_offset < PW_HEADER_SIZE || header->units_offset % PW_UNIT_SIZE != 0)
        return false;
    if (header->capacity < header->units_offset || header->capacity > (UINT64_C(1) << 62))
        return false;
    if (header->policy_size == 0)
        return true;
    return header->policy_offset >= PW_HEADER_SIZE &&
           (uint64_t)header->policy_offset + header->policy_size <= header->units_offset;
}

bool header_check(int file, off_t size, struct pw_header *header,
                  struct trace_reader_problem *problem) {
    size_t got;

    if (size == 0)
        return refuse(problem, "is empty");
    errno = 0;
    got = header_read_at(file, header, sizeof *header, 0);
    if (got < sizeof *header && errno != 0)
        return refuse(problem, "cannot be read: %s", strerror(errno));
    if (memcmp(header->magic, PW_MAGIC, got < sizeof header->magic ? got : sizeof header->magic))
        return refuse(problem, "is not a portwitness trace");
    if (got < PW_HEADER_SIZE && (got < sizeof *header || size < (off_t)PW_HEADER_SIZE))
        return refuse(problem, "is cut off inside its header, after %zu bytes", (size_t)size);
    if (header->byte_order == OTHER_BYTE_ORDER)
        return refuse(problem, "was written on a machine of the other byte order");
    if (header->byte_order != PW_BYTE_ORDER)
        return refuse(problem, "has a damaged header: no byte order mark");
    if (header->version != PW_VERSION)
        return refuse(problem, "is a trace of version %" PRIu32 ", this program reads version %u",
                      header->version, PW_VERSION);
    if (header->unit_size != PW_UNIT_SIZE)
        return refuse(problem, "has a damaged header: units of %" PRIu32 " bytes",
                      header->unit_size);
    if (header->features & ~PW_FEATURES_KNOWN)
        return refuse(problem, "needs features that this program does not know: %#" PRIx64,
                      header->features & ~PW_FEATURES_KNOWN);
    if (!sizes_are_plausible(header))
        return refuse(problem, "has a damaged header: its sizes contradict each other");
    if (header_units_taken(header) > 0 && size < (off_t)header->units_offset + PW_UNIT_SIZE)
        return refuse(problem, "is cut off before its first record");
    header->policy[sizeof header->policy - 1] = '\0';
    header->host_id[sizeof header->host_id - 1] = '\0';
    header->no_ebpf[sizeof header->no_ebpf - 1] = '\0';
    return true;
}
