/* Appending records to a mapped trace: lock-free, async-signal-safe, without libc. */
#ifndef PORTWITNESS_SHARED_RECORDER_H
#define PORTWITNESS_SHARED_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/shared/trace_file.h"

/* One record being written. `units` points at its start unit in the mapping; unit[1..] are its own.
 * The caller fills the fields behind the ones that record_begin stored and then commits. */
struct record {
    union pw_unit *units;
    uint64_t number; /* of its first unit in the trace */
    unsigned count;
};

/* Uses the trace that is mapped there for all records of this process from now on. The map must
 * cover PW_UNITS_OFFSET; its facts are copied. */
void recorder_attach(const struct trace_map *map);

/* The header of the attached trace, NULL where none is attached. Others may write anything into it
 * at any time: of its words only those that change are to be read here, and nothing is to be found
 * by them without a check. What never changes is in the facts. */
struct pw_header *recorder_header(void);

/* The attached trace's facts; all 0 where none is attached. */
const struct trace_facts *recorder_facts(void);

/* How many units are taken, as the header says it, but not more than there can be. */
uint64_t recorder_units_taken(void);

/* Takes `count` units (1 to PW_RECORD_UNITS_MAX) and stores the fields known at the start of a
 * call. false, with the loss counted in the header, where there is no room. Unit heads are all set.
 */
bool record_begin(struct record *record, enum pw_kind kind, unsigned count, uint64_t process,
                  int descriptor, uint64_t begin_ns);

/* The units of a record that was committed, to add to it what its writer could not know. NULL where
 * they are not mapped. */
union pw_unit *recorder_units(uint64_t number, unsigned count);

/* Turns the record into one of another kind of the same shape; before it is committed. */
void record_change_kind(struct record *record, enum pw_kind kind);

/* The second unit as numbers, all 0. */
struct pw_numbers *record_numbers(struct record *record);

/* Stores the end time (CLOCK_MONOTONIC now, or `end_ns` where not 0) and publishes the record. */
void record_commit(struct record *record, uint64_t end_ns);

/* Copies `length` bytes of text into the units from `index` on, filled up with NUL. What does not
 * fit is cut; true if all of it fitted. */
bool record_text(struct record *record, unsigned index, const char *text, size_t length);

/* How many units `length` bytes of text need, at most `most`. */
unsigned record_text_units(size_t length, unsigned most);

/* Adds to one of the header's loss counters. */
void recorder_lost(enum pw_lost cause, uint64_t count);

/* Makes room in the file for the bytes from `from` to `to`, or to the trace's end where that comes
 * first. 0, or the errno of madvise: EFAULT means that the disk is full. */
int recorder_populate(uint64_t from, uint64_t to);

/* Makes room for the records that will fill the next `bytes` bytes, for a process that soon may not
 * ask for any. Where that fails, records are lost and counted. */
void recorder_make_room_ahead(uint64_t bytes);

/* Whether somebody has stored anything in the last `most` units before byte `end`, all of which
 * must have room. */
bool recorder_is_written(uint64_t end, unsigned most);

/* The trace's file was cut, so that an access to the mapping at `address` has no page any more:
 * puts empty memory of our own in the place of all views, where no record is taken. false where the
 * address lies in none. For a program that handles SIGBUS; async-signal-safe. */
bool recorder_abandon(const void *address);

/* CLOCK_MONOTONIC in nanoseconds, as outside of every time namespace. */
uint64_t monotonic_ns(void);

#endif
