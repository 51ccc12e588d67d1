/* Which file a return address belongs to. */
#ifndef PORTWITNESS_TRACE_MODULES_H
#define PORTWITNESS_TRACE_MODULES_H

#include "harness/trace/processes.h"

#define MODULE_BUILD_ID_BYTES 20

struct module {
    uint64_t begin;
    uint64_t end;
    uint64_t offset; /* of `begin` in the file */
    uint64_t unit;
    char *path;
    uint8_t build_id[MODULE_BUILD_ID_BYTES];
    uint8_t build_id_length; /* 0: not known */
    uint32_t next_of_process;
};

/* Zero-initialized there are none. */
struct modules {
    struct module *list;
    size_t count;
    size_t room;
    struct map first_of_process; /* by serial */
};

struct site {
    const char *module; /* path; NULL: not known */
    uint64_t offset;    /* in the module's file; the address itself where the module is not known */
    const struct module *entry; /* NULL: not known; good until modules_note */
};

/* Takes a record; only module maps count. */
void modules_note(struct modules *modules, const struct trace_record *record);

/* Where `address` lies in the process with that serial, as it was mapped when record number `unit`
 * was taken. A process started by fork has what its parent has. */
struct site modules_site(const struct modules *modules, const struct processes *processes,
                         uint64_t serial, uint64_t address, uint64_t unit);

/* Frees all. */
void modules_free(struct modules *modules);

#endif
