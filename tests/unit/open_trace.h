/* A trace of its own for each test, which records are written into. */
#ifndef PORTWITNESS_UNIT_OPEN_TRACE_H
#define PORTWITNESS_UNIT_OPEN_TRACE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/shared/recorder.h"
#include "shim/shared/trace_file.h"

static char open_trace_folder[] = "/tmp/open-trace-XXXXXX";
static char open_trace_path[sizeof open_trace_folder + sizeof "/trace"];

static bool open_trace_begin(void) {
    struct trace_plan plan = {.max_size = 8 << 20};
    struct trace_problem problem;
    struct trace_map map;
    strcpy(open_trace_folder + sizeof open_trace_folder - 7, "XXXXXX");
    if (mkdtemp(open_trace_folder) == NULL)
        return false;
    snprintf(open_trace_path, sizeof open_trace_path, "%s/trace", open_trace_folder);
    if (!trace_create(open_trace_path, &plan, &problem) ||
        !trace_open(open_trace_path, &map, &problem))
        return false;
    recorder_attach(&map);
    return true;
}

static int open_trace_end(void) {
    unlink(open_trace_path);
    return rmdir(open_trace_folder);
}

#endif
