/* "no blind spots" and "clean" are said of what could be seen: without eBPF that is less, and
 * nothing in the trace shows what passed the shim by. */
#include "harness/base/without_ebpf.h"

#include <stdio.h>

const char *without_ebpf_cause(const struct pw_header *header) {
    if ((header->capture & PW_CAPTURE_KERNEL) != 0)
        return NULL;
    if (header->no_ebpf[0] != '\0')
        return header->no_ebpf;
    return header->supervisor_pid == 0 ? "not under portwitness run" : "the trace says no cause";
}

bool without_ebpf_text(const char *cause, char text[WITHOUT_EBPF_BYTES]) {
    text[0] = '\0';
    if (cause == NULL)
        return false;
    snprintf(text, WITHOUT_EBPF_BYTES,
             "raw system calls and io_uring are not seen without eBPF (%s)", cause);
    return true;
}
