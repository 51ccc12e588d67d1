/* What nobody sees where eBPF does not, in programs that the shim is in. */
#ifndef PORTWITNESS_BASE_WITHOUT_EBPF_H
#define PORTWITNESS_BASE_WITHOUT_EBPF_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/shared/trace_format.h"

enum { WITHOUT_EBPF_BYTES = 400 };

/* Why eBPF was not used; NULL where it was. Of the copy of a header that nobody writes to. */
const char *without_ebpf_cause(const struct pw_header *header);

/* The words for a line of a report; `cause` as above. false, and "", where it is NULL. */
bool without_ebpf_text(const char *cause, char text[WITHOUT_EBPF_BYTES]);

#endif
