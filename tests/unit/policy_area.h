/* A trace with a policy's area alone, exactly as large as that: one byte beyond is a fault under a
 * checker. */
#ifndef TESTS_POLICY_AREA_H
#define TESTS_POLICY_AREA_H

#include <stdlib.h>
#include <string.h>

#include "shim/shared/policy_space.h"
#include "shim/shared/recorder.h"

static char *memory;

static void area_begin(const struct pw_policy_config *config) {
    const size_t size = PW_UNITS_OFFSET;
    free(memory);
    memory = aligned_alloc(64, size);
    memset(memory, 0, size);
    const struct trace_map map = {
        .base = memory, .size = size, .facts = {.capacity = size, .config = *config}};
    recorder_attach(&map);
    policy_spaces_forget();
    struct pw_policy_area *area = (void *)(memory + PW_HEADER_SIZE);
    atomic_store(&area->used, sizeof *area);
}

#endif
