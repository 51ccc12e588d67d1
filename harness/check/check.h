/* Reads traces and says what went wrong in them with ports, and what nearly did. */
#ifndef PORTWITNESS_CHECK_CHECK_H
#define PORTWITNESS_CHECK_CHECK_H

#include "harness/check/finding.h"
#include "harness/trace/modules.h"
#include "harness/trace/processes.h"
#include "harness/trace/reader.h"
#include "harness/trace/strings.h"

enum { CHECK_BLIND_PROGRAMS = 16 };

/* One cause of a blind spot in one trace. */
struct check_blind_spot {
    unsigned reason; /* enum pw_blind */
    uint64_t count;
    char *program;                        /* the first one's name, NULL: not known */
    char *programs[CHECK_BLIND_PROGRAMS]; /* different ones */
    size_t program_count;
    uint64_t more;   /* blind spots of programs beyond */
    bool is_command; /* the command of the run is one of them */
};

/* The return addresses behind one record, the innermost first. */
struct check_stack {
    uint64_t unit; /* of the record that they belong to */
    size_t first;  /* index in check_trace.addresses */
    size_t count;
};

/* The frames of one record in the language of its program, the innermost first. */
struct check_frames {
    uint64_t unit; /* of the record */
    size_t first;  /* index in check_trace.frame_list */
    size_t count;  /* not 0 */
    size_t
        nearest; /* which of them is the user's own, or the nearest to it: record_frame_nearest */
    uint64_t thread; /* the name of the thread, a string; 0: none */
};

struct check_trace {
    const char *path;
    struct pw_header header; /* as it was when the trace was opened */
    struct policy_work policy;
    struct trace_counts counts;
    struct processes processes;
    struct modules modules;     /* of the processes in findings alone */
    struct check_stack *stacks; /* of the records in findings alone, by unit */
    size_t stack_count;
    struct strings strings;      /* where there are findings */
    struct check_frames *frames; /* of the records in findings alone, by unit */
    size_t frames_count;
    size_t frames_room;
    struct pw_frame *frame_list;
    size_t frame_count;
    size_t frame_room;
    uint64_t *addresses;
    size_t address_count;
    size_t stack_room;
    size_t address_room;
    size_t blind_spot_room;
    struct check_blind_spot *blind_spots;
    size_t blind_spot_count;
    uint64_t places_to; /* behind the last record of places in programs */
    uint64_t inferred;  /* releases that are only inferred */
    uint64_t backwards; /* records that end before they begin */
    uint64_t twice;     /* processes that bear the serial of another */
};

/* Zero-initialized nothing was read. */
struct check {
    struct check_trace *traces;
    size_t trace_count;
    struct findings findings;
};

/* Called now and then while a trace is read: which pass of how many, and how much of it, from 0 to
 * 1. */
typedef void check_progress(void *with, const char *path, unsigned pass, unsigned passes,
                            double part);

/* Reads the traces and fills *check. false, with one line on stderr that names the file, where one
 * cannot be read; *check is to be freed all the same. `progress` may be NULL. */
bool check_run(struct check *check, const char *const *paths, size_t count,
               check_progress *progress, void *with);

enum check_verdict { VERDICT_CLEAN, VERDICT_INCOMPLETE, VERDICT_HAZARDS, VERDICT_FINDINGS };

/* What the findings that are neither suppressed nor known come to; clean only on complete evidence.
 */
enum check_verdict check_verdict(const struct check *check);

/* "clean", "incomplete", "hazards", "findings" */
const char *check_verdict_name(enum check_verdict verdict);

/* Whether anything is missing from the evidence: lost, torn, blank or damaged records, blind
 * spots. */
bool check_is_incomplete(const struct check *check);

/* Of one host and boot, so that their clocks are one? */
bool check_is_same_machine(const struct check_trace *one, const struct check_trace *other);

/* The stack behind a record of a finding; NULL if none was recorded. */
const struct check_stack *check_stack_of(const struct check *check, const struct call *call);

/* The frames behind the call of a finding: of its record, or of a bind that stands for it; NULL
 * where there are none. */
const struct check_frames *check_frames_of(const struct check *check, const struct call *call);

/* One of them, by its index below the count. */
struct frame_text check_frame(const struct check *check, const struct call *call,
                              const struct check_frames *frames, size_t index);

/* Frees all. */
void check_free(struct check *check);

#endif
