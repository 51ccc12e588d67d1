/* A report is read hours after the run, or on another machine: there a line that ends a process
 * ends another one. */
#include "harness/report/presence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text_file.h"
#include "harness/system/process_facts.h"

enum { FIRST_SERIAL = 1, BOOT_ID_TEXT = 64 };

static bool is_of_this_boot(const uint8_t boot_id[16]) {
    static const uint8_t unknown[16];
    size_t length;
    char *text = text_file_read("/proc/sys/kernel/random/boot_id", BOOT_ID_TEXT, &length);
    const char *at = text;
    bool same = text != NULL && memcmp(boot_id, unknown, sizeof unknown) != 0;
    for (unsigned i = 0; same && i < sizeof unknown; i++) {
        unsigned byte;
        at += *at == '-';
        same = sscanf(at, "%2x", &byte) == 1 && byte == boot_id[i];
        at += same ? 2 : 0;
    }
    free(text);
    return same;
}

bool presence_is_here(const struct check_trace *trace) {
    const struct process *command = processes_find(&trace->processes, FIRST_SERIAL);
    uint64_t namespace = command != NULL ? command->pid_namespace : 0;
    return is_of_this_boot(trace->header.boot_id) &&
           (namespace == 0 || namespace == process_own_namespace());
}

enum presence presence_of(const struct check_trace *trace, uint32_t pid, uint64_t start_ticks) {
    struct process_facts facts;
    if (!presence_is_here(trace))
        return PRESENCE_ELSEWHERE;
    if (!process_facts_read((pid_t)pid, &facts) || facts.state == 'Z' || facts.state == 'X' ||
        (start_ticks != 0 && facts.start_time != start_ticks))
        return PRESENCE_ENDED;
    return PRESENCE_RUNNING;
}
