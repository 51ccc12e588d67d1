/* The port range stands beside the cookie once, for whoever reads the trace elsewhere. */
#include "shim/shared/namespace_facts.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/stat.h>

#include "shim/shared/raw_file.h"
#include "shim/shared/raw_syscall.h"
#include "shim/shared/recorder.h"

static size_t read_setting(const char *path, char *text, size_t size) {
    size_t got = raw_file_read_text(path, text, size);
    while (got > 0 && text[got - 1] == '\n')
        got--;
    text[got] = '\0';
    return got;
}

static const char *read_number(const char *text, uint64_t *number) {
    while (*text == ' ' || *text == '\t')
        text++;
    for (*number = 0; *text >= '0' && *text <= '9'; text++)
        *number = *number * 10 + (uint64_t)(*text - '0');
    return text;
}

bool namespace_is_new(uint64_t cookie) {
    struct pw_header *header = recorder_header();
    for (unsigned i = 0; header != NULL && i < PW_NAMESPACES_MAX; i++) {
        uint64_t known = 0;
        if (atomic_compare_exchange_strong(&header->namespaces[i], &known, cookie))
            return true;
        if (known == cookie)
            return false;
    }
    recorder_lost(PW_LOST_NAMESPACES, 1);
    return false;
}

void namespace_write(uint64_t cookie, bool is_current, const struct namespace_writer *writer) {
    char text[512];
    struct stat status = {0};
    uint64_t low = 0, high = 0, reuse = 0;
    size_t reserved = 0;
    uint64_t begin = monotonic_ns();
    if (is_current) {
        raw_syscall4(SYS_newfstatat, AT_FDCWD, RAW("/proc/thread-self/ns/net"), RAW(&status), 0);
        if (read_setting("/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text) > 0)
            read_number(read_number(text, &low), &high);
        if (read_setting("/proc/sys/net/ipv4/ip_autobind_reuse", text, sizeof text) > 0)
            read_number(text, &reuse);
        reserved = read_setting("/proc/sys/net/ipv4/ip_local_reserved_ports", text, sizeof text);
    }
    struct record record;
    unsigned units = 2 + record_text_units(reserved, 10);
    if (!record_begin(&record, PW_KIND_NAMESPACE, units, writer->process, -1, begin))
        return;
    record.units[0].start.thread = writer->thread;
    record.units[0].start.source = (uint8_t)writer->source;
    record.units[0].start.flags = reserved == sizeof text - 1 ? PW_FLAG_TEXT_CUT : 0;
    uint64_t *number = record.units[1].numbers.number;
    number[0] = cookie;
    number[1] = status.st_ino;
    number[2] = low;
    number[3] = high;
    number[4] = reuse;
    record_text(&record, 2, text, reserved);
    record_commit(&record, 0);
}
