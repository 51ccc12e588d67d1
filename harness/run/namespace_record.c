/* Which ports the kernel chose from is part of what a trace has to say, whoever asked for them. */
#include "harness/run/namespace_record.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/shared/recorder.h"

enum { RESERVED_BYTES = 512, RESERVED_UNITS_MAX = 10 };

/* true for the one caller that is to write the record. */
static bool is_first_to_record(uint64_t cookie) {
    struct pw_header *header = recorder_header();
    for (unsigned i = 0; i < PW_NAMESPACES_MAX; i++) {
        uint64_t known = 0;
        if (atomic_compare_exchange_strong(&header->namespaces[i], &known, cookie))
            return true;
        if (known == cookie)
            return false;
    }
    recorder_lost(PW_LOST_NAMESPACES, 1);
    return false;
}

static size_t read_setting(const char *name, char *text, size_t size) {
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    FILE *file = fopen(path, "re");
    size_t got = file != NULL ? fread(text, 1, size - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    while (got > 0 && text[got - 1] == '\n')
        got--;
    text[got] = '\0';
    return got;
}

static size_t read_settings(uint64_t number[7], char reserved[RESERVED_BYTES]) {
    struct stat status;
    char text[64];
    number[1] = stat("/proc/self/ns/net", &status) == 0 ? status.st_ino : 0;
    if (read_setting("ip_local_port_range", text, sizeof text) > 0)
        (void)sscanf(text, "%" SCNu64 " %" SCNu64, &number[2], &number[3]);
    if (read_setting("ip_autobind_reuse", text, sizeof text) > 0)
        (void)sscanf(text, "%" SCNu64, &number[4]);
    return read_setting("ip_local_reserved_ports", reserved, RESERVED_BYTES);
}

void namespace_record(uint64_t netns, uint64_t own) {
    char reserved[RESERVED_BYTES];
    uint64_t number[7] = {netns};
    struct record record;
    if (netns == 0 || !is_first_to_record(netns))
        return;
    size_t length = netns == own ? read_settings(number, reserved) : 0;
    unsigned units = 2 + record_text_units(length, RESERVED_UNITS_MAX);
    if (!record_begin(&record, PW_KIND_NAMESPACE, units, 0, -1, monotonic_ns()))
        return;
    record.units[0].start.source = PW_SOURCE_RUN;
    record.units[0].start.flags = length == RESERVED_BYTES - 1 ? PW_FLAG_TEXT_CUT : 0;
    memcpy(record_numbers(&record)->number, number, sizeof number);
    record_text(&record, 2, reserved, length);
    record_commit(&record, 0);
}
