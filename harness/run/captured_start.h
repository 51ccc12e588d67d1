/* What is known of a process when it is met, or has executed a program: kept until a record of its
 * start is needed. */
#ifndef PORTWITNESS_RUN_CAPTURED_START_H
#define PORTWITNESS_RUN_CAPTURED_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/capture/outside_event.h"
#include "harness/system/program_text.h"

enum { COMMAND_BYTES = 1800, PATH_BYTES = 4096 };

/* What a record of a start says. */
struct captured_start {
    uint8_t source;
    bool is_fork;      /* no program was seen to be executed */
    bool needs_record; /* the shim cannot come */
    bool has_ended;    /* when it was looked at */
    bool is_cut;       /* there are more arguments */
    bool is_replaced;  /* ... another program ran by then */
    int obstacle;      /* why its calls pass the shim by, 0: they do not, or that is not known */
    uint32_t thread;
    uint32_t uid;
    uint64_t ns;
    uint64_t start_time;
    uint32_t parent;
    char comm[16];
    size_t length;
    char command[COMMAND_BYTES]; /* arguments, each ended by NUL */
    char program[PATH_BYTES];    /* the file, "" where it is not known */
    struct program_text text;
};

/* Reads what the event and /proc say; to be freed. NULL without memory. */
struct captured_start *captured_start_read(const struct outside_event *event, bool is_fork);

/* Takes what somebody else read of the process, which /proc cannot say any more once it has ended
 * or has executed another program. */
void captured_start_take(struct captured_start *start, const struct outside_process *process);

/* Records where the program's code lies, so that addresses in it can be told. */
void captured_start_write_module(const struct captured_start *start, uint64_t serial);

/* Records the end of a process that has ended already, and that nobody can wait for. */
void captured_start_write_end(const struct captured_start *start, uint32_t pid, uint64_t serial,
                              uint64_t pid_namespace);

/* Has the process with that pid ended by now? */
bool captured_start_has_ended(const struct captured_start *start, uint32_t pid);

/* Takes the name from the path by which the program was announced; NULL: it was not. */
void captured_start_name(struct captured_start *start, const char *announced);

/* Reads the arguments and what the program is, which the process runs by now. */
void captured_start_image(struct captured_start *start, uint32_t pid);

#endif
