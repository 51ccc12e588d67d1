/* The kernel's notices of sockets that end come in any run: calls and starts alone show a means. */
#include "harness/trace/seen_by.h"

static bool is_own(unsigned kind) {
    return kind == PW_KIND_PROCESS_START || kind == PW_KIND_ADDRESS_READ ||
           (kind >= PW_KIND_BIND && kind <= PW_KIND_AUTOBIND);
}

unsigned seen_by_record(const struct trace_record *record) {
    if (record->process == 0)
        return 0;
    if (record->source == PW_SOURCE_SHIM)
        return SEEN_BY_SHIM;
    if (!is_own(record->kind))
        return 0;
    return record->source == PW_SOURCE_KERNEL       ? SEEN_BY_EBPF
           : record->source == PW_SOURCE_SUPERVISOR ? SEEN_BY_SECCOMP
                                                    : 0;
}
