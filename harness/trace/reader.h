/* Reading a trace, whole or while it is being written, and trusting nothing that stands in it. */
#ifndef PORTWITNESS_TRACE_READER_H
#define PORTWITNESS_TRACE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/shared/keep_format.h"
#include "shim/shared/policy_format.h"

struct trace_reader;

/* Why a file cannot be read as a trace: a sentence part that follows the file's name. */
struct trace_reader_problem {
    char what[160];
};

/* One record. The pointers are good until the next call on the reader; those that the record's kind
 * does not have, or that a torn record never got, are NULL. */
struct trace_record {
    uint64_t unit;  /* index of its first unit: the record's number in the trace */
    bool committed; /* false: torn. Only kind, process, descriptor and begin_ns are known then */
    unsigned kind;  /* enum pw_kind */
    int descriptor;
    uint64_t process; /* serial */
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t cookie;
    uint64_t site;
    uint32_t thread;
    uint16_t error;
    uint8_t source;
    uint8_t call;
    uint64_t flags;
    const struct pw_socket *socket;
    const struct pw_peer *peer;
    const struct pw_process *identity;
    const struct pw_numbers *numbers;
    const struct pw_frames *frames; /* frame_units of them; read by harness/trace/record_frames.h */
    unsigned frame_units;
    const uint64_t *addresses; /* of a stack */
    size_t address_count;
    const char *text; /* ends with a NUL that is not counted; has others between arguments */
    size_t text_length;
};

/* What could not be read so far. All in units, but for torn and unknown, which are records. */
struct trace_counts {
    uint64_t records; /* committed records of known kinds */
    uint64_t torn;    /* begun and never committed */
    uint64_t blank;   /* taken, and nothing was ever stored */
    uint64_t orphans; /* continuation units without their start */
    uint64_t damaged; /* units that contradict themselves or their neighbours */
    uint64_t unknown; /* records of kinds that this version does not know */
    uint64_t cut;     /* taken units that the file no longer holds */
};

enum trace_next {
    TRACE_NEXT_RECORD, /* *record is filled */
    TRACE_NEXT_END     /* nothing more at this moment; when tailing, ask again later */
};

/* Opens the trace at `path` for reading and checks its header. NULL with *problem filled if it is
 * not one. Truncation of the file while it is read is survived: nothing is mapped. */
struct trace_reader *trace_reader_open(const char *path, struct trace_reader_problem *problem);

/* The next record. After TRACE_NEXT_END a further call looks at what was written since. */
enum trace_next trace_reader_next(struct trace_reader *reader, struct trace_record *record);

/* Tailing: a record that is not committed yet, or a unit still blank, is looked at again in every
 * later round instead of being reported as torn or blank. Turned off, the next round reports what
 * is left of them. Off in a new reader. */
void trace_reader_tail(struct trace_reader *reader, bool tailing);

/* Tailing: shows each record that is not committed yet, in every round: its kind, the serial of its
 * process and when it began. */
typedef void trace_reader_open_record(void *with, unsigned kind, uint64_t process,
                                      uint64_t begin_ns);
void trace_reader_show_open(struct trace_reader *reader, trace_reader_open_record *show,
                            void *with);

/* Starts again at the first record, with the counts at nothing; ends where the last round ended.
 * Not to be used when tailing. */
void trace_reader_rewind(struct trace_reader *reader);

/* The header as it was at the start of the last round. */
const struct pw_header *trace_reader_header(const struct trace_reader *reader);

/* The policy of the run and what it has done by now. */
struct policy_work {
    struct pw_policy_config config;
    uint64_t count[PW_POLICY_COUNTS]; /* enum pw_policy_count */
    uint64_t keep[PW_KEEP_COUNTS];    /* under `keep` (enum pw_keep_count) */
    uint64_t beyond; /* programs whose requests it cannot answer, where `run` knows that; else 0 */
};

/* Reads it from the trace's policy area; all 0 where the trace has none. */
void trace_reader_policy(const struct trace_reader *reader, struct policy_work *work);

/* Whether the file is shorter by now than the trace was made. */
bool trace_reader_is_cut(const struct trace_reader *reader);

/* What could not be read so far. */
const struct trace_counts *trace_reader_counts(const struct trace_reader *reader);

/* Frees the reader; NULL does nothing. */
void trace_reader_close(struct trace_reader *reader);

#endif
